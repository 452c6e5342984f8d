//! `CreateOrganizationalUnit`: a unit below a root or another unit.

use crate::organizations::access;
use crate::organizations::limits::{UNIT_DEPTH_MAX, UNITS_MAX};
use crate::organizations::organization::Unit;
use crate::organizations::shapes::{OrganizationalUnit, Tag};
use crate::organizations::validate;
use crate::organizations::view::{Stored, Tree};
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::{OrganizationalUnitId, ParentId};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateOrganizationalUnit;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateOrganizationalUnitRequest")]
pub(crate) struct CreateOrganizationalUnitInput {
    /// A root or unit.
    pub(crate) parent_id: String,
    pub(crate) name: String,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateOrganizationalUnitResponse")]
pub(crate) struct CreateOrganizationalUnitOutput {
    pub(crate) organizational_unit: Option<OrganizationalUnit>,
}

impl Operation for CreateOrganizationalUnit {
    const NAME: &'static str = "CreateOrganizationalUnit";
    type Service = Organizations;
    type Input = CreateOrganizationalUnitInput;
    type Output = CreateOrganizationalUnitOutput;
    type Error = OrganizationsError;
    type Target = ParentId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: CreateOrganizationalUnitInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::parent("ParentId", &input.parent_id)?;
        validate::unit_name(&input.name)?;
        validate::no_tags(&input.tags)?;
        let arn = organizations.managed(call)?.parent_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:CreateOrganizationalUnit", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateOrganizationalUnitOutput, OrganizationsError> {
        let (input, parent) = granted.into_parts();
        let mut random = [0; 8];
        call.runtime().entropy.fill(&mut random);
        let id = organizations
            .change(call, |tree| {
                check_room(tree, parent, &input.name)?;
                let id = OrganizationalUnitId::from_entropy(tree.organization.root, random)
                    .map_err(|_| OrganizationsError::Internal)?;
                let unit = Unit {
                    id,
                    name: input.name,
                    parent,
                };
                Ok((vec![Stored::Unit(tree.organization.id, unit)], id))
            })
            .await?;
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        Ok(CreateOrganizationalUnitOutput {
            organizational_unit: tree.units.get(&id).map(|unit| tree.unit(unit)),
        })
    }
}

/// Whether there is room for a unit of that name.
fn check_room(tree: &Tree, parent: ParentId, name: &str) -> Result<(), OrganizationsError> {
    if !tree.has_parent(parent) {
        return Err(OrganizationsError::ParentNotFound);
    }
    if tree.units_of(parent).any(|unit| unit.name == name) {
        return Err(OrganizationsError::DuplicateOrganizationalUnit);
    }
    if tree.depth(parent) >= UNIT_DEPTH_MAX {
        let reason =
            format!("You attempted to create an OU tree that is more than {UNIT_DEPTH_MAX} levels deep.");
        return Err(OrganizationsError::ConstraintViolation { reason });
    }
    if tree.units.len() >= UNITS_MAX {
        let reason = format!("An organization has at most {UNITS_MAX} OUs.");
        return Err(OrganizationsError::ConstraintViolation { reason });
    }
    Ok(())
}
