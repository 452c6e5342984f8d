//! `DetachPolicy`: a control policy limits an account, or all accounts below a root or unit, no more.

use crate::organizations::control::TargetId;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DetachPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DetachPolicyRequest")]
pub(crate) struct DetachPolicyInput {
    pub(crate) policy_id: String,
    /// An account, root or unit.
    pub(crate) target_id: String,
}

impl Operation for DetachPolicy {
    const NAME: &'static str = "DetachPolicy";
    type Service = Organizations;
    type Input = DetachPolicyInput;
    type Output = Empty;
    type Error = OrganizationsError;
    type Target = TargetId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DetachPolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::policy(&input.policy_id)?;
        let target = validate::target(&input.target_id)?;
        let access =
            organizations.attachment_access(call, "organizations:DetachPolicy", &input.policy_id, target)?;
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        let (input, target) = granted.into_parts();
        organizations
            .change(call, |tree| {
                tree.detach(&input.policy_id, target)
                    .map(|stored| (vec![stored], ()))
            })
            .await?;
        Ok(Empty)
    }
}
