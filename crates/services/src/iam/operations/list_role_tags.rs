//! `ListRoleTags`: the tags of a role in order of their keys.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::Tag;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListRoleTags;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListRoleTagsRequest")]
pub(crate) struct ListRoleTagsInput {
    pub(crate) role_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListRoleTagsResponse")]
pub(crate) struct ListRoleTagsOutput {
    pub(crate) tags: Vec<Tag>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListRoleTags {
    const NAME: &'static str = "ListRoleTags";
    type Service = Iam;
    type Input = ListRoleTagsInput;
    type Output = ListRoleTagsOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListRoleTagsInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:ListRoleTags");
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
    ) -> Result<ListRoleTagsOutput, IamError> {
        let (input, target) = granted.into_parts();
        let tags = target
            .found()?
            .profile
            .tags
            .iter()
            .map(|(key, tag)| (key, tag.clone()));
        let page = page(tags, input.marker.as_deref(), input.max_items)?;
        Ok(ListRoleTagsOutput {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        })
    }
}
