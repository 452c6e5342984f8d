//! `DeleteServiceLinkedRole`: done at once, because no service here uses its role on its own.

use crate::iam::Iam;
use crate::iam::current;
use crate::iam::entity::{Role, Stored};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteServiceLinkedRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteServiceLinkedRoleRequest")]
pub(crate) struct DeleteServiceLinkedRoleInput {
    pub(crate) role_name: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DeleteServiceLinkedRoleResponse")]
pub(crate) struct DeleteServiceLinkedRoleOutput {
    pub(crate) deletion_task_id: String,
}

impl Operation for DeleteServiceLinkedRole {
    const NAME: &'static str = "DeleteServiceLinkedRole";
    type Service = Iam;
    type Input = DeleteServiceLinkedRoleInput;
    type Output = DeleteServiceLinkedRoleOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteServiceLinkedRoleInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let mut request = target.request("iam:DeleteServiceLinkedRole");
        if let Some(service) = target.found().ok().and_then(|role| role.profile.linked_service()) {
            request = request.with_key("iam:AWSServiceName", service);
        }
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DeleteServiceLinkedRoleOutput, IamError> {
        let (input, target) = granted.into_parts();
        let profile = &target.found()?.profile;
        let Some(service) = profile.linked_service() else {
            let reason = format!("The role {} is not a service-linked role.", input.role_name);
            return Err(IamError::NotFound { reason });
        };
        let id = Arc::clone(&profile.id);
        iam.change(call, |view| {
            let role = current::<Role>(view, &target, &id)?;
            Ok((vec![Stored::NoRole(role)], ()))
        })
        .await?;
        let task = format!(
            "task/aws-service-role/{service}/{}/{}",
            profile.name,
            call.request_id()
        );
        iam.deletions.remember(call.account(), &task);
        Ok(DeleteServiceLinkedRoleOutput {
            deletion_task_id: task,
        })
    }
}
