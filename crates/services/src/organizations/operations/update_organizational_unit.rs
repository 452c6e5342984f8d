//! `UpdateOrganizationalUnit`: gives a unit another name.

use crate::organizations::access;
use crate::organizations::organization::Unit;
use crate::organizations::shapes::OrganizationalUnit;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::OrganizationalUnitId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateOrganizationalUnit;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateOrganizationalUnitRequest")]
pub(crate) struct UpdateOrganizationalUnitInput {
    pub(crate) organizational_unit_id: String,
    /// The present name if absent.
    pub(crate) name: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "UpdateOrganizationalUnitResponse")]
pub(crate) struct UpdateOrganizationalUnitOutput {
    pub(crate) organizational_unit: Option<OrganizationalUnit>,
}

impl Operation for UpdateOrganizationalUnit {
    const NAME: &'static str = "UpdateOrganizationalUnit";
    type Service = Organizations;
    type Input = UpdateOrganizationalUnitInput;
    type Output = UpdateOrganizationalUnitOutput;
    type Error = OrganizationsError;
    type Target = OrganizationalUnitId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: UpdateOrganizationalUnitInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::unit(&input.organizational_unit_id)?;
        input.name.as_deref().map(validate::unit_name).transpose()?;
        let arn = organizations.managed(call)?.unit_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:UpdateOrganizationalUnit", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<UpdateOrganizationalUnitOutput, OrganizationsError> {
        let (input, id) = granted.into_parts();
        organizations
            .change(call, |tree| {
                let unit = tree
                    .units
                    .get(&id)
                    .ok_or(OrganizationsError::OrganizationalUnitNotFound)?;
                let Some(name) = input.name else {
                    return Ok((Vec::new(), ()));
                };
                if tree
                    .units_of(unit.parent)
                    .any(|other| other.id != id && other.name == name)
                {
                    return Err(OrganizationsError::DuplicateOrganizationalUnit);
                }
                let unit = Unit { name, ..unit.clone() };
                Ok((vec![Stored::Unit(tree.organization.id, unit)], ()))
            })
            .await?;
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        Ok(UpdateOrganizationalUnitOutput {
            organizational_unit: tree.units.get(&id).map(|unit| tree.unit(unit)),
        })
    }
}
