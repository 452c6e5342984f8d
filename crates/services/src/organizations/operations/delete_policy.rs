//! `DeletePolicy`: a control policy that is attached to nothing.

use crate::organizations::control::Found;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeletePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeletePolicyRequest")]
pub(crate) struct DeletePolicyInput {
    pub(crate) policy_id: String,
}

impl Operation for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    type Service = Organizations;
    type Input = DeletePolicyInput;
    type Output = Empty;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DeletePolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::policy(&input.policy_id)?;
        let access = organizations.policy_access(call, "organizations:DeletePolicy", &input.policy_id)?;
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        organizations
            .change(call, |tree| {
                let policy = tree.own_policy(&input.policy_id)?;
                if !tree.targets_of(Found::Own(policy)).is_empty() {
                    return Err(OrganizationsError::PolicyInUse);
                }
                let gone = Stored::NoPolicy(tree.organization.id, policy.id.clone());
                Ok((vec![gone], ()))
            })
            .await?;
        Ok(Empty)
    }
}
