//! `DescribeOrganization`: the organization of the caller's account, for every account in it.

use crate::organizations::access;
use crate::organizations::shapes::OrganizationShape;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeOrganization;

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeOrganizationResponse")]
pub(crate) struct DescribeOrganizationOutput {
    pub(crate) organization: Option<OrganizationShape>,
}

impl Operation for DescribeOrganization {
    const NAME: &'static str = "DescribeOrganization";
    type Service = Organizations;
    type Input = Empty;
    type Output = DescribeOrganizationOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: Empty,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        organizations.view().of(call.account())?;
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:DescribeOrganization", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<DescribeOrganizationOutput, OrganizationsError> {
        let organization = organizations.view().of(call.account())?.described();
        Ok(DescribeOrganizationOutput {
            organization: Some(organization),
        })
    }
}
