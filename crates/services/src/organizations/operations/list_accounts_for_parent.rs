//! `ListAccountsForParent`: the accounts directly below a root or unit.

use crate::organizations::access;
use crate::organizations::page::page;
use crate::organizations::shapes::Account;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::ParentId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAccountsForParent;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAccountsForParentRequest")]
pub(crate) struct ListAccountsForParentInput {
    /// A root or unit.
    pub(crate) parent_id: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAccountsForParentResponse")]
pub(crate) struct ListAccountsForParentOutput {
    pub(crate) accounts: Vec<Account>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListAccountsForParent {
    const NAME: &'static str = "ListAccountsForParent";
    type Service = Organizations;
    type Input = ListAccountsForParentInput;
    type Output = ListAccountsForParentOutput;
    type Error = OrganizationsError;
    type Target = ParentId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListAccountsForParentInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::parent("ParentId", &input.parent_id)?;
        let arn = organizations.managed(call)?.parent_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:ListAccountsForParent", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListAccountsForParentOutput, OrganizationsError> {
        let (input, parent) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        if !tree.has_parent(parent) {
            return Err(OrganizationsError::ParentNotFound);
        }
        let all = tree
            .members_of(parent)
            .map(|member| (member.account.to_string(), tree.account(member)));
        let (accounts, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListAccountsForParentOutput { accounts, next_token })
    }
}
