//! `DeleteUser`: only when nothing hangs on the user any more.

use crate::iam::Iam;
use crate::iam::attachments::check_no_policies;
use crate::iam::current;
use crate::iam::entity::{Stored, User};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteUserRequest")]
pub(crate) struct DeleteUserInput {
    pub(crate) user_name: String,
}

impl Operation for DeleteUser {
    const NAME: &'static str = "DeleteUser";
    type Service = Iam;
    type Input = DeleteUserInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: DeleteUserInput) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = target.access("iam:DeleteUser");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, target) = granted.into_parts();
        let id = Arc::clone(&target.found()?.profile.id);
        iam.change(call, |view| {
            let user = current::<User>(view, &target, &id)?;
            if !user.keys.is_empty() {
                return Err(IamError::DeleteConflict {
                    reason: "Cannot delete entity, must delete access keys first.",
                });
            }
            if !user.groups.is_empty() {
                return Err(IamError::DeleteConflict {
                    reason: "Cannot delete entity, must remove users from group first.",
                });
            }
            check_no_policies(&*user)?;
            Ok((vec![Stored::NoUser(user)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
