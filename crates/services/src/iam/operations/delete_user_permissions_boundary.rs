//! `DeleteUserPermissionsBoundary`: takes the permissions boundary from this user.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteUserPermissionsBoundary;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteUserPermissionsBoundaryRequest")]
pub(crate) struct DeleteUserPermissionsBoundaryInput {
    pub(crate) user_name: String,
}

impl Operation for DeleteUserPermissionsBoundary {
    const NAME: &'static str = "DeleteUserPermissionsBoundary";
    type Service = Iam;
    type Input = DeleteUserPermissionsBoundaryInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteUserPermissionsBoundaryInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = Access::one(target.bounded_request("iam:DeleteUserPermissionsBoundary"));
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
