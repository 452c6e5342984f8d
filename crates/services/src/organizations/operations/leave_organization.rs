//! `LeaveOrganization`: the caller's account goes on, outside of the organization.

use crate::organizations::access;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Empty;

/// The operation.
#[derive(Debug)]
pub(crate) struct LeaveOrganization;

impl Operation for LeaveOrganization {
    const NAME: &'static str = "LeaveOrganization";
    type Service = Organizations;
    type Input = Empty;
    type Output = Empty;
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
            access: access("organizations:LeaveOrganization", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        let account = call.account();
        let manager = organizations.view().of(account)?.organization.management_account;
        if manager == account {
            return Err(OrganizationsError::MasterCannotLeave);
        }
        organizations
            .write(manager, |view| {
                let tree = view.of(account)?;
                Ok((vec![Stored::NoMember(tree.organization.id, account)], ()))
            })
            .await?;
        call.authorization_changed();
        Ok(Empty)
    }
}
