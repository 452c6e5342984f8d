//! `GetRole`: what is known of a role, with its trust policy.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::shapes::RoleShape;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetRoleRequest")]
pub(crate) struct GetRoleInput {
    pub(crate) role_name: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetRoleResponse")]
pub(crate) struct GetRoleOutput {
    pub(crate) role: RoleShape,
}

impl Operation for GetRole {
    const NAME: &'static str = "GetRole";
    type Service = Iam;
    type Input = GetRoleInput;
    type Output = GetRoleOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: GetRoleInput) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:GetRole");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(_: &Iam, _: &Call<'_>, granted: Authorized<Self>) -> Result<GetRoleOutput, IamError> {
        let (_, target) = granted.into_parts();
        Ok(GetRoleOutput {
            role: target.found()?.described(),
        })
    }
}
