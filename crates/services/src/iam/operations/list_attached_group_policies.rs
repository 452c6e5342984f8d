//! `ListAttachedGroupPolicies`: the managed policies attached to a group.

use crate::iam::Iam;
use crate::iam::entity::Group;
use crate::iam::errors::IamError;
use crate::iam::shapes::AttachedPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAttachedGroupPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAttachedGroupPoliciesRequest")]
pub(crate) struct ListAttachedGroupPoliciesInput {
    pub(crate) group_name: String,
    /// Of the policies; `/` if absent.
    pub(crate) path_prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAttachedGroupPoliciesResponse")]
pub(crate) struct ListAttachedGroupPoliciesOutput {
    pub(crate) attached_policies: Option<Vec<AttachedPolicy>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListAttachedGroupPolicies {
    const NAME: &'static str = "ListAttachedGroupPolicies";
    type Service = Iam;
    type Input = ListAttachedGroupPoliciesInput;
    type Output = ListAttachedGroupPoliciesOutput;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListAttachedGroupPoliciesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = target.access("iam:ListAttachedGroupPolicies");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListAttachedGroupPoliciesOutput, IamError> {
        let (input, target) = granted.into_parts();
        let (prefix, marker) = (input.path_prefix.as_deref(), input.marker.as_deref());
        let page = iam.attached_policies(&target, prefix, marker, input.max_items)?;
        Ok(ListAttachedGroupPoliciesOutput {
            is_truncated: Some(page.is_truncated()),
            attached_policies: Some(page.items),
            marker: page.marker,
        })
    }
}
