//! `DeleteRole`: only when nothing hangs on the role any more. Its sessions end with it.

use crate::iam::Iam;
use crate::iam::attachments::check_no_policies;
use crate::iam::current;
use crate::iam::entity::{Role, Stored};
use crate::iam::errors::IamError;
use crate::iam::service_linked::check_modifiable;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteRoleRequest")]
pub(crate) struct DeleteRoleInput {
    pub(crate) role_name: String,
}

impl Operation for DeleteRole {
    const NAME: &'static str = "DeleteRole";
    type Service = Iam;
    type Input = DeleteRoleInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: DeleteRoleInput) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:DeleteRole");
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
            let role = current::<Role>(view, &target, &id)?;
            check_modifiable(&*role)?;
            check_no_policies(&*role)?;
            Ok((vec![Stored::NoRole(role)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
