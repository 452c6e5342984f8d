//! `AttachPolicy`: a control policy limits an account, or all accounts below a root or unit, from now on.

use crate::organizations::control::TargetId;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct AttachPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "AttachPolicyRequest")]
pub(crate) struct AttachPolicyInput {
    pub(crate) policy_id: String,
    /// An account, root or unit.
    pub(crate) target_id: String,
}

impl Operation for AttachPolicy {
    const NAME: &'static str = "AttachPolicy";
    type Service = Organizations;
    type Input = AttachPolicyInput;
    type Output = Empty;
    type Error = OrganizationsError;
    type Target = TargetId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: AttachPolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::policy(&input.policy_id)?;
        let target = validate::target(&input.target_id)?;
        let access =
            organizations.attachment_access(call, "organizations:AttachPolicy", &input.policy_id, target)?;
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
                tree.attach(&input.policy_id, target)
                    .map(|stored| (vec![stored], ()))
            })
            .await?;
        Ok(Empty)
    }
}
