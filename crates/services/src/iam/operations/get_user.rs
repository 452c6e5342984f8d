//! `GetUser`: what is known of a user; without a name, of the caller.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::shapes::UserShape;
use crate::iam::sought::KeyOwner;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetUserRequest")]
pub(crate) struct GetUserInput {
    /// The caller if absent.
    pub(crate) user_name: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetUserResponse")]
pub(crate) struct GetUserOutput {
    pub(crate) user: UserShape,
}

impl Operation for GetUser {
    const NAME: &'static str = "GetUser";
    type Service = Iam;
    type Input = GetUserInput;
    type Output = GetUserOutput;
    type Error = IamError;
    type Target = KeyOwner;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: GetUserInput) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_key_owner(call, input.user_name.as_deref())?;
        let access = target.access("iam:GetUser");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(_: &Iam, _: &Call<'_>, granted: Authorized<Self>) -> Result<GetUserOutput, IamError> {
        let user = match granted.into_parts().1 {
            KeyOwner::User(user) => user.found()?.described(),
            KeyOwner::Root(account) => UserShape {
                path: None,
                user_name: None,
                user_id: account.id.to_string(),
                arn: account.identity.arn.to_string(),
                create_date: account.created,
                password_last_used: None,
                permissions_boundary: None,
                tags: None,
            },
        };
        Ok(GetUserOutput { user })
    }
}
