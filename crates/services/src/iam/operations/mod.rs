//! One file per operation, and the table of them. What AWS has beyond the table answers `UnsupportedOperation`.

mod add_user_to_group;
mod attach_group_policy;
mod attach_role_policy;
mod attach_user_policy;
mod create_access_key;
mod create_account_alias;
mod create_group;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_service_linked_role;
mod create_user;
mod delete_access_key;
mod delete_account_alias;
mod delete_group;
mod delete_group_policy;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_role_permissions_boundary;
mod delete_role_policy;
mod delete_service_linked_role;
mod delete_user;
mod delete_user_permissions_boundary;
mod delete_user_policy;
mod detach_group_policy;
mod detach_role_policy;
mod detach_user_policy;
mod get_access_key_last_used;
mod get_account_authorization_details;
mod get_account_summary;
mod get_context_keys_for_custom_policy;
mod get_context_keys_for_principal_policy;
mod get_group;
mod get_group_policy;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_role_policy;
mod get_service_linked_role_deletion_status;
mod get_user;
mod get_user_policy;
mod list_access_keys;
mod list_account_aliases;
mod list_attached_group_policies;
mod list_attached_role_policies;
mod list_attached_user_policies;
mod list_entities_for_policy;
mod list_group_policies;
mod list_groups;
mod list_groups_for_user;
mod list_instance_profiles_for_role;
mod list_policies;
mod list_policy_tags;
mod list_policy_versions;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
mod list_user_policies;
mod list_user_tags;
mod list_users;
mod put_group_policy;
mod put_role_permissions_boundary;
mod put_role_policy;
mod put_user_permissions_boundary;
mod put_user_policy;
mod remove_user_from_group;
mod set_default_policy_version;
mod simulate_custom_policy;
mod simulate_principal_policy;
mod tag_policy;
mod tag_role;
mod tag_user;
mod untag_policy;
mod untag_role;
mod untag_user;
mod update_access_key;
mod update_assume_role_policy;
mod update_group;
mod update_role;
mod update_role_description;
mod update_user;

use bulla_gate::Endpoint;

