//! The quotas of IAM.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas"; shapes of the IAM API (read 2026-11-21). Sizes of policies do not
//! count white space; those of a single document are checked by the policy language.

/// Characters of an access key's id.
pub(super) const ACCESS_KEY_ID_CHARS_MAX: usize = 128;
/// Characters of an access key's id.
pub(super) const ACCESS_KEY_ID_CHARS_MIN: usize = 16;
/// Access keys of a user, and of the root user.
pub(super) const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// Characters of an account's alias.
pub(super) const ALIAS_CHARS_MAX: usize = 63;
/// Characters of an account's alias.
pub(super) const ALIAS_CHARS_MIN: usize = 3;
/// Managed policies attached to a user, group or role.
pub(super) const ATTACHED_POLICIES_MAX: usize = 10;
/// Characters of a role's or policy's description.
pub(super) const DESCRIPTION_CHARS_MAX: usize = 1000;
/// Characters of a group's name.
pub(super) const GROUP_NAME_CHARS_MAX: usize = 128;
/// Characters of all inline policies of a group.
pub(super) const GROUP_POLICIES_CHARS_MAX: usize = 5_120;
/// Groups of an account.
pub(super) const GROUPS_PER_ACCOUNT_MAX: usize = 300;
/// Groups that a user is in.
pub(super) const GROUPS_PER_USER_MAX: usize = 10;
/// Items of a page.
pub(super) const PAGE_ITEMS_MAX: i32 = 1000;
/// Items of a page where the request does not say.
pub(super) const PAGE_ITEMS_DEFAULT: i32 = 100;
/// Characters of a path, both slashes counted.
pub(super) const PATH_CHARS_MAX: usize = 512;
/// Managed policies of an account.
pub(super) const POLICIES_PER_ACCOUNT_MAX: usize = 1_500;
/// Characters of a managed policy's ARN.
pub(super) const POLICY_ARN_CHARS_MAX: usize = 2_048;
/// Characters of a managed policy's ARN.
pub(super) const POLICY_ARN_CHARS_MIN: usize = 20;
/// Characters of a policy's name.
pub(super) const POLICY_NAME_CHARS_MAX: usize = 128;
/// Characters of a policy document as it is sent, white space counted.
pub(super) const POLICY_SENT_CHARS_MAX: usize = 131_072;
/// Versions of a managed policy.
pub(super) const POLICY_VERSIONS_MAX: usize = 5;
/// Characters of all inline policies of a role.
pub(super) const ROLE_POLICIES_CHARS_MAX: usize = 10_240;
/// Roles of an account.
pub(super) const ROLES_PER_ACCOUNT_MAX: usize = 1_000;
/// The longest session that a role can permit, seconds.
pub(super) const SESSION_SECONDS_MAX: i32 = 43_200;
/// The shortest maximum that a role can have, and its default, seconds.
pub(super) const SESSION_SECONDS_DEFAULT: i32 = 3_600;
/// Characters of a tag's key.
pub(super) const TAG_KEY_CHARS_MAX: usize = 128;
/// Characters of a tag's value.
pub(super) const TAG_VALUE_CHARS_MAX: usize = 256;
/// Tags of a user or role.
pub(super) const TAGS_MAX: usize = 50;
/// Characters of a user's or role's name.
pub(super) const NAME_CHARS_MAX: usize = 64;
/// Characters of a user's name in requests about one that exists: federated names are longer.
pub(super) const EXISTING_NAME_CHARS_MAX: usize = 128;
/// Characters of all inline policies of a user.
pub(super) const USER_POLICIES_CHARS_MAX: usize = 2_048;
/// Users of an account.
pub(super) const USERS_PER_ACCOUNT_MAX: usize = 5_000;

const _: () = assert!(ROLE_POLICIES_CHARS_MAX < POLICY_SENT_CHARS_MAX);
const _: () = assert!(SESSION_SECONDS_DEFAULT < SESSION_SECONDS_MAX);
