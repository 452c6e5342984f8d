//! `DeleteRolePolicy`: takes an inline policy from a role.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Role};
use crate::iam::errors::IamError;
use crate::iam::service_linked::check_modifiable;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteRolePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteRolePolicyRequest")]
pub(crate) struct DeleteRolePolicyInput {
    pub(crate) role_name: String,
    pub(crate) policy_name: String,
}

impl Operation for DeleteRolePolicy {
    const NAME: &'static str = "DeleteRolePolicy";
    type Service = Iam;
    type Input = DeleteRolePolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteRolePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = Access::one(target.bounded_request("iam:DeleteRolePolicy"));
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
            role.remove_policy(&input.policy_name)
        })
        .await?;
        Ok(Empty)
    }
}
