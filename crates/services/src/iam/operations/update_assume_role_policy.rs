//! `UpdateAssumeRolePolicy`: another trust policy for a role. Sessions that exist go on.

use crate::iam::Iam;
use crate::iam::current;
use crate::iam::entity::{Role, Stored};
use crate::iam::errors::IamError;
use crate::iam::service_linked::check_modifiable;
use crate::iam::sought::Sought;
use crate::iam::trust::Trust;
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_policy::PolicyKind;
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateAssumeRolePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateAssumeRolePolicyRequest")]
pub(crate) struct UpdateAssumeRolePolicyInput {
    pub(crate) role_name: String,
    /// A trust policy.
    pub(crate) policy_document: String,
}

impl Operation for UpdateAssumeRolePolicy {
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    type Service = Iam;
    type Input = UpdateAssumeRolePolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: UpdateAssumeRolePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:UpdateAssumeRolePolicy");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        let id = Arc::clone(&target.found()?.profile.id);
        iam.change(call, |view| {
            let mut role = Role::clone(&*current::<Role>(view, &target, &id)?);
            check_modifiable(&role)?;
            role.trust = Trust::new(&input.policy_document, view)?;
            Ok((vec![Stored::Role(role)], ()))
        })
        .await?;
        warn_of_traps(call, target.arn(), &input.policy_document, PolicyKind::Trust);
        Ok(Empty)
    }
}
