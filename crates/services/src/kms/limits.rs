//! Every quota of KMS. Source: KMS Developer Guide, "Quotas", and the API Reference (read 2026-11-21).

use bulla_envelope::{KEY_BYTES, WRAPPED_OVERHEAD_BYTES};
use std::time::Duration;

/// Plaintext of `Encrypt`, bytes; at least one.
pub(super) const PLAINTEXT_BYTES_MAX: usize = 4096;
/// A message that is signed or authenticated, bytes; at least one.
pub(super) const MESSAGE_BYTES_MAX: usize = 4096;

/// A message authentication code or a signature, bytes; at least one.
pub(super) const SIGNATURE_BYTES_MAX: usize = 6144;

/// A public key that `DeriveSharedSecret` gets, bytes; at least one.
pub(super) const PUBLIC_KEY_BYTES_MAX: usize = 8192;

/// RSA key pairs that are made at a time; whoever comes later waits.
pub(super) const RSA_GENERATIONS_MAX: usize = 2;

/// Ciphertext of `Decrypt`, bytes; at least one.
pub(super) const CIPHERTEXT_BYTES_MAX: usize = 6144;
/// A data key that is asked for by its length, bytes; at least one.
pub(super) const DATA_KEY_BYTES_MAX: i32 = 1024;
/// Random bytes of one `GenerateRandom`; at least one.
pub(super) const RANDOM_BYTES_MAX: i32 = 1024;
/// An encryption context, bytes of all keys and values together.
///
/// Source: KMS Developer Guide, "Encryption context": 8,192 characters after serialization; counted here without quotes.
pub(super) const ENCRYPTION_CONTEXT_BYTES_MAX: usize = 8192;
/// A key policy, bytes.
pub(super) const POLICY_BYTES_MAX: usize = 32_768;
/// A key's description, characters.
pub(super) const DESCRIPTION_CHARS_MAX: usize = 8192;
/// Whatever names a key: id, ARN, alias or alias ARN, characters; at least one.
pub(super) const KEY_REFERENCE_CHARS_MAX: usize = 2048;
/// An alias with its prefix `alias/`, characters.
pub(super) const ALIAS_CHARS_MAX: usize = 256;
/// Aliases of one key.
pub(super) const ALIASES_PER_KEY_MAX: usize = 50;
/// Days that imported material may be valid.
pub(super) const IMPORT_VALID_DAYS_MAX: u32 = 365;
/// How long an import token is good for.
pub(super) const IMPORT_TOKEN_LIFETIME: Duration = Duration::from_hours(24);
/// An import token, bytes; at least one.
pub(super) const IMPORT_TOKEN_BYTES_MAX: usize = 6144;
/// Key material on its way in, encrypted, bytes; at least one.
pub(super) const IMPORTED_MATERIAL_BYTES_MAX: usize = 6144;
/// The description of imported material, characters.
pub(super) const MATERIAL_DESCRIPTION_CHARS_MAX: usize = 256;
/// Keys of one multi-Region key: they are changed in one commit, which holds 8 MiB.
pub(super) const RELATED_KEYS_MAX: usize = 25;
/// Keys of one account in one region.
pub(super) const KEYS_PER_REGION_MAX: usize = 100_000;
/// Tags of one key.
pub(super) const TAGS_MAX: usize = 50;
/// A tag's key, characters; at least one.
pub(super) const TAG_KEY_CHARS_MAX: usize = 128;
/// A tag's value, characters.
pub(super) const TAG_VALUE_CHARS_MAX: usize = 256;
/// Grant tokens of one request.
pub(super) const GRANT_TOKENS_MAX: usize = 10;
/// A grant token, characters; at least one.
pub(super) const GRANT_TOKEN_CHARS_MAX: usize = 8192;
/// Grants on one key.
pub(super) const GRANTS_PER_KEY_MAX: usize = 50_000;
/// A grant's name, characters; at least one.
pub(super) const GRANT_NAME_CHARS_MAX: usize = 256;
/// The ARN of a grantee or retiring principal, characters; at least one.
pub(super) const PRINCIPAL_CHARS_MAX: usize = 256;
/// Pairs in the constraint of a grant.
pub(super) const GRANT_CONSTRAINT_PAIRS_MAX: usize = 8;
/// The constraint of a grant, characters of all keys and values.
pub(super) const GRANT_CONSTRAINT_CHARS_MAX: usize = 384;
/// Records that one commit deletes; the storage takes 500.
pub(super) const RECORDS_PER_COMMIT_MAX: usize = 400;
/// Shortest time between two automatic rotations, days.
pub(super) const ROTATION_PERIOD_DAYS_MIN: i32 = 90;
/// Longest time between two automatic rotations, days.
pub(super) const ROTATION_PERIOD_DAYS_MAX: i32 = 2560;
/// That time when the request does not say, days.
pub(super) const ROTATION_PERIOD_DAYS_DEFAULT: i32 = 365;
/// Time between two rotations of a key that AWS manages, days: a year.
pub(super) const MANAGED_ROTATION_DAYS: u32 = 365;
/// Rotations on demand of one key.
pub(super) const ROTATIONS_ON_DEMAND_MAX: usize = 25;
/// Shortest time between scheduling a deletion and deleting, days.
pub(super) const DELETION_WINDOW_DAYS_MIN: i32 = 7;
/// Longest time between scheduling a deletion and deleting, days.
pub(super) const DELETION_WINDOW_DAYS_MAX: i32 = 30;
/// That time when the request does not say, days.
pub(super) const DELETION_WINDOW_DAYS_DEFAULT: i32 = 30;
/// A page of `ListKeys`, `ListKeyPolicies` and `ListKeyRotations`, items, when the request does not say and at most.
pub(super) const KEYS_PAGE: PageLimits = PageLimits {
    default: 100,
    max: 1000,
};
/// A page of `ListAliases`.
pub(super) const ALIASES_PAGE: PageLimits = PageLimits {
    default: 50,
    max: 100,
};
/// A page of `ListGrants` and `ListRetirableGrants`.
pub(super) const GRANTS_PAGE: PageLimits = PageLimits {
    default: 50,
    max: 1000,
};
/// A page of `ListResourceTags`.
pub(super) const TAGS_PAGE: PageLimits = PageLimits { default: 50, max: 50 };
/// A marker of a page, characters.
pub(super) const MARKER_CHARS_MAX: usize = 1024;
/// How often the material of keys whose time has come is destroyed. A key is refused from its deletion date on,
/// whenever that is.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How many items a page has.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageLimits {
    /// When the request does not say.
    pub(super) default: i32,
    /// At most.
    pub(super) max: i32,
}

const _: () = assert!(
    PLAINTEXT_BYTES_MAX + WRAPPED_OVERHEAD_BYTES + super::ciphertext::HEADER_BYTES <= CIPHERTEXT_BYTES_MAX
);
const _: () = assert!(KEY_BYTES <= PLAINTEXT_BYTES_MAX);
const _: () = assert!(DELETION_WINDOW_DAYS_MIN <= DELETION_WINDOW_DAYS_MAX);
