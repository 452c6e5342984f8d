//! The four ways to name a key: key id, key ARN, alias name, alias ARN.
//!
//! A name without an account means the caller's; a key of another account is reached by an ARN only. Source: KMS
//! Developer Guide, "Key identifiers" (read 2026-11-21).

use super::alias::{self, PREFIX};
use super::errors::KmsError;
use super::limits::KEY_REFERENCE_CHARS_MAX;
use super::validate::length;
use bulla_types::{AccountId, Arn, KeyId, Region};
use std::sync::Arc;

/// What a request calls a key, parsed; whether such a key exists is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A key of an account.
    Key(AccountId, KeyId),
    /// An alias of an account, with its prefix.
    Alias(AccountId, String),
}

impl Reference {
    /// Parses any of the four forms. `member` is what the request calls it: `keyId`, `targetKeyId`.
    pub(super) fn parse(
        text: &str,
        member: &'static str,
        account: AccountId,
        region: Region,
    ) -> Result<Self, KmsError> {
        length(text, member, 1, KEY_REFERENCE_CHARS_MAX)?;
        if text.starts_with("arn:") {
            return Self::parse_arn(text, region);
        }
        Self::parse_resource(text, text, account)
    }

    /// As [`Reference::parse`], for operations that take no alias.
    pub(super) fn parse_key(
        text: &str,
        member: &'static str,
        account: AccountId,
        region: Region,
    ) -> Result<(AccountId, KeyId), KmsError> {
        match Self::parse(text, member, account, region)? {
            Self::Key(account, id) => Ok((account, id)),
            Self::Alias(..) => Err(KmsError::InvalidKeyId {
                text: text.to_owned(),
            }),
        }
    }

    fn parse_arn(text: &str, region: Region) -> Result<Self, KmsError> {
        let invalid = || KmsError::InvalidArn {
            text: text.to_owned(),
        };
        let arn = Arn::parse(text).map_err(|_| invalid())?;
        if arn.service() != "kms" || arn.partition() != "aws" {
            return Err(invalid());
        }
        let account = arn.account_id().ok_or_else(invalid)?;
        if arn.region() != region.as_str() {
            return Err(KmsError::OtherRegion {
                region: arn.region().to_owned(),
            });
        }
        match arn.resource().strip_prefix("key/") {
            Some(id) => Self::parse_resource(id, text, account),
            None if arn.resource().starts_with(PREFIX) => Self::parse_resource(arn.resource(), text, account),
            None => Err(invalid()),
        }
    }

    fn parse_resource(resource: &str, whole: &str, account: AccountId) -> Result<Self, KmsError> {
        if resource.starts_with(PREFIX) {
            alias::check_name(resource)?;
            return Ok(Self::Alias(account, resource.to_owned()));
        }
        KeyId::parse(resource)
            .map(|id| Self::Key(account, id))
            .map_err(|_| KmsError::InvalidKeyId {
                text: whole.to_owned(),
            })
    }
}

/// The ARN of a key.
pub(super) fn key_arn(region: Region, account: AccountId, id: KeyId) -> Arc<str> {
    format!("arn:aws:kms:{region}:{account}:key/{id}").into()
}

/// The ARN of an alias; `name` has its prefix.
pub(super) fn alias_arn(region: Region, account: AccountId, name: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{name}")
}

#[cfg(test)]
mod tests {
    use super::{Reference, alias_arn, key_arn};
    use crate::kms::errors::KmsError;
    use bulla_types::{AccountId, KeyId, Region};
    use proptest::prelude::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn own() -> AccountId {
        AccountId::parse("111122223333").unwrap()
    }

    fn other() -> AccountId {
        AccountId::parse("444455556666").unwrap()
    }

    fn here() -> Region {
        Region::parse("eu-west-1").unwrap()
    }

    fn parse(text: &str) -> Result<Reference, KmsError> {
        Reference::parse(text, "keyId", own(), here())
    }

    #[test]
    fn names_without_an_account_are_the_callers() {
        assert_eq!(parse(ID), Ok(Reference::Key(own(), KeyId::parse(ID).unwrap())));
        assert_eq!(
            parse("alias/orders"),
            Ok(Reference::Alias(own(), "alias/orders".into()))
        );
    }

    #[test]
    fn arns_name_their_account() {
        let id = KeyId::parse(ID).unwrap();
        assert_eq!(
            parse(&key_arn(here(), other(), id)),
            Ok(Reference::Key(other(), id))
        );
        let alias = alias_arn(here(), other(), "alias/orders");
        assert_eq!(
            parse(&alias),
            Ok(Reference::Alias(other(), "alias/orders".into()))
        );
    }

    #[test]
    fn an_arn_of_another_region_is_not_found_here() {
        let text = format!("arn:aws:kms:us-west-2:111122223333:key/{ID}");
        assert_eq!(
            parse(&text),
            Err(KmsError::OtherRegion {
                region: "us-west-2".into()
            })
        );
    }

    #[test]
    fn other_texts_name_no_key() {
        assert!(matches!(parse("garbage"), Err(KmsError::InvalidKeyId { .. })));
        assert!(matches!(parse(""), Err(KmsError::Validation { .. })));
        assert!(matches!(
            parse(&"x".repeat(2049)),
            Err(KmsError::Validation { .. })
        ));
        for text in [
            "arn:aws:sqs:eu-west-1:111122223333:q",
            "arn:aws:kms:eu-west-1:1:key/x",
            "arn:",
            "arn:aws:kms",
        ] {
            assert!(matches!(parse(text), Err(KmsError::InvalidArn { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,60}|arn:aws:kms:eu-west-1:[0-9]{12}:[a-z/0-9]{0,50}|alias/.{0,20}") {
            drop(parse(&text));
        }
    }
}
