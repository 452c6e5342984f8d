//! `RemoveUserFromGroup`: the user has only what it has otherwise from now on.

use crate::iam::Iam;
use crate::iam::current;
use crate::iam::entity::{Group, Stored, User};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct RemoveUserFromGroup;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "RemoveUserFromGroupRequest")]
pub(crate) struct RemoveUserFromGroupInput {
    pub(crate) group_name: String,
    pub(crate) user_name: String,
}

impl Operation for RemoveUserFromGroup {
    const NAME: &'static str = "RemoveUserFromGroup";
    type Service = Iam;
    type Input = RemoveUserFromGroupInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<Group>, Sought<User>);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: RemoveUserFromGroupInput,
    ) -> Result<Resolved<Self>, IamError> {
        let group = iam.seek::<Group>(call, &input.group_name)?;
        let user = iam.seek::<User>(call, &input.user_name)?;
        let access = group.access("iam:RemoveUserFromGroup");
        Ok(Resolved {
            input,
            target: (group, user),
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (group, user)) = granted.into_parts();
        let group_id = Arc::clone(&group.found()?.profile.id);
        let user_id = Arc::clone(&user.found()?.profile.id);
        iam.change(call, |view| {
            current::<Group>(view, &group, &group_id)?;
            let mut user = User::clone(&*current::<User>(view, &user, &user_id)?);
            if !user.groups.remove(&group_id) {
                let (user, group) = (&user.profile.name, &group.name);
                return Err(IamError::NotFound {
                    reason: format!("User {user} is not in group {group}."),
                });
            }
            Ok((vec![Stored::User(user)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
