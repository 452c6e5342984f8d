//! `ListAttachedUserPolicies`: the managed policies attached to a user.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::shapes::AttachedPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAttachedUserPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAttachedUserPoliciesRequest")]
pub(crate) struct ListAttachedUserPoliciesInput {
    pub(crate) user_name: String,
    /// Of the policies; `/` if absent.
    pub(crate) path_prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAttachedUserPoliciesResponse")]
pub(crate) struct ListAttachedUserPoliciesOutput {
    pub(crate) attached_policies: Option<Vec<AttachedPolicy>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListAttachedUserPolicies {
    const NAME: &'static str = "ListAttachedUserPolicies";
    type Service = Iam;
    type Input = ListAttachedUserPoliciesInput;
    type Output = ListAttachedUserPoliciesOutput;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListAttachedUserPoliciesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = target.access("iam:ListAttachedUserPolicies");
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
    ) -> Result<ListAttachedUserPoliciesOutput, IamError> {
        let (input, target) = granted.into_parts();
        let (prefix, marker) = (input.path_prefix.as_deref(), input.marker.as_deref());
        let page = iam.attached_policies(&target, prefix, marker, input.max_items)?;
        Ok(ListAttachedUserPoliciesOutput {
            is_truncated: Some(page.is_truncated()),
            attached_policies: Some(page.items),
            marker: page.marker,
        })
    }
}
