//! `DeleteOrganizationalUnit`: only when neither accounts nor units are in it.

use crate::organizations::access;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::{OrganizationalUnitId, ParentId};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteOrganizationalUnit;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteOrganizationalUnitRequest")]
pub(crate) struct DeleteOrganizationalUnitInput {
    pub(crate) organizational_unit_id: String,
}

impl Operation for DeleteOrganizationalUnit {
    const NAME: &'static str = "DeleteOrganizationalUnit";
    type Service = Organizations;
    type Input = DeleteOrganizationalUnitInput;
    type Output = Empty;
    type Error = OrganizationsError;
    type Target = OrganizationalUnitId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DeleteOrganizationalUnitInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::unit(&input.organizational_unit_id)?;
        let arn = organizations.managed(call)?.unit_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:DeleteOrganizationalUnit", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        let (_, id) = granted.into_parts();
        organizations
            .change(call, |tree| {
                if !tree.units.contains_key(&id) {
                    return Err(OrganizationsError::OrganizationalUnitNotFound);
                }
                let own = ParentId::Unit(id);
                if tree.units_of(own).next().is_some() || tree.members_of(own).next().is_some() {
                    return Err(OrganizationsError::OrganizationalUnitNotEmpty);
                }
                Ok((vec![Stored::NoUnit(tree.organization.id, id)], ()))
            })
            .await?;
        Ok(Empty)
    }
}
