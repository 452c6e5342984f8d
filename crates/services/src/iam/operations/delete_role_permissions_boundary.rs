//! `DeleteRolePermissionsBoundary`: takes the permissions boundary from this role.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteRolePermissionsBoundary;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteRolePermissionsBoundaryRequest")]
pub(crate) struct DeleteRolePermissionsBoundaryInput {
    pub(crate) role_name: String,
}

impl Operation for DeleteRolePermissionsBoundary {
    const NAME: &'static str = "DeleteRolePermissionsBoundary";
    type Service = Iam;
    type Input = DeleteRolePermissionsBoundaryInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteRolePermissionsBoundaryInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = Access::one(target.bounded_request("iam:DeleteRolePermissionsBoundary"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, target) = granted.into_parts();
        iam.set_boundary(call, &target, None).await?;
        Ok(Empty)
    }
}
