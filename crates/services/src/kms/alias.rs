//! Aliases: friendly names of keys, unique in an account and region.
//!
//! Why an alias lives in its key's record: it has no meaning without the key, goes when the key goes, and a key's
//! condition keys (`kms:ResourceAliases`) list all of them.

use super::errors::KmsError;
use super::limits::ALIAS_CHARS_MAX;
use super::validate::length;
use bulla_types::Timestamp;
use std::sync::Arc;

/// Every alias begins so.
pub(super) const PREFIX: &str = "alias/";
/// Aliases of keys that AWS services manage.
pub(super) const RESERVED: &str = "alias/aws/";

/// An alias of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    /// With its prefix.
    pub(super) name: Arc<str>,
    /// When it was created.
    pub(super) created: Timestamp,
    /// When it was last pointed to a key.
    pub(super) updated: Timestamp,
}

/// Whether a text can be an alias at all.
///
/// Source: KMS API Reference, `CreateAlias` (read 2026-11-21).
pub(super) fn check_name(name: &str) -> Result<(), KmsError> {
    length(name, "aliasName", 1, ALIAS_CHARS_MAX)?;
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return Err(KmsError::Validation {
            reason: "Alias must start with the prefix \"alias/\".".to_owned(),
        });
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    if rest.is_empty() || !rest.bytes().all(allowed) {
        return Err(KmsError::InvalidAliasName {
            reason: "An alias is alias/ followed by alphanumeric characters, forward slashes, underscores and dashes",
        });
    }
    Ok(())
}

/// Whether an alias may be made, moved or deleted by a customer.
pub(super) fn check_not_reserved(name: &str) -> Result<(), KmsError> {
    check_name(name)?;
    if name.starts_with(RESERVED) {
        return Err(KmsError::InvalidAliasName {
            reason: "Aliases that begin with alias/aws/ are reserved",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check_name, check_not_reserved};

    #[test]
    fn an_alias_has_its_prefix_and_plain_characters() {
        for name in ["alias/orders", "alias/team/Orders_2-b", "alias/aws/sqs"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "orders",
            "alias/",
            "alias/a b",
            "alias/ü",
            "ALIAS/x",
            &format!("alias/{}", "x".repeat(251)),
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_aliases_of_services_are_reserved() {
        assert!(check_not_reserved("alias/aws/sqs").is_err());
        assert!(check_not_reserved("alias/awesome").is_ok());
    }
}
