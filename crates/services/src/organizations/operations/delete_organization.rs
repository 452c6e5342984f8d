//! `DeleteOrganization`: only when no other account is in it.

use crate::organizations::access;
use crate::organizations::view::{Stored, Tree};
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Empty;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteOrganization;

impl Operation for DeleteOrganization {
    const NAME: &'static str = "DeleteOrganization";
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
        organizations.managed(call)?;
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:DeleteOrganization", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        // In parts that a commit can hold; an interruption leaves an organization that can be deleted again.
        loop {
            let last = organizations
                .change(call, |tree| {
                    if tree.members.len() > 1 {
                        return Err(OrganizationsError::OrganizationNotEmpty);
                    }
                    Ok(next_part(tree))
                })
                .await?;
            if last {
                return Ok(Empty);
            }
        }
    }
}

/// What is removed at once: less than a commit can hold.
const PART_MAX: usize = 400;

/// What is removed next, and whether that is the end.
fn next_part(tree: &Tree) -> (Vec<Stored>, bool) {
    let id = tree.organization.id;
    let creations = tree
        .creations
        .keys()
        .map(|creation| Stored::NoCreation(id, creation.clone()));
    let units = tree.units.keys().map(|unit| Stored::NoUnit(id, *unit));
    let policies = tree
        .policies
        .keys()
        .map(|policy| Stored::NoPolicy(id, policy.clone()));
    let part: Vec<_> = creations.chain(policies).chain(units).take(PART_MAX).collect();
    if !part.is_empty() {
        return (part, false);
    }
    let members = tree.members.keys().map(|account| Stored::NoMember(id, *account));
    let last = [Stored::NoControls(id), Stored::NoOrganization(id)];
    (members.chain(last).collect(), true)
}
