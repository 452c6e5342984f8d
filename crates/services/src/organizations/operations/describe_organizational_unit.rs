//! `DescribeOrganizationalUnit`: what is known of a unit.

use crate::organizations::access;
use crate::organizations::shapes::OrganizationalUnit;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::OrganizationalUnitId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeOrganizationalUnit;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribeOrganizationalUnitRequest")]
pub(crate) struct DescribeOrganizationalUnitInput {
    pub(crate) organizational_unit_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeOrganizationalUnitResponse")]
pub(crate) struct DescribeOrganizationalUnitOutput {
    pub(crate) organizational_unit: Option<OrganizationalUnit>,
}

impl Operation for DescribeOrganizationalUnit {
    const NAME: &'static str = "DescribeOrganizationalUnit";
    type Service = Organizations;
    type Input = DescribeOrganizationalUnitInput;
    type Output = DescribeOrganizationalUnitOutput;
    type Error = OrganizationsError;
    type Target = OrganizationalUnitId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DescribeOrganizationalUnitInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::unit(&input.organizational_unit_id)?;
        let arn = organizations.managed(call)?.unit_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:DescribeOrganizationalUnit", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DescribeOrganizationalUnitOutput, OrganizationsError> {
        let (_, id) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let unit = tree
            .units
            .get(&id)
            .ok_or(OrganizationsError::OrganizationalUnitNotFound)?;
        Ok(DescribeOrganizationalUnitOutput {
            organizational_unit: Some(tree.unit(unit)),
        })
    }
}
