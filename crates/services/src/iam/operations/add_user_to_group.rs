//! `AddUserToGroup`: the user has what the group has from now on. Done already is done.

use crate::iam::Iam;
use crate::iam::current;
use crate::iam::entity::{Group, Stored, User};
use crate::iam::errors::IamError;
use crate::iam::limits::GROUPS_PER_USER_MAX;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct AddUserToGroup;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "AddUserToGroupRequest")]
pub(crate) struct AddUserToGroupInput {
    pub(crate) group_name: String,
    pub(crate) user_name: String,
}

impl Operation for AddUserToGroup {
    const NAME: &'static str = "AddUserToGroup";
    type Service = Iam;
    type Input = AddUserToGroupInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<Group>, Sought<User>);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: AddUserToGroupInput,
    ) -> Result<Resolved<Self>, IamError> {
        let group = iam.seek::<Group>(call, &input.group_name)?;
        let user = iam.seek::<User>(call, &input.user_name)?;
        let access = group.access("iam:AddUserToGroup");
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
            user.groups.insert(group_id);
            if user.groups.len() > GROUPS_PER_USER_MAX {
                let reason = format!("Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER_MAX}");
                return Err(IamError::LimitExceeded { reason });
            }
            Ok((vec![Stored::User(user)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