/// Everything that IAM answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<add_user_to_group::AddUserToGroup>(),
    Endpoint::of::<attach_group_policy::AttachGroupPolicy>(),
    Endpoint::of::<attach_role_policy::AttachRolePolicy>(),
    Endpoint::of::<attach_user_policy::AttachUserPolicy>(),
    Endpoint::of::<create_access_key::CreateAccessKey>(),
    Endpoint::of::<create_account_alias::CreateAccountAlias>(),
    Endpoint::of::<create_group::CreateGroup>(),
    Endpoint::of::<create_policy::CreatePolicy>(),
    Endpoint::of::<create_policy_version::CreatePolicyVersion>(),
    Endpoint::of::<create_role::CreateRole>(),
    Endpoint::of::<create_service_linked_role::CreateServiceLinkedRole>(),
    Endpoint::of::<create_user::CreateUser>(),
    Endpoint::of::<delete_access_key::DeleteAccessKey>(),
    Endpoint::of::<delete_account_alias::DeleteAccountAlias>(),
    Endpoint::of::<delete_group::DeleteGroup>(),
    Endpoint::of::<delete_group_policy::DeleteGroupPolicy>(),
    Endpoint::of::<delete_policy::DeletePolicy>(),
    Endpoint::of::<delete_policy_version::DeletePolicyVersion>(),
    Endpoint::of::<delete_role::DeleteRole>(),
    Endpoint::of::<delete_role_permissions_boundary::DeleteRolePermissionsBoundary>(),
    Endpoint::of::<delete_role_policy::DeleteRolePolicy>(),
    Endpoint::of::<delete_service_linked_role::DeleteServiceLinkedRole>(),
    Endpoint::of::<delete_user::DeleteUser>(),
    Endpoint::of::<delete_user_permissions_boundary::DeleteUserPermissionsBoundary>(),
    Endpoint::of::<delete_user_policy::DeleteUserPolicy>(),
    Endpoint::of::<detach_group_policy::DetachGroupPolicy>(),
    Endpoint::of::<detach_role_policy::DetachRolePolicy>(),
    Endpoint::of::<detach_user_policy::DetachUserPolicy>(),
    Endpoint::of::<get_access_key_last_used::GetAccessKeyLastUsed>(),
    Endpoint::of::<get_account_authorization_details::GetAccountAuthorizationDetails>(),
    Endpoint::of::<get_account_summary::GetAccountSummary>(),
    Endpoint::of::<get_context_keys_for_custom_policy::GetContextKeysForCustomPolicy>(),
    Endpoint::of::<get_context_keys_for_principal_policy::GetContextKeysForPrincipalPolicy>(),
    Endpoint::of::<get_group::GetGroup>(),
    Endpoint::of::<get_group_policy::GetGroupPolicy>(),
    Endpoint::of::<get_policy::GetPolicy>(),
    Endpoint::of::<get_policy_version::GetPolicyVersion>(),
    Endpoint::of::<get_role::GetRole>(),
    Endpoint::of::<get_role_policy::GetRolePolicy>(),
    Endpoint::of::<get_service_linked_role_deletion_status::GetServiceLinkedRoleDeletionStatus>(),
    Endpoint::of::<get_user::GetUser>(),
    Endpoint::of::<get_user_policy::GetUserPolicy>(),
    Endpoint::of::<list_access_keys::ListAccessKeys>(),
    Endpoint::of::<list_account_aliases::ListAccountAliases>(),
    Endpoint::of::<list_attached_group_policies::ListAttachedGroupPolicies>(),
    Endpoint::of::<list_attached_role_policies::ListAttachedRolePolicies>(),
    Endpoint::of::<list_attached_user_policies::ListAttachedUserPolicies>(),
    Endpoint::of::<list_entities_for_policy::ListEntitiesForPolicy>(),
    Endpoint::of::<list_group_policies::ListGroupPolicies>(),
    Endpoint::of::<list_groups::ListGroups>(),
    Endpoint::of::<list_groups_for_user::ListGroupsForUser>(),
    Endpoint::of::<list_instance_profiles_for_role::ListInstanceProfilesForRole>(),
    Endpoint::of::<list_policies::ListPolicies>(),
    Endpoint::of::<list_policy_tags::ListPolicyTags>(),
    Endpoint::of::<list_policy_versions::ListPolicyVersions>(),
    Endpoint::of::<list_role_policies::ListRolePolicies>(),
    Endpoint::of::<list_role_tags::ListRoleTags>(),
    Endpoint::of::<list_roles::ListRoles>(),
    Endpoint::of::<list_user_policies::ListUserPolicies>(),
    Endpoint::of::<list_user_tags::ListUserTags>(),
    Endpoint::of::<list_users::ListUsers>(),
    Endpoint::of::<put_group_policy::PutGroupPolicy>(),
    Endpoint::of::<put_role_permissions_boundary::PutRolePermissionsBoundary>(),
    Endpoint::of::<put_role_policy::PutRolePolicy>(),
    Endpoint::of::<put_user_permissions_boundary::PutUserPermissionsBoundary>(),
    Endpoint::of::<put_user_policy::PutUserPolicy>(),
    Endpoint::of::<remove_user_from_group::RemoveUserFromGroup>(),
    Endpoint::of::<set_default_policy_version::SetDefaultPolicyVersion>(),
    Endpoint::of::<simulate_custom_policy::SimulateCustomPolicy>(),
    Endpoint::of::<simulate_principal_policy::SimulatePrincipalPolicy>(),
    Endpoint::of::<tag_policy::TagPolicy>(),
    Endpoint::of::<tag_role::TagRole>(),
    Endpoint::of::<tag_user::TagUser>(),
    Endpoint::of::<untag_policy::UntagPolicy>(),
    Endpoint::of::<untag_role::UntagRole>(),
    Endpoint::of::<untag_user::UntagUser>(),
    Endpoint::of::<update_access_key::UpdateAccessKey>(),
    Endpoint::of::<update_assume_role_policy::UpdateAssumeRolePolicy>(),
    Endpoint::of::<update_group::UpdateGroup>(),
    Endpoint::of::<update_role::UpdateRole>(),
    Endpoint::of::<update_role_description::UpdateRoleDescription>(),
    Endpoint::of::<update_user::UpdateUser>(),
];
