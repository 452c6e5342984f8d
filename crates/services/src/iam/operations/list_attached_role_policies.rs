//! `ListAttachedRolePolicies`: the managed policies attached to a role.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::shapes::AttachedPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAttachedRolePolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAttachedRolePoliciesRequest")]
pub(crate) struct ListAttachedRolePoliciesInput {
    pub(crate) role_name: String,
    /// Of the policies; `/` if absent.
    pub(crate) path_prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAttachedRolePoliciesResponse")]
pub(crate) struct ListAttachedRolePoliciesOutput {
    pub(crate) attached_policies: Option<Vec<AttachedPolicy>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListAttachedRolePolicies {
    const NAME: &'static str = "ListAttachedRolePolicies";
    type Service = Iam;
    type Input = ListAttachedRolePoliciesInput;
    type Output = ListAttachedRolePoliciesOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListAttachedRolePoliciesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:ListAttachedRolePolicies");
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
    ) -> Result<ListAttachedRolePoliciesOutput, IamError> {
        let (input, target) = granted.into_parts();
        let (prefix, marker) = (input.path_prefix.as_deref(), input.marker.as_deref());
        let page = iam.attached_policies(&target, prefix, marker, input.max_items)?;
        Ok(ListAttachedRolePoliciesOutput {
            is_truncated: Some(page.is_truncated()),
            attached_policies: Some(page.items),
            marker: page.marker,
        })
    }
}
