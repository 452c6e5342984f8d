//! How grants are stored: one directory record per grant, in the partition of the key's account.
//!
//! Why not in the key's record: a key may have 50,000 grants. The record is wrapped by the key that wraps key material and
//! bound to its name, so that nobody who can write to the data folder can make a grant or widen one. A record whose key is
//! gone is worth nothing; it is deleted at the next start.

use super::grant::{Grant, Terms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{SealError, SecretKey, encode_parts, unwrap, wrap};
use bulla_policy::GrantConstraint;
use bulla_runtime::Entropy;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All records of grants begin so; then account, region, key and id.
pub(super) const PREFIX: &str = "kms/grant/";
const FORMAT: u32 = 1;
const LABEL: &[u8] = b"bulla kms grant 1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRecord {
    format: u32,
    /// [`FactsRecord`] as JSON, wrapped; Base64.
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsRecord {
    issuer: String,
    created_ms: u64,
    name: Option<String>,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    constraint: Option<ConstraintRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ConstraintRecord {
    EncryptionContextEquals(BTreeMap<String, String>),
    EncryptionContextSubset(BTreeMap<String, String>),
}

/// The record key of a grant.
pub(super) fn record_key(owner: AccountId, region: Region, key: KeyId, id: &str) -> Bytes {
    format!("{PREFIX}{owner}/{region}/{key}/{id}").into()
}

/// A grant as it is stored.
pub(super) fn encode(grant: &Grant, wrapping: &SecretKey, entropy: &dyn Entropy) -> Result<Bytes, SealError> {
    let terms = grant.terms.clone();
    let facts = FactsRecord {
        issuer: grant.issuer.as_str().to_owned(),
        created_ms: grant.created.as_millis(),
        name: terms.name,
        grantee: terms.grantee.to_string(),
        retiring: terms.retiring.map(|arn| arn.to_string()),
        operations: terms.operations,
        constraint: terms.constraint.map(ConstraintRecord::from),
    };
    let facts = serde_json::to_vec(&facts).map_err(|_| SealError::Refused)?;
    let name = record_key(grant.owner, grant.region, grant.key, &grant.id);
    let wrapped = wrap(wrapping, &facts, &encode_parts(&[LABEL, &name]), entropy)?;
    let record = GrantRecord {
        format: FORMAT,
        wrapped: BASE64.encode(wrapped),
    };
    serde_json::to_vec(&record)
        .map(Bytes::from)
        .map_err(|_| SealError::Refused)
}

/// A stored grant.
///
/// # Errors
/// What is wrong with the record, for the operator.
pub(super) fn decode(record_key: &[u8], value: &[u8], wrapping: &SecretKey) -> Result<Grant, String> {
    let (owner, region, key, id) = parse_record_key(record_key).ok_or("its name is not that of a grant")?;
    let record: GrantRecord = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    if record.format != FORMAT {
        return Err(format!(
            "its format is {}, this version reads {FORMAT}",
            record.format
        ));
    }
    let wrapped = BASE64
        .decode(&record.wrapped)
        .map_err(|error| error.to_string())?;
    let facts = unwrap(wrapping, &wrapped, &encode_parts(&[LABEL, record_key]))
        .map_err(|_| "it was changed, or belongs to another key or data folder".to_owned())?;
    let facts: FactsRecord = serde_json::from_slice(facts.expose()).map_err(|error| error.to_string())?;
    Ok(Grant {
        id: id.into(),
        key,
        region,
        owner,
        issuer: AccountId::parse(&facts.issuer).map_err(|error| error.to_string())?,
        created: Timestamp::from_millis(facts.created_ms),
        terms: Terms {
            name: facts.name,
            grantee: facts.grantee.into(),
            retiring: facts.retiring.map(Into::into),
            operations: facts.operations,
            constraint: facts.constraint.map(GrantConstraint::from),
        },
    })
}

fn parse_record_key(record_key: &[u8]) -> Option<(AccountId, Region, KeyId, &str)> {
    let mut parts = std::str::from_utf8(record_key)
        .ok()?
        .strip_prefix(PREFIX)?
        .split('/');
    let owner = AccountId::parse(parts.next()?).ok()?;
    let region = Region::parse(parts.next()?).ok()?;
    let key = KeyId::parse(parts.next()?).ok()?;
    let id = parts.next()?;
    parts.next().is_none().then_some((owner, region, key, id))
}

impl From<GrantConstraint> for ConstraintRecord {
    fn from(constraint: GrantConstraint) -> Self {
        match constraint {
            GrantConstraint::EncryptionContextEquals(pairs) => Self::EncryptionContextEquals(pairs),
            GrantConstraint::EncryptionContextSubset(pairs) => Self::EncryptionContextSubset(pairs),
        }
    }
}

impl From<ConstraintRecord> for GrantConstraint {
    fn from(record: ConstraintRecord) -> Self {
        match record {
            ConstraintRecord::EncryptionContextEquals(pairs) => Self::EncryptionContextEquals(pairs),
            ConstraintRecord::EncryptionContextSubset(pairs) => Self::EncryptionContextSubset(pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, record_key};
    use crate::kms::grant::{Grant, Terms, new_id};
    use bulla_envelope::SecretKey;
    use bulla_policy::GrantConstraint;
    use bulla_runtime::SystemEntropy;
    use bulla_types::{AccountId, KeyId, Region, Timestamp};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn grant(name: Option<String>) -> Grant {
        let owner = AccountId::parse("111122223333").unwrap();
        Grant {
            id: new_id(&SystemEntropy),
            key: KeyId::from_entropy([9; 16]),
            region: Region::parse("us-east-1").unwrap(),
            owner,
            issuer: owner,
            created: Timestamp::from_millis(1_767_225_600_123),
            terms: Terms {
                name,
                grantee: "arn:aws:iam::111122223333:user/a".into(),
                retiring: Some("arn:aws:iam::111122223333:user/b".into()),
                operations: vec!["Decrypt".to_owned()],
                constraint: Some(GrantConstraint::EncryptionContextSubset(
                    [("a".to_owned(), "1".to_owned())].into(),
                )),
            },
        }
    }

    fn name(grant: &Grant) -> Bytes {
        record_key(grant.owner, grant.region, grant.key, &grant.id)
    }

    fn wrapping() -> SecretKey {
        SecretKey::from_slice(&[3; 32]).unwrap()
    }

    #[test]
    fn a_record_under_another_name_is_refused() {
        let grant = grant(None);
        let value = encode(&grant, &wrapping(), &SystemEntropy).unwrap();
        let other = record_key(grant.owner, grant.region, KeyId::from_entropy([8; 16]), &grant.id);
        assert!(decode(&other, &value, &wrapping()).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_refused() {
        let grant = grant(Some("mine".to_owned()));
        let value = encode(&grant, &wrapping(), &SystemEntropy).unwrap();
        for bit in 0..value.len() * 8 {
            let mut changed = value.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&name(&grant), &changed, &wrapping()).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_stored_reads_back(text in proptest::option::of("\\PC{0,40}")) {
            let grant = grant(text);
            let value = encode(&grant, &wrapping(), &SystemEntropy).unwrap();
            prop_assert_eq!(decode(&name(&grant), &value, &wrapping()), Ok(grant));
        }

        #[test]
        fn a_record_with_a_changed_byte_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let grant = grant(None);
            let mut value = encode(&grant, &wrapping(), &SystemEntropy).unwrap().to_vec();
            let at = at.index(value.len());
            value[at] ^= 1 << bit;
            prop_assert!(decode(&name(&grant), &value, &wrapping()).is_err());
        }
    }
}
