//! One file per operation, and the table of them. What is not in the table answers `UnknownOperationException`.

mod attach_policy;
mod create_account;
mod create_organization;
mod create_organizational_unit;
mod create_policy;
mod delete_organization;
mod delete_organizational_unit;
mod delete_policy;
mod describe_account;
mod describe_create_account_status;
mod describe_effective_policy;
mod describe_organization;
mod describe_organizational_unit;
mod describe_policy;
mod detach_policy;
mod disable_policy_type;
mod enable_policy_type;
mod leave_organization;
mod list_accounts;
mod list_accounts_for_parent;
mod list_children;
mod list_create_account_status;
mod list_organizational_units_for_parent;
mod list_parents;
mod list_policies;
mod list_policies_for_target;
mod list_roots;
mod list_targets_for_policy;
mod move_account;
mod remove_account_from_organization;
mod update_organizational_unit;
mod update_policy;

use bulla_gate::Endpoint;

/// Everything that Organizations answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<attach_policy::AttachPolicy>(),
    Endpoint::of::<create_account::CreateAccount>(),
    Endpoint::of::<create_organization::CreateOrganization>(),
    Endpoint::of::<create_organizational_unit::CreateOrganizationalUnit>(),
    Endpoint::of::<create_policy::CreatePolicy>(),
    Endpoint::of::<delete_organization::DeleteOrganization>(),
    Endpoint::of::<delete_organizational_unit::DeleteOrganizationalUnit>(),
    Endpoint::of::<delete_policy::DeletePolicy>(),
    Endpoint::of::<describe_account::DescribeAccount>(),
    Endpoint::of::<describe_create_account_status::DescribeCreateAccountStatus>(),
    Endpoint::of::<describe_effective_policy::DescribeEffectivePolicy>(),
    Endpoint::of::<describe_organization::DescribeOrganization>(),
    Endpoint::of::<describe_organizational_unit::DescribeOrganizationalUnit>(),
    Endpoint::of::<describe_policy::DescribePolicy>(),
    Endpoint::of::<detach_policy::DetachPolicy>(),
    Endpoint::of::<disable_policy_type::DisablePolicyType>(),
    Endpoint::of::<enable_policy_type::EnablePolicyType>(),
    Endpoint::of::<leave_organization::LeaveOrganization>(),
    Endpoint::of::<list_accounts::ListAccounts>(),
    Endpoint::of::<list_accounts_for_parent::ListAccountsForParent>(),
    Endpoint::of::<list_children::ListChildren>(),
    Endpoint::of::<list_create_account_status::ListCreateAccountStatus>(),
    Endpoint::of::<list_organizational_units_for_parent::ListOrganizationalUnitsForParent>(),
    Endpoint::of::<list_parents::ListParents>(),
    Endpoint::of::<list_policies::ListPolicies>(),
    Endpoint::of::<list_policies_for_target::ListPoliciesForTarget>(),
    Endpoint::of::<list_roots::ListRoots>(),
    Endpoint::of::<list_targets_for_policy::ListTargetsForPolicy>(),
    Endpoint::of::<move_account::MoveAccount>(),
    Endpoint::of::<remove_account_from_organization::RemoveAccountFromOrganization>(),
    Endpoint::of::<update_organizational_unit::UpdateOrganizationalUnit>(),
    Endpoint::of::<update_policy::UpdatePolicy>(),
];
