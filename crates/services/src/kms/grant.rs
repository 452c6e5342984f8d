//! A grant: a permission on one key for one principal, which ends when it is retired or revoked.
//!
//! The policy engine decides with the compiled form; what is here is what clients see and what is stored. Grants bind from
//! the answer of `CreateGrant` on, so that a grant token is never needed; one that is given is still checked.

use super::errors::KmsError;
use super::kind::{KeyKind, KeyUsage};
use bulla_envelope::{SecretKey, encode_parts, unwrap, wrap};
use bulla_policy::GrantConstraint;
use bulla_runtime::Entropy;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use std::sync::Arc;

/// What a grant may allow on every key.
///
/// Source: KMS Developer Guide, "Grant operations" (read 2026-11-21).
const COMMON_OPERATIONS: &[&str] = &["CreateGrant", "DescribeKey", "RetireGrant"];

/// What a grant may allow on a symmetric encryption key.
const SYMMETRIC_OPERATIONS: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

/// What a grant may allow at all, on whichever key.
pub(super) const GRANT_OPERATIONS: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
    "Encapsulate",
    "Decapsulate",
];

const TOKEN_LABEL: &[u8] = b"bulla kms grant token 1";
const ID_DIGITS: usize = 64;

/// A grant as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// 64 hexadecimal digits.
    pub(super) id: Arc<str>,
    pub(super) key: KeyId,
    pub(super) region: Region,
    /// The key's account.
    pub(super) owner: AccountId,
    /// The account that made the grant.
    pub(super) issuer: AccountId,
    pub(super) created: Timestamp,
    pub(super) terms: Terms,
}

/// What a client decides about a grant: two requests with the same name and terms mean the same grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) name: Option<String>,
    /// ARN.
    pub(super) grantee: Arc<str>,
    /// ARN.
    pub(super) retiring: Option<Arc<str>>,
    /// In order, each once.
    pub(super) operations: Vec<String>,
    pub(super) constraint: Option<GrantConstraint>,
}

impl Terms {
    /// As the policy engine wants it.
    pub(super) fn compile(&self, id: &str) -> Result<bulla_policy::Grant, &'static str> {
        bulla_policy::Grant::new(id, &self.grantee, &self.operations, self.constraint.as_ref())
    }

    /// Whether a grant with these terms may be handed on by a grantee of `parent`: nothing is added to what the parent
    /// allows, and nothing of its constraint is given up.
    ///
    /// Source: KMS Developer Guide, "Granting `CreateGrant` permission" (read 2026-11-21).
    pub(super) fn are_within(&self, parent: &Self) -> bool {
        let known = |operation| parent.operations.contains(operation);
        self.operations.iter().all(known)
            && constraint_within(self.constraint.as_ref(), parent.constraint.as_ref())
    }

    /// Whether an operation is among those that the grant allows.
    pub(super) fn allow(&self, operation: &str) -> bool {
        self.operations.iter().any(|known| known == operation)
    }
}

fn constraint_within(own: Option<&GrantConstraint>, parent: Option<&GrantConstraint>) -> bool {
    use GrantConstraint::{EncryptionContextEquals as Equals, EncryptionContextSubset as Subset};
    match (own, parent) {
        (_, None) => true,
        (Some(Equals(own)), Some(Equals(parent))) => own == parent,
        (Some(Equals(own) | Subset(own)), Some(Subset(parent))) => {
            parent.iter().all(|(name, value)| own.get(name) == Some(value))
        }
        (Some(Subset(_)), Some(Equals(_))) | (None, Some(_)) => false,
    }
}

/// Whether grants on a key of this kind may allow an operation.
pub(super) fn fits(kind: KeyKind, operation: &str) -> bool {
    let of_kind = match kind.usage() {
        KeyUsage::EncryptDecrypt if kind.is_symmetric() => SYMMETRIC_OPERATIONS,
        KeyUsage::EncryptDecrypt => &[
            "Decrypt",
            "Encrypt",
            "GetPublicKey",
            "ReEncryptFrom",
            "ReEncryptTo",
        ],
        KeyUsage::SignVerify => &["GetPublicKey", "Sign", "Verify"],
        KeyUsage::GenerateVerifyMac => &["GenerateMac", "VerifyMac"],
        KeyUsage::KeyAgreement => &["DeriveSharedSecret", "GetPublicKey"],
    };
    COMMON_OPERATIONS.contains(&operation) || of_kind.contains(&operation)
}

/// A new id.
pub(super) fn new_id(entropy: &dyn Entropy) -> Arc<str> {
    let mut id = [0; ID_DIGITS / 2];
    entropy.fill(&mut id);
    super::key::hex(&id).into()
}

