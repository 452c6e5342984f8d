//! `ListAccounts`: the accounts of the organization, in order of their ids.

use crate::organizations::access;
use crate::organizations::page::page;
use crate::organizations::shapes::Account;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAccounts;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAccountsRequest")]
pub(crate) struct ListAccountsInput {
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAccountsResponse")]
pub(crate) struct ListAccountsOutput {
    pub(crate) accounts: Vec<Account>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListAccounts {
    const NAME: &'static str = "ListAccounts";
    type Service = Organizations;
    type Input = ListAccountsInput;
    type Output = ListAccountsOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListAccountsInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        organizations.managed(call)?;
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:ListAccounts", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListAccountsOutput, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let all = tree
            .members
            .values()
            .map(|member| (member.account.to_string(), tree.account(member)));
        let (accounts, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListAccountsOutput { accounts, next_token })
    }
}
