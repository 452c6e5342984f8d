//! `UpdateRole`: another description or longest session. What is absent stays.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::service_linked::check_modifiable;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateRoleRequest")]
pub(crate) struct UpdateRoleInput {
    pub(crate) role_name: String,
    pub(crate) description: Option<String>,
    /// Seconds, 3,600 to 43,200.
    pub(crate) max_session_duration: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "UpdateRoleResponse")]
pub(crate) struct UpdateRoleOutput {}

impl Operation for UpdateRole {
    const NAME: &'static str = "UpdateRole";
    type Service = Iam;
    type Input = UpdateRoleInput;
    type Output = UpdateRoleOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: UpdateRoleInput) -> Result<Resolved<Self>, IamError> {
        validate::description(input.description.as_deref().unwrap_or_default())?;
        input
            .max_session_duration
            .map(validate::max_session)
            .transpose()?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:UpdateRole");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<UpdateRoleOutput, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |role| {
            if let Some(description) = input.description {
                role.description = Some(description);
            }
            if let Some(seconds) = input.max_session_duration {
                check_modifiable(role)?;
                role.max_session_seconds = seconds;
            }
            Ok(())
        })
        .await?;
        Ok(UpdateRoleOutput {})
    }
}
