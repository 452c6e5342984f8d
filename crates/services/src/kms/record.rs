//! How keys are stored: one directory record per key, JSON, in the partition of its account.
//!
//! The record holds the key's material, wrapped by a key that is derived from the data folder's instance key, and beside
//! it what is known of the key: policy, state, tags. The wrapping is bound to the record's name and to every byte of
//! those facts. So one key's material cannot be put in another's place, and nobody who can write to the data folder
//! can loosen a key's policy or enable it: the record would no longer open. (An older record of the same key does; what
//! keeps a folder from being put back is outside of it.) Deleting the record destroys the material.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number.

use super::alias::Alias;
use super::key::{Key, KeyState, Material};
use super::policy;
use super::reference::key_arn;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{SealError, SecretKey, encode_parts, unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All records of keys begin so; then account, region and id.
pub(super) const PREFIX: &str = "kms/key/";
const FORMAT: u32 = 1;
const MATERIAL_LABEL: &[u8] = b"bulla kms material 1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    format: u32,
    /// [`FactsRecord`] as JSON text: the wrapping of the material is bound to these bytes.
    facts: String,
    /// Versions rise; the last one encrypts.
    materials: Vec<MaterialRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsRecord {
    created_ms: u64,
    description: String,
    state: StateRecord,
    policy: String,
    tags: BTreeMap<String, String>,
    aliases: Vec<AliasRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StateRecord {
    Enabled,
    Disabled,
    PendingDeletion { at_ms: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasRecord {
    name: String,
    created_ms: u64,
    updated_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaterialRecord {
    version: u32,
    id: String,
    created_ms: u64,
    /// Base64.
    wrapped: String,
}

/// The record key of a key.
pub(super) fn record_key(owner: AccountId, region: Region, id: KeyId) -> Bytes {
    format!("{PREFIX}{owner}/{region}/{id}").into()
}

/// A key as it is stored.
pub(super) fn encode(key: &Key, wrapping: &SecretKey, entropy: &dyn Entropy) -> Result<Bytes, SealError> {
    let facts = serde_json::to_string(&FactsRecord::from(key)).map_err(|_| SealError::Refused)?;
    let material = &key.material;
    let mut stored = MaterialRecord {
        version: material.version,
        id: material.id.to_string(),
        created_ms: material.created.as_millis(),
        wrapped: String::new(),
    };
    let bound_to = binding(&record_key(key.owner, key.region, key.id), &facts, &stored);
    stored.wrapped = BASE64.encode(wrap(wrapping, material.key.expose(), &bound_to, entropy)?);
    let record = KeyRecord {
        format: FORMAT,
        facts,
        materials: vec![stored],
    };
    serde_json::to_vec(&record)
        .map(Bytes::from)
        .map_err(|_| SealError::Refused)
}

/// A stored key, checked and compiled.
///
/// # Errors
/// What is wrong with the record, for the operator.
pub(super) fn decode(record_key: &[u8], value: &[u8], wrapping: &SecretKey) -> Result<Key, String> {
    let (owner, region, id) = parse_record_key(record_key).ok_or("its name is not that of a key")?;
    let record: KeyRecord = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    if record.format != FORMAT {
        return Err(format!(
            "its format is {}, this version reads {FORMAT}",
            record.format
        ));
    }
    let [material] = <[MaterialRecord; 1]>::try_from(record.materials).map_err(|many| {
        format!(
            "it has {} versions of its material, this version reads one",
            many.len()
        )
    })?;
    let bound_to = binding(record_key, &record.facts, &material);
    let material = open_material(material, &bound_to, wrapping)?;
    let facts: FactsRecord = serde_json::from_str(&record.facts).map_err(|error| error.to_string())?;
    let arn = key_arn(region, owner, id);
    Ok(Key {
        id,
        region,
        owner,
        created: Timestamp::from_millis(facts.created_ms),
        description: facts.description,
        state: match facts.state {
            StateRecord::Enabled => KeyState::Enabled,
            StateRecord::Disabled => KeyState::Disabled,
            StateRecord::PendingDeletion { at_ms } => {
                KeyState::PendingDeletion(Timestamp::from_millis(at_ms))
            }
        },
        policy: policy::parse_stored(&facts.policy, &arn)
            .map_err(|error| format!("its policy is not understood: {error}"))?,
        tags: facts.tags,
        aliases: facts.aliases.into_iter().map(Alias::from).collect(),
        material: Arc::new(material),
        arn,
    })
}

fn open_material(stored: MaterialRecord, bound_to: &[u8], wrapping: &SecretKey) -> Result<Material, String> {
    let wrapped = BASE64
        .decode(&stored.wrapped)
        .map_err(|error| error.to_string())?;
    let secret = unwrap(wrapping, &wrapped, bound_to)
        .map_err(|_| "it was changed, or belongs to another key or data folder".to_owned())?;
    Ok(Material {
        version: stored.version,
        id: stored.id.into(),
        created: Timestamp::from_millis(stored.created_ms),
        key: SecretKey::from_slice(secret.expose()).ok_or("its material has another length")?,
    })
}

fn parse_record_key(record_key: &[u8]) -> Option<(AccountId, Region, KeyId)> {
    let mut parts = std::str::from_utf8(record_key)
        .ok()?
        .strip_prefix(PREFIX)?
        .split('/');
    let owner = AccountId::parse(parts.next()?).ok()?;
    let region = Region::parse(parts.next()?).ok()?;
    let id = KeyId::parse(parts.next()?).ok()?;
    parts.next().is_none().then_some((owner, region, id))
}

/// What the wrapping is bound to: everything in the record but the wrapped bytes.
fn binding(record_key: &[u8], facts: &str, material: &MaterialRecord) -> Vec<u8> {
    encode_parts(&[
        MATERIAL_LABEL,
        record_key,
        facts.as_bytes(),
        &material.version.to_be_bytes(),
        material.id.as_bytes(),
        &material.created_ms.to_be_bytes(),
    ])
}

impl From<&Key> for FactsRecord {
    fn from(key: &Key) -> Self {
        Self {
            created_ms: key.created.as_millis(),
            description: key.description.clone(),
            state: match key.state {
                KeyState::Enabled => StateRecord::Enabled,
                KeyState::Disabled => StateRecord::Disabled,
                KeyState::PendingDeletion(at) => StateRecord::PendingDeletion {
                    at_ms: at.as_millis(),
                },
            },
            policy: key.policy.text().to_owned(),
            tags: key.tags.clone(),
            aliases: key.aliases.iter().map(AliasRecord::from).collect(),
        }
    }
}

impl From<&Alias> for AliasRecord {
    fn from(alias: &Alias) -> Self {
        Self {
            name: alias.name.to_string(),
            created_ms: alias.created.as_millis(),
            updated_ms: alias.updated.as_millis(),
        }
    }
}

impl From<AliasRecord> for Alias {
    fn from(record: AliasRecord) -> Self {
        Self {
            name: record.name.into(),
            created: Timestamp::from_millis(record.created_ms),
            updated: Timestamp::from_millis(record.updated_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, record_key};
    use crate::kms::alias::Alias;
    use crate::kms::key::{Key, KeyState, Material};
    use crate::kms::policy;
    use crate::kms::reference::key_arn;
    use bulla_envelope::SecretKey;
    use bulla_runtime::SystemEntropy;
    use bulla_types::{AccountId, KeyId, Region, Timestamp};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn key(description: String, state: KeyState) -> Key {
        let owner = AccountId::parse("111122223333").unwrap();
        let (region, id) = (Region::parse("us-east-1").unwrap(), KeyId::from_entropy([9; 16]));
        let (arn, now) = (
            key_arn(region, owner, id),
            Timestamp::from_millis(1_767_225_600_123),
        );
        Key {
            id,
            region,
            owner,
            created: now,
            description,
            state,
            policy: policy::parse(&policy::default_for(owner), &arn).unwrap(),
            tags: [("team".to_owned(), "blue".to_owned())].into(),
            aliases: vec![Alias {
                name: "alias/x".into(),
                created: now,
                updated: now,
            }],
            material: Arc::new(Material::generate(1, now, &SystemEntropy)),
            arn,
        }
    }

    fn wrapping() -> SecretKey {
        SecretKey::from_slice(&[3; 32]).unwrap()
    }

    fn state() -> impl Strategy<Value = KeyState> {
        prop_oneof![
            Just(KeyState::Enabled),
            Just(KeyState::Disabled),
            (0..u64::MAX).prop_map(|at| KeyState::PendingDeletion(Timestamp::from_millis(at))),
        ]
    }

    #[test]
    fn a_record_under_another_keys_name_is_refused() {
        let key = key(String::new(), KeyState::Enabled);
        let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
        let other = record_key(key.owner, key.region, KeyId::from_entropy([8; 16]));
        assert!(decode(&other, &value, &wrapping()).is_err());
    }

    #[test]
    fn a_record_of_another_data_folder_is_refused() {
        let key = key(String::new(), KeyState::Enabled);
        let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
        let name = record_key(key.owner, key.region, key.id);
        assert!(decode(&name, &value, &SecretKey::from_slice(&[4; 32]).unwrap()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_stored_reads_back(description in "\\PC{0,40}", state in state()) {
            let key = key(description, state);
            let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
            let read = decode(&record_key(key.owner, key.region, key.id), &value, &wrapping()).unwrap();
            prop_assert_eq!(read.material.key == key.material.key, true);
            prop_assert_eq!(&read.material.id, &key.material.id);
            // Debug shows every field but the secret.
            prop_assert_eq!(format!("{read:?}"), format!("{key:?}"));
        }

        #[test]
        fn a_record_with_a_changed_byte_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let key = key("mine".to_owned(), KeyState::Disabled);
            let mut value = encode(&key, &wrapping(), &SystemEntropy).unwrap().to_vec();
            let at = at.index(value.len());
            value[at] ^= 1 << bit;
            prop_assert!(decode(&record_key(key.owner, key.region, key.id), &value, &wrapping()).is_err());
        }
    }
}
