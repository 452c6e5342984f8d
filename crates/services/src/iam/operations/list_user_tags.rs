//! `ListUserTags`: the tags of a user in order of their keys.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::Tag;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListUserTags;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListUserTagsRequest")]
pub(crate) struct ListUserTagsInput {
    pub(crate) user_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListUserTagsResponse")]
pub(crate) struct ListUserTagsOutput {
    pub(crate) tags: Vec<Tag>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListUserTags {
    const NAME: &'static str = "ListUserTags";
    type Service = Iam;
    type Input = ListUserTagsInput;
    type Output = ListUserTagsOutput;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListUserTagsInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = target.access("iam:ListUserTags");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListUserTagsOutput, IamError> {
        let (input, target) = granted.into_parts();
        let tags = target
            .found()?
            .profile
            .tags
            .iter()
            .map(|(key, tag)| (key, tag.clone()));
        let page = page(tags, input.marker.as_deref(), input.max_items)?;
        Ok(ListUserTagsOutput {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        })
    }
}
