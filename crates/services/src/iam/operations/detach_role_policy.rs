//! `DetachRolePolicy`: takes a managed policy from this role.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DetachRolePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DetachRolePolicyRequest")]
pub(crate) struct DetachRolePolicyInput {
    pub(crate) role_name: String,
    pub(crate) policy_arn: String,
}

impl Operation for DetachRolePolicy {
    const NAME: &'static str = "DetachRolePolicy";
    type Service = Iam;
    type Input = DetachRolePolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<Role>, SoughtPolicy);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DetachRolePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let role = iam.seek::<Role>(call, &input.role_name)?;
        let request = role
            .bounded_request("iam:DetachRolePolicy")
            .with_key("iam:PolicyARN", &*policy.arn);
        Ok(Resolved {
            input,
            target: (role, policy),
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (role, policy)) = granted.into_parts();
        iam.detach(call, &role, &policy).await?;
        Ok(Empty)
    }
}
