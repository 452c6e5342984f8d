//! One file per operation, and the table of them. What is not in the table answers `UnknownOperationException`.

mod create_account;
mod create_organization;
mod create_organizational_unit;
mod delete_organization;
mod delete_organizational_unit;
mod describe_account;
mod describe_create_account_status;
mod describe_organization;
mod describe_organizational_unit;
mod leave_organization;
mod list_accounts;
mod list_accounts_for_parent;
mod list_children;
mod list_create_account_status;
mod list_organizational_units_for_parent;
mod list_parents;
mod list_roots;
mod move_account;
mod remove_account_from_organization;
mod update_organizational_unit;

use bulla_gate::Endpoint;

/// Everything that Organizations answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<create_account::CreateAccount>(),
    Endpoint::of::<create_organization::CreateOrganization>(),
    Endpoint::of::<create_organizational_unit::CreateOrganizationalUnit>(),
    Endpoint::of::<delete_organization::DeleteOrganization>(),
    Endpoint::of::<delete_organizational_unit::DeleteOrganizationalUnit>(),
    Endpoint::of::<describe_account::DescribeAccount>(),
    Endpoint::of::<describe_create_account_status::DescribeCreateAccountStatus>(),
    Endpoint::of::<describe_organization::DescribeOrganization>(),
    Endpoint::of::<describe_organizational_unit::DescribeOrganizationalUnit>(),
    Endpoint::of::<leave_organization::LeaveOrganization>(),
    Endpoint::of::<list_accounts::ListAccounts>(),
    Endpoint::of::<list_accounts_for_parent::ListAccountsForParent>(),
    Endpoint::of::<list_children::ListChildren>(),
    Endpoint::of::<list_create_account_status::ListCreateAccountStatus>(),
    Endpoint::of::<list_organizational_units_for_parent::ListOrganizationalUnitsForParent>(),
    Endpoint::of::<list_parents::ListParents>(),
    Endpoint::of::<list_roots::ListRoots>(),
    Endpoint::of::<move_account::MoveAccount>(),
    Endpoint::of::<remove_account_from_organization::RemoveAccountFromOrganization>(),
    Endpoint::of::<update_organizational_unit::UpdateOrganizationalUnit>(),
];
