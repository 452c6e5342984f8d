//! One file per operation, and the table of them. What is not in the table answers `InvalidAction`.

mod create_access_key;
mod create_role;
mod create_user;
mod delete_access_key;
mod delete_role;
mod delete_role_policy;
mod delete_user;
mod delete_user_policy;
mod get_role;
mod get_role_policy;
mod get_user;
mod get_user_policy;
mod list_access_keys;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
mod list_user_policies;
mod list_user_tags;
mod list_users;
mod put_role_policy;
mod put_user_policy;
mod tag_role;
mod tag_user;
mod untag_role;
mod untag_user;
mod update_access_key;
mod update_assume_role_policy;
mod update_role;
mod update_user;

use bulla_gate::Endpoint;

/// Everything that IAM answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<create_access_key::CreateAccessKey>(),
    Endpoint::of::<create_role::CreateRole>(),
    Endpoint::of::<create_user::CreateUser>(),
    Endpoint::of::<delete_access_key::DeleteAccessKey>(),
    Endpoint::of::<delete_role::DeleteRole>(),
    Endpoint::of::<delete_role_policy::DeleteRolePolicy>(),
    Endpoint::of::<delete_user::DeleteUser>(),
    Endpoint::of::<delete_user_policy::DeleteUserPolicy>(),
    Endpoint::of::<get_role::GetRole>(),
    Endpoint::of::<get_role_policy::GetRolePolicy>(),
    Endpoint::of::<get_user::GetUser>(),
    Endpoint::of::<get_user_policy::GetUserPolicy>(),
    Endpoint::of::<list_access_keys::ListAccessKeys>(),
    Endpoint::of::<list_role_policies::ListRolePolicies>(),
    Endpoint::of::<list_role_tags::ListRoleTags>(),
    Endpoint::of::<list_roles::ListRoles>(),
    Endpoint::of::<list_user_policies::ListUserPolicies>(),
    Endpoint::of::<list_user_tags::ListUserTags>(),
    Endpoint::of::<list_users::ListUsers>(),
    Endpoint::of::<put_role_policy::PutRolePolicy>(),
    Endpoint::of::<put_user_policy::PutUserPolicy>(),
    Endpoint::of::<tag_role::TagRole>(),
    Endpoint::of::<tag_user::TagUser>(),
    Endpoint::of::<untag_role::UntagRole>(),
    Endpoint::of::<untag_user::UntagUser>(),
    Endpoint::of::<update_access_key::UpdateAccessKey>(),
    Endpoint::of::<update_assume_role_policy::UpdateAssumeRolePolicy>(),
    Endpoint::of::<update_role::UpdateRole>(),
    Endpoint::of::<update_user::UpdateUser>(),
];
