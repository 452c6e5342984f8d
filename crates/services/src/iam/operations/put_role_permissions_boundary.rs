//! `PutRolePermissionsBoundary`: a managed policy as the most that this role may do.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct PutRolePermissionsBoundary;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "PutRolePermissionsBoundaryRequest")]
pub(crate) struct PutRolePermissionsBoundaryInput {
    pub(crate) role_name: String,
    /// ARN of a managed policy.
    pub(crate) permissions_boundary: String,
}

impl Operation for PutRolePermissionsBoundary {
    const NAME: &'static str = "PutRolePermissionsBoundary";
    type Service = Iam;
    type Input = PutRolePermissionsBoundaryInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<Role>, SoughtPolicy);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: PutRolePermissionsBoundaryInput,
    ) -> Result<Resolved<Self>, IamError> {
        let policy = iam.seek_policy(call, &input.permissions_boundary)?;
        let role = iam.seek::<Role>(call, &input.role_name)?;
        let request = role
            .request("iam:PutRolePermissionsBoundary")
            .with_key("iam:PermissionsBoundary", &*policy.arn);
        Ok(Resolved {
            input,
            target: (role, policy),
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (role, policy)) = granted.into_parts();
        iam.set_boundary(call, &role, Some(&policy)).await?;
        Ok(Empty)
    }
}
