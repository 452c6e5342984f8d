//! `ListPolicyTags`: the tags of a managed policy in order of their keys.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::page::page;
use crate::iam::shapes::Tag;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListPolicyTags;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListPolicyTagsRequest")]
pub(crate) struct ListPolicyTagsInput {
    pub(crate) policy_arn: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListPolicyTagsResponse")]
pub(crate) struct ListPolicyTagsOutput {
    pub(crate) tags: Vec<Tag>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListPolicyTags {
    const NAME: &'static str = "ListPolicyTags";
    type Service = Iam;
    type Input = ListPolicyTagsInput;
    type Output = ListPolicyTagsOutput;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListPolicyTagsInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let access = target.access("iam:ListPolicyTags");
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
    ) -> Result<ListPolicyTagsOutput, IamError> {
        let (input, target) = granted.into_parts();
        let tags = target.found()?.tags.iter().map(|(key, tag)| (key, tag.clone()));
        let page = page(tags, input.marker.as_deref(), input.max_items)?;
        Ok(ListPolicyTagsOutput {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        })
    }
}
