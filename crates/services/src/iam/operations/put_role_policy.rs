//! `PutRolePolicy`: adds an inline policy to a role, or replaces it.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Role};
use crate::iam::errors::IamError;
use crate::iam::service_linked::check_modifiable;
use crate::iam::sought::Sought;
use crate::iam::validate;
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_policy::{IdentityOwner, PolicyKind};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct PutRolePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "PutRolePolicyRequest")]
pub(crate) struct PutRolePolicyInput {
    pub(crate) role_name: String,
    pub(crate) policy_name: String,
    /// An identity policy.
    pub(crate) policy_document: String,
}

impl Operation for PutRolePolicy {
    const NAME: &'static str = "PutRolePolicy";
    type Service = Iam;
    type Input = PutRolePolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: PutRolePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = Access::one(target.bounded_request("iam:PutRolePolicy"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |role| {
            check_modifiable(role)?;
            role.put_policy(&input.policy_name, &input.policy_document)
        })
        .await?;
        let kind = PolicyKind::Identity(IdentityOwner::Role);
        warn_of_traps(call, target.arn(), &input.policy_document, kind);
        Ok(Empty)
    }
}
