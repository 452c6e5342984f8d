//! `PutUserPermissionsBoundary`: a managed policy as the most that this user may do.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct PutUserPermissionsBoundary;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "PutUserPermissionsBoundaryRequest")]
pub(crate) struct PutUserPermissionsBoundaryInput {
    pub(crate) user_name: String,
    /// ARN of a managed policy.
    pub(crate) permissions_boundary: String,
}

impl Operation for PutUserPermissionsBoundary {
    const NAME: &'static str = "PutUserPermissionsBoundary";
    type Service = Iam;
    type Input = PutUserPermissionsBoundaryInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<User>, SoughtPolicy);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: PutUserPermissionsBoundaryInput,
    ) -> Result<Resolved<Self>, IamError> {
        let policy = iam.seek_policy(call, &input.permissions_boundary)?;
        let user = iam.seek::<User>(call, &input.user_name)?;
        let request = user
            .request("iam:PutUserPermissionsBoundary")
            .with_key("iam:PermissionsBoundary", &*policy.arn);
        Ok(Resolved {
            input,
            target: (user, policy),
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (user, policy)) = granted.into_parts();
        iam.set_boundary(call, &user, Some(&policy)).await?;
        Ok(Empty)
    }
}
