//! `DescribeAccount`: what is known of an account of the organization.

use crate::organizations::access;
use crate::organizations::shapes::Account;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::AccountId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeAccount;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribeAccountRequest")]
pub(crate) struct DescribeAccountInput {
    pub(crate) account_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeAccountResponse")]
pub(crate) struct DescribeAccountOutput {
    pub(crate) account: Option<Account>,
}

impl Operation for DescribeAccount {
    const NAME: &'static str = "DescribeAccount";
    type Service = Organizations;
    type Input = DescribeAccountInput;
    type Output = DescribeAccountOutput;
    type Error = OrganizationsError;
    type Target = AccountId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DescribeAccountInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::account(&input.account_id)?;
        let arn = organizations.managed(call)?.account_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:DescribeAccount", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DescribeAccountOutput, OrganizationsError> {
        let (_, account) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let member = tree
            .members
            .get(&account)
            .ok_or(OrganizationsError::AccountNotFound)?;
        Ok(DescribeAccountOutput {
            account: Some(tree.account(member)),
        })
    }
}
