//! `RemoveAccountFromOrganization`: the account goes on, outside of the organization.

use crate::organizations::access;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::AccountId;
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct RemoveAccountFromOrganization;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "RemoveAccountFromOrganizationRequest")]
pub(crate) struct RemoveAccountFromOrganizationInput {
    pub(crate) account_id: String,
}

impl Operation for RemoveAccountFromOrganization {
    const NAME: &'static str = "RemoveAccountFromOrganization";
    type Service = Organizations;
    type Input = RemoveAccountFromOrganizationInput;
    type Output = Empty;
    type Error = OrganizationsError;
    type Target = AccountId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: RemoveAccountFromOrganizationInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::account(&input.account_id)?;
        let arn = organizations.managed(call)?.account_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:RemoveAccountFromOrganization", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        let (_, account) = granted.into_parts();
        organizations
            .change(call, |tree| {
                if account == tree.organization.management_account {
                    return Err(OrganizationsError::MasterCannotLeave);
                }
                if !tree.members.contains_key(&account) {
                    return Err(OrganizationsError::AccountNotFound);
                }
                Ok((vec![Stored::NoMember(tree.organization.id, account)], ()))
            })
            .await?;
        Ok(Empty)
    }
}
