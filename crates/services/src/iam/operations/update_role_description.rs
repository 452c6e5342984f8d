//! `UpdateRoleDescription`: another description; AWS keeps it beside `UpdateRole`.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::shapes::RoleShape;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateRoleDescription;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateRoleDescriptionRequest")]
pub(crate) struct UpdateRoleDescriptionInput {
    pub(crate) role_name: String,
    pub(crate) description: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "UpdateRoleDescriptionResponse")]
pub(crate) struct UpdateRoleDescriptionOutput {
    pub(crate) role: Option<RoleShape>,
}

impl Operation for UpdateRoleDescription {
    const NAME: &'static str = "UpdateRoleDescription";
    type Service = Iam;
    type Input = UpdateRoleDescriptionInput;
    type Output = UpdateRoleDescriptionOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: UpdateRoleDescriptionInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::description(&input.description)?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:UpdateRoleDescription");
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
    ) -> Result<UpdateRoleDescriptionOutput, IamError> {
        let (input, target) = granted.into_parts();
        let mut shape = None;
        iam.update(call, &target, |role| {
            role.description = Some(input.description);
            shape = Some(role.listed());
            Ok(())
        })
        .await?;
        Ok(UpdateRoleDescriptionOutput { role: shape })
    }
}
