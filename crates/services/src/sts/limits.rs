//! The quotas of STS.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas"; shapes of the STS API (read 2026-11-21).

/// Characters of an access key's id.
pub(super) const ACCESS_KEY_ID_CHARS_MAX: usize = 128;
/// Characters of an access key's id.
pub(super) const ACCESS_KEY_ID_CHARS_MIN: usize = 16;
/// The longest session of a role that was assumed by a session of a role, seconds.
pub(super) const CHAINED_SESSION_SECONDS_MAX: i32 = 3_600;
/// Characters of an external id.
pub(super) const EXTERNAL_ID_CHARS_MAX: usize = 1_224;
/// Managed session policies of a session.
pub(super) const POLICY_ARNS_MAX: usize = 10;
/// Characters of a federated user's name.
pub(super) const FEDERATED_NAME_CHARS_MAX: usize = 32;
/// Length of a session of a user, federated or not, that does not say, seconds.
pub(super) const OWN_SESSION_SECONDS_DEFAULT: i32 = 43_200;
/// The longest session of a user, federated or not, seconds.
pub(super) const OWN_SESSION_SECONDS_MAX: i32 = 129_600;
/// The longest session for which a root user asks, seconds; longer ones are cut.
pub(super) const ROOT_SESSION_SECONDS_MAX: i32 = 3_600;
/// Characters of a role's ARN.
pub(super) const ROLE_ARN_CHARS_MAX: usize = 2_048;
/// Characters of a role's ARN.
pub(super) const ROLE_ARN_CHARS_MIN: usize = 20;
/// Characters of a session's name.
pub(super) const SESSION_NAME_CHARS_MAX: usize = 64;
/// Characters of a session's policies together: the text of the inline one and the ARNs of the managed ones.
pub(super) const SESSION_POLICIES_CHARS_MAX: usize = 2_048;
/// Length of a role's session that does not say, seconds.
pub(super) const SESSION_SECONDS_DEFAULT: i32 = 3_600;
/// The longest session of a role, seconds.
pub(super) const SESSION_SECONDS_MAX: i32 = 43_200;
/// The shortest session, seconds.
pub(super) const SESSION_SECONDS_MIN: i32 = 900;
/// Sessions whose identity is kept at hand, so that tokens need not be opened for every request.
pub(super) const SESSIONS_AT_HAND_MAX: usize = 16_384;
/// Characters of a tag's key.
pub(super) const TAG_KEY_CHARS_MAX: usize = 128;
/// Characters of a tag's value.
pub(super) const TAG_VALUE_CHARS_MAX: usize = 256;
/// Tags of a session.
pub(super) const TAGS_MAX: usize = 50;
/// Characters of a session token that is looked at.
pub(super) const TOKEN_CHARS_MAX: usize = 65_536;
/// Bytes of session policy and tags together, of which `PackedPolicySize` tells the percentage.
pub(super) const PACKED_BYTES_MAX: usize = 24_576;

const _: () =
    assert!(SESSION_SECONDS_MIN < SESSION_SECONDS_DEFAULT && SESSION_SECONDS_DEFAULT < SESSION_SECONDS_MAX);
const _: () = assert!(PACKED_BYTES_MAX < TOKEN_CHARS_MAX);
