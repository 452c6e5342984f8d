//! How keys are stored: one directory record per key, JSON, in the partition of its account.
//!
//! The record holds the key's material wrapped by a key that is derived from the data folder's instance key, bound to
//! account, region, key and version, so that one key's material cannot be put in another's place. Deleting the
//! record destroys the material.
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
    created_ms: u64,
    description: String,
    state: StateRecord,
    policy: String,
    tags: BTreeMap<String, String>,
    aliases: Vec<AliasRecord>,
    /// Versions rise; the last one encrypts.
    materials: Vec<MaterialRecord>,
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
    let material = &key.material;
    let bound_to = material_binding(key.owner, key.region, key.id, material.version);
    let wrapped = wrap(wrapping, material.key.expose(), &bound_to, entropy)?;
    let record = KeyRecord {
        format: FORMAT,
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
        aliases: key
            .aliases
            .iter()
            .map(|alias| AliasRecord {
                name: alias.name.to_string(),
                created_ms: alias.created.as_millis(),
                updated_ms: alias.updated.as_millis(),
            })
            .collect(),
        materials: vec![MaterialRecord {
            version: material.version,
            id: material.id.to_string(),
            created_ms: material.created.as_millis(),
            wrapped: BASE64.encode(wrapped),
        }],
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
    let bound_to = material_binding(owner, region, id, material.version);
    let wrapped = BASE64
        .decode(&material.wrapped)
        .map_err(|error| error.to_string())?;
    let secret = unwrap(wrapping, &wrapped, &bound_to)
        .map_err(|error| format!("its material does not open: {error}"))?;
    let secret = SecretKey::from_slice(secret.expose()).ok_or("its material has another length")?;
    let arn = key_arn(region, owner, id);
    Ok(Key {
        id,
        region,
        owner,
        arn: Arc::clone(&arn),
        created: Timestamp::from_millis(record.created_ms),
        description: record.description,
        state: match record.state {
            StateRecord::Enabled => KeyState::Enabled,
            StateRecord::Disabled => KeyState::Disabled,
            StateRecord::PendingDeletion { at_ms } => {
                KeyState::PendingDeletion(Timestamp::from_millis(at_ms))
            }
        },
        policy: policy::parse_stored(&record.policy, &arn).map_err(|error| format!("its policy is not understood: {error}"))?,
        tags: record.tags,
        aliases: record
            .aliases
            .into_iter()
            .map(|alias| Alias {
                name: alias.name.into(),
                created: Timestamp::from_millis(alias.created_ms),
                updated: Timestamp::from_millis(alias.updated_ms),
            })
            .collect(),
        material: Arc::new(Material {
            version: material.version,
            id: material.id.into(),
            created: Timestamp::from_millis(material.created_ms),
            key: secret,
        }),
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

fn material_binding(owner: AccountId, region: Region, id: KeyId, version: u32) -> Vec<u8> {
    encode_parts(&[
        MATERIAL_LABEL,
        owner.as_str().as_bytes(),
        region.as_str().as_bytes(),
        id.as_str().as_bytes(),
        &version.to_be_bytes(),
    ])
}