/// Refuses a text that cannot be the id of a grant.
pub(super) fn check_id(id: &str) -> Result<(), KmsError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() == ID_DIGITS && id.bytes().all(digit) {
        return Ok(());
    }
    Err(KmsError::InvalidGrantId {
        id: id.chars().take(128).collect(),
    })
}

/// What a grant token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) region: Region,
    pub(super) key: KeyId,
    pub(super) grant: Arc<str>,
}

impl Token {
    /// A text that only this data folder can make; another one each time.
    pub(super) fn seal(&self, wrapping: &SecretKey, entropy: &dyn Entropy) -> Result<String, KmsError> {
        let text = format!("{}/{}/{}", self.region, self.key, self.grant);
        let sealed = wrap(wrapping, text.as_bytes(), &encode_parts(&[TOKEN_LABEL]), entropy);
        sealed.map(|bytes| super::key::hex(&bytes)).map_err(|error| {
            tracing::error!(%error, "no grant token can be made");
            KmsError::Internal
        })
    }

    /// What such a text names; `None` when it was not made here.
    pub(super) fn open(text: &str, wrapping: &SecretKey) -> Option<Self> {
        let sealed = unhex(text)?;
        let opened = unwrap(wrapping, &sealed, &encode_parts(&[TOKEN_LABEL])).ok()?;
        let mut parts = std::str::from_utf8(opened.expose()).ok()?.split('/');
        Some(Self {
            region: Region::parse(parts.next()?).ok()?,
            key: KeyId::parse(parts.next()?).ok()?,
            grant: parts.next()?.into(),
        })
    }
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        bytes.push((digit(high)? << 4) | digit(low)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Terms, Token, check_id, new_id};
    use bulla_envelope::SecretKey;
    use bulla_policy::GrantConstraint::{self, EncryptionContextEquals, EncryptionContextSubset};
    use bulla_runtime::SystemEntropy;
    use bulla_types::{KeyId, Region};
    use proptest::prelude::*;

    fn terms(operations: &[&str], constraint: Option<GrantConstraint>) -> Terms {
        Terms {
            name: None,
            grantee: "arn:aws:iam::111122223333:user/a".into(),
            retiring: None,
            operations: operations.iter().map(|&operation| operation.to_owned()).collect(),
            constraint,
        }
    }

    fn pairs(names: &[&str]) -> std::collections::BTreeMap<String, String> {
        names
            .iter()
            .map(|&name| (name.to_owned(), "1".to_owned()))
            .collect()
    }

    #[test]
    fn a_grant_hands_on_no_more_than_it_has() {
        let subset = |names: &[&str]| Some(EncryptionContextSubset(pairs(names)));
        let equals = |names: &[&str]| Some(EncryptionContextEquals(pairs(names)));
        let within = |own: Option<GrantConstraint>, parent: Option<GrantConstraint>| {
            terms(&["Decrypt"], own).are_within(&terms(&["Decrypt", "CreateGrant"], parent))
        };
        assert!(!terms(&["Decrypt", "Encrypt"], None).are_within(&terms(&["Decrypt"], None)));
        assert!(within(None, None) && within(subset(&["a"]), None));
        assert!(within(subset(&["a", "b"]), subset(&["a"])) && within(equals(&["a", "b"]), subset(&["a"])));
        assert!(within(equals(&["a"]), equals(&["a"])) && !within(equals(&["a", "b"]), equals(&["a"])));
        assert!(!within(None, subset(&["a"])) && !within(subset(&["b"]), subset(&["a"])));
        assert!(!within(subset(&["a"]), equals(&["a"])));
    }

    #[test]
    fn ids_are_64_hexadecimal_digits() {
        assert_eq!(check_id(&new_id(&SystemEntropy)), Ok(()));
        for wrong in ["", "abc", &"g".repeat(64), &"A".repeat(64)] {
            assert!(check_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_opens_under_the_key_that_sealed_it_alone() {
        let token = Token {
            region: Region::parse("us-east-1").unwrap(),
            key: KeyId::from_entropy([7; 16]),
            grant: new_id(&SystemEntropy),
        };
        let key = |byte| SecretKey::from_slice(&[byte; 32]).unwrap();
        let sealed = token.seal(&key(1), &SystemEntropy).unwrap();
        assert_ne!(token.seal(&key(1), &SystemEntropy), Ok(sealed.clone()));
        assert_eq!(Token::open(&sealed, &key(1)), Some(token));
        assert_eq!(Token::open(&sealed, &key(2)), None);
    }

    proptest! {
        #[test]
        fn other_texts_are_no_tokens(text in "\\PC{0,60}|[0-9a-f]{0,200}") {
            prop_assert_eq!(Token::open(&text, &SecretKey::from_slice(&[1; 32]).unwrap()), None);
        }
    }
}
