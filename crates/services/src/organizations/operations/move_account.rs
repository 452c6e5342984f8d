//! `MoveAccount`: takes an account from one root or unit to another.

use crate::organizations::organization::Member;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Access, AccessRequest};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::{AccountId, ParentId};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct MoveAccount;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "MoveAccountRequest")]
#[expect(clippy::struct_field_names, reason = "the API calls them so")]
pub(crate) struct MoveAccountInput {
    pub(crate) account_id: String,
    /// Where it is.
    pub(crate) source_parent_id: String,
    /// Where it shall be.
    pub(crate) destination_parent_id: String,
}

impl Operation for MoveAccount {
    const NAME: &'static str = "MoveAccount";
    type Service = Organizations;
    type Input = MoveAccountInput;
    type Output = Empty;
    type Error = OrganizationsError;
    type Target = Move;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: MoveAccountInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = Move {
            account: validate::account(&input.account_id)?,
            from: validate::parent("SourceParentId", &input.source_parent_id)?,
            to: validate::parent("DestinationParentId", &input.destination_parent_id)?,
        };
        let organization = organizations.managed(call)?;
        // The account and both parents must be allowed (Service Authorization Reference, MoveAccount).
        let resources = [
            organization.account_arn(target.account),
            organization.parent_arn(target.from),
            organization.parent_arn(target.to),
        ];
        let request = |arn| AccessRequest::new("organizations:MoveAccount", arn, call.account());
        Ok(Resolved {
            input,
            target,
            access: Access::Needs(resources.map(request).into()),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<Empty, OrganizationsError> {
        let (_, Move { account, from, to }) = granted.into_parts();
        organizations
            .change(call, |tree| {
                let member = tree
                    .members
                    .get(&account)
                    .ok_or(OrganizationsError::AccountNotFound)?;
                if !tree.has_parent(from) || member.parent != from {
                    return Err(OrganizationsError::SourceParentNotFound);
                }
                if !tree.has_parent(to) {
                    return Err(OrganizationsError::DestinationParentNotFound);
                }
                if from == to {
                    return Err(OrganizationsError::DuplicateAccount);
                }
                let member = Member {
                    parent: to,
                    ..member.clone()
                };
                Ok((vec![Stored::Member(tree.organization.id, member)], ()))
            })
            .await?;
        Ok(Empty)
    }
}

/// From where to where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    account: AccountId,
    from: ParentId,
    to: ParentId,
}
