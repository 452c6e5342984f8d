//! `DeleteGroup`: only when nobody is in the group and nothing hangs on it any more.

use crate::iam::Iam;
use crate::iam::attachments::check_no_policies;
use crate::iam::current;
use crate::iam::entity::{Group, Stored};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteGroup;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteGroupRequest")]
pub(crate) struct DeleteGroupInput {
    pub(crate) group_name: String,
}

impl Operation for DeleteGroup {
    const NAME: &'static str = "DeleteGroup";
    type Service = Iam;
    type Input = DeleteGroupInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteGroupInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = target.access("iam:DeleteGroup");
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
            let group = current::<Group>(view, &target, &id)?;
            if view
                .users_of(target.account)
                .any(|(_, user)| user.groups.contains(&id))
            {
                return Err(IamError::DeleteConflict {
                    reason: "Cannot delete entity, must remove users from group first.",
                });
            }
            check_no_policies(&*group)?;
            Ok((vec![Stored::NoGroup(group)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
