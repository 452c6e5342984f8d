//! How keys are stored: one directory record per key, JSON, in the partition of its account.
//!
//! The record holds the key's material, wrapped, and beside it what is known of the key: policy, state, tags. Material is
//! wrapped under a key of its own ([`MaterialKey`]) that is derived from the data folder's instance key and from an
//! erasure key that is not in the folder: destroying that one destroys the material in every copy of the record. The whole
//! record is sealed under a key of the instance and bound to its name. So one key's material cannot be put in another's
//! place, and nobody who can write to the data folder can loosen a key's policy or enable it: the record would no longer
//! open. (An older record of the same key does; what keeps a folder from being put back is outside of it.) The facts of a
//! key can be trusted, and changed, also when its erasure key is missing.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number. Format 1 had one
//! material and no schedule; in format 2 the wrapping of each material was also bound to why it was made, and the facts
//! say how many there are, so that none can be taken away. Both had their material wrapped under a key of the instance
//! alone, and the wrapping bound to the facts in the place of a seal. They are read, and written as format 3 at start.

use super::alias::Alias;
use super::certificate::Scheduled;
use super::erasure::MaterialKey;
use super::external::External;
use super::key::{Key, KeyState, Made, Material};
use super::kind::{KeyKind, KeySpec, KeyUsage};
use super::policy;
use super::reference::key_arn;
use super::rotation::Schedule;
use super::secret::Secret;
use super::words::Word;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{SealError, SecretBytes, SecretKey, encode_parts, push_parts, unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All records of keys begin so; then account, region and id.
pub(super) const PREFIX: &str = "kms/key/";
const FORMAT: u32 = 3;
/// The last one whose material needs no erasure key.
const FOLDER_FORMAT: u32 = 2;
const FIRST_FORMAT: u32 = 1;
const SEAL_LABEL: &[u8] = b"bulla kms record 3";
const MATERIAL_LABEL: &[u8] = b"bulla kms material 3";
const FOLDER_MATERIAL_LABEL: &[u8] = b"bulla kms material 2";
const FIRST_MATERIAL_LABEL: &[u8] = b"bulla kms material 1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    format: u32,
    /// [`FactsRecord`] as JSON text: the seal is bound to these bytes.
    facts: String,
    /// Versions rise; the last one encrypts.
    materials: Vec<MaterialRecord>,
    /// Base64; since format 3. Binds everything else to the record's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal: Option<String>,
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
    #[serde(default = "symmetric_default")]
    spec: String,
    /// Absent of symmetric keys, so that their records are those of the versions that had no other keys.
    #[serde(default = "encrypt_decrypt", skip_serializing_if = "is_encrypt_decrypt")]
    usage: String,
    #[serde(default)]
    schedule: Option<ScheduleRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled: Option<Scheduled>,
    /// How many.
    #[serde(default = "one")]
    materials: usize,
    /// Of a key whose material is imported; the secret of material that is not there is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external: Option<ExternalRecord>,
    /// Of a multi-Region key, the primary's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    primary: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalRecord {
    expires_ms: Option<u64>,
    description: Option<String>,
}

fn symmetric_default() -> String {
    KeyKind::SYMMETRIC.spec().word().to_owned()
}

fn encrypt_decrypt() -> String {
    KeyKind::SYMMETRIC.usage().word().to_owned()
}

fn is_encrypt_decrypt(usage: &str) -> bool {
    usage == KeyKind::SYMMETRIC.usage().word()
}

fn one() -> usize {
    1
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleRecord {
    period_days: u32,
    next_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StateRecord {
    Enabled,
    Disabled,
    PendingDeletion { at_ms: u64 },
    PendingReplicaDeletion { days: u32 },
    PendingImport,
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
    #[serde(default = "MadeRecord::first")]
    made: MadeRecord,
    /// Base64.
    wrapped: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MadeRecord {
    WithTheKey,
    Automatically,
    OnDemand,
}

impl MadeRecord {
    const fn first() -> Self {
        Self::WithTheKey
    }

    /// For the binding; never changes.
    const fn byte(self) -> u8 {
        match self {
            Self::WithTheKey => 0,
            Self::Automatically => 1,
            Self::OnDemand => 2,
        }
    }
}

/// The record key of a key.
pub(super) fn record_key(owner: AccountId, region: Region, id: KeyId) -> Bytes {
    format!("{PREFIX}{owner}/{region}/{id}").into()
}

/// A key as it is stored.
pub(super) fn encode(key: &Key, wrapping: &SecretKey, entropy: &dyn Entropy) -> Result<Bytes, SealError> {
    let facts = serde_json::to_string(&FactsRecord::from(key)).map_err(|_| SealError::Refused)?;
    let name = record_key(key.owner, key.region, key.id);
    let mut materials = Vec::with_capacity(key.former.len().saturating_add(1));
    for material in key.materials() {
        let mut stored = MaterialRecord {
            version: material.version,
            id: material.id.to_string(),
            created_ms: material.created.as_millis(),
            made: material.made.into(),
            wrapped: String::new(),
        };
        stored.wrapped = BASE64.encode(if let Secret::Locked(wrapped) = &material.secret {
            wrapped.to_vec()
        } else {
            let own = key.wrapping.own(&name).ok_or(SealError::Refused)?;
            let bound_to = material_binding(&name, &stored);
            wrap(own.key(), material.secret.stored(), &bound_to, entropy)?
        });
        materials.push(stored);
    }
    let seal = wrap(wrapping, b"", &seal_binding(&name, &facts, &materials), entropy)?;
    let record = KeyRecord {
        format: FORMAT,
        facts,
        materials,
        seal: Some(BASE64.encode(seal)),
    };
    serde_json::to_vec(&record)
        .map(Bytes::from)
        .map_err(|_| SealError::Refused)
}

/// A stored key, checked and compiled. Without its erasure key, or with another one, its material stays locked.
///
/// # Errors
/// What is wrong with the record, for the operator.
pub(super) fn decode(
    record_key: &[u8],
    value: &[u8],
    wrapping: &SecretKey,
    erasure: Option<&SecretKey>,
) -> Result<Key, String> {
    let (owner, region, id) = parse_record_key(record_key).ok_or("its name is not that of a key")?;
    let record: KeyRecord = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    if !(FIRST_FORMAT..=FORMAT).contains(&record.format) {
        return Err(format!(
            "its format is {}, this version reads {FIRST_FORMAT} to {FORMAT}",
            record.format
        ));
    }
    // Nothing in the facts of an older format is trusted before the material has opened: until then this only says how
    // to read it.
    check_seal(record_key, &record, wrapping)?;
    let facts: FactsRecord = serde_json::from_str(&record.facts).map_err(|error| error.to_string())?;
    let kind = kind(&facts)?;
    let imports = facts.external.is_some();
    let (own, mut former) = open_materials(record_key, record, (kind, imports), wrapping, erasure)?;
    if facts.materials != former.len() {
        return Err(format!(
            "it has {} of its {} materials",
            former.len(),
            facts.materials
        ));
    }
    let material = former.pop().ok_or("it has no material")?;
    let arn = key_arn(region, owner, id);
    Ok(Key {
        id,
        region,
        owner,
        kind,
        created: Timestamp::from_millis(facts.created_ms),
        description: facts.description,
        state: match facts.state {
            StateRecord::Enabled => KeyState::Enabled,
            StateRecord::Disabled => KeyState::Disabled,
            StateRecord::PendingDeletion { at_ms } => {
                KeyState::PendingDeletion(Timestamp::from_millis(at_ms))
            }
            StateRecord::PendingReplicaDeletion { days } => KeyState::PendingReplicaDeletion(days),
            StateRecord::PendingImport => KeyState::PendingImport,
        },
        policy: policy::parse_stored(&facts.policy, &arn)
            .map_err(|error| format!("its policy is not understood: {error}"))?,
        tags: facts.tags,
        aliases: facts.aliases.into_iter().map(Alias::from).collect(),
        material,
        former,
        schedule: facts.schedule.map(|schedule| Schedule {
            period_days: schedule.period_days,
            next: Timestamp::from_millis(schedule.next_ms),
        }),
        external: facts.external.map(|external| External {
            expires: external.expires_ms.map(Timestamp::from_millis),
            description: external.description,
        }),
        primary: match facts.primary {
            Some(region) => Some(Region::parse(&region).map_err(|error| error.to_string())?),
            None => None,
        },
        wrapping: own.into(),
        scheduled: facts.scheduled,
        arn,
    })
}

const CHANGED: &str = "it was changed, or belongs to another key or data folder";
const OTHER_KIND: &str = "its material is of another kind";

/// When the key of a record was made, by what the record says.
pub(super) fn created(value: &[u8]) -> Result<Timestamp, String> {
    let record: KeyRecord = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    let facts: FactsRecord = serde_json::from_str(&record.facts).map_err(|error| error.to_string())?;
    Ok(Timestamp::from_millis(facts.created_ms))
}

/// Whether a record is stored in a format that needs no erasure key.
pub(super) fn is_of_older_format(value: &[u8]) -> bool {
    serde_json::from_slice::<KeyRecord>(value).is_ok_and(|record| record.format <= FOLDER_FORMAT)
}

fn check_seal(record_key: &[u8], record: &KeyRecord, wrapping: &SecretKey) -> Result<(), String> {
    match (&record.seal, record.format) {
        (Some(seal), FORMAT) => {
            let seal = BASE64.decode(seal).map_err(|error| error.to_string())?;
            let bound_to = seal_binding(record_key, &record.facts, &record.materials);
            unwrap(wrapping, &seal, &bound_to)
                .map(drop)
                .map_err(|_| CHANGED.to_owned())
        }
        (None, FIRST_FORMAT | FOLDER_FORMAT) => Ok(()),
        (_, _) => Err(CHANGED.to_owned()),
    }
}

fn kind(facts: &FactsRecord) -> Result<KeyKind, String> {
    let (spec, usage) = (KeySpec::find(&facts.spec), KeyUsage::find(&facts.usage));
    let kind = spec
        .zip(usage)
        .and_then(|(spec, usage)| KeyKind::new(spec, usage));
    kind.ok_or_else(|| {
        format!(
            "it is a {} for {}, which this version does not know",
            facts.spec, facts.usage
        )
    })
}

/// All materials in the order of their versions, and what wraps them.
fn open_materials(
    record_key: &[u8],
    record: KeyRecord,
    (kind, imports): (KeyKind, bool),
    wrapping: &SecretKey,
    erasure: Option<&SecretKey>,
) -> Result<(Option<MaterialKey>, Vec<Arc<Material>>), String> {
    let own = match (record.format, erasure) {
        (FORMAT, Some(erasure)) => {
            let own = MaterialKey::derive(wrapping, erasure, record_key);
            Some(own.map_err(|_| "its material's key cannot be derived")?)
        }
        (_, _) => None,
    };
    let read = |secret: SecretBytes| {
        if imports && secret.expose().is_empty() {
            return Ok(Secret::Absent);
        }
        Secret::from_stored(kind, secret).ok_or(OTHER_KIND)
    };
    let mut materials = Vec::with_capacity(record.materials.len());
    for (stored, version) in record.materials.into_iter().zip(1..) {
        if stored.version != version {
            return Err(format!("version {version} of its material is missing"));
        }
        let material = if record.format == FORMAT {
            let bound_to = material_binding(record_key, &stored);
            let opened = |wrapped: &[u8]| unwrap(own.as_ref()?.key(), wrapped, &bound_to).ok();
            open_material(stored, |wrapped| match opened(&wrapped) {
                Some(secret) => read(secret),
                None => Ok(Secret::Locked(wrapped.into())),
            })?
        } else {
            let bound_to = folder_binding(record.format, record_key, &record.facts, &stored);
            open_material(stored, |wrapped| {
                let secret = unwrap(wrapping, &wrapped, &bound_to).map_err(|_| CHANGED)?;
                read(secret)
            })?
        };
        materials.push(Arc::new(material));
    }
    Ok((own, materials))
}

fn open_material(
    stored: MaterialRecord,
    open: impl FnOnce(Vec<u8>) -> Result<Secret, &'static str>,
) -> Result<Material, String> {
    let wrapped = BASE64
        .decode(&stored.wrapped)
        .map_err(|error| error.to_string())?;
    Ok(Material {
        version: stored.version,
        id: stored.id.into(),
        made: stored.made.into(),
        created: Timestamp::from_millis(stored.created_ms),
        secret: open(wrapped)?,
    })
}

/// The account, region and id of a key, from the name of its record.
pub(super) fn parse_record_key(record_key: &[u8]) -> Option<(AccountId, Region, KeyId)> {
    let mut parts = std::str::from_utf8(record_key)
        .ok()?
        .strip_prefix(PREFIX)?
        .split('/');
    let owner = AccountId::parse(parts.next()?).ok()?;
    let region = Region::parse(parts.next()?).ok()?;
    let id = KeyId::parse(parts.next()?).ok()?;
    parts.next().is_none().then_some((owner, region, id))
}

/// What the wrapping of a material is bound to: it does not change with the facts.
fn material_binding(record_key: &[u8], material: &MaterialRecord) -> Vec<u8> {
    let (version, created) = (material.version.to_be_bytes(), material.created_ms.to_be_bytes());
    let made = [material.made.byte()];
    encode_parts(&[
        MATERIAL_LABEL,
        record_key,
        &version,
        material.id.as_bytes(),
        &created,
        &made,
    ])
}

/// What the seal is bound to: the record's name and everything in it.
fn seal_binding(record_key: &[u8], facts: &str, materials: &[MaterialRecord]) -> Vec<u8> {
    let mut bytes = encode_parts(&[SEAL_LABEL, record_key, facts.as_bytes()]);
    for material in materials {
        let bound = material_binding(record_key, material);
        push_parts(&mut bytes, &[&bound, material.wrapped.as_bytes()]);
    }
    bytes
}

/// What the wrapping was bound to in older formats: everything in the record but the wrapped bytes.
fn folder_binding(format: u32, record_key: &[u8], facts: &str, material: &MaterialRecord) -> Vec<u8> {
    let (version, created) = (material.version.to_be_bytes(), material.created_ms.to_be_bytes());
    let (facts, id) = (facts.as_bytes(), material.id.as_bytes());
    if format == FIRST_FORMAT {
        return encode_parts(&[FIRST_MATERIAL_LABEL, record_key, facts, &version, id, &created]);
    }
    let made = [material.made.byte()];
    encode_parts(&[
        FOLDER_MATERIAL_LABEL,
        record_key,
        facts,
        &version,
        id,
        &created,
        &made,
    ])
}

impl From<Made> for MadeRecord {
    fn from(made: Made) -> Self {
        match made {
            Made::WithTheKey => Self::WithTheKey,
            Made::Automatically => Self::Automatically,
            Made::OnDemand => Self::OnDemand,
        }
    }
}

impl From<MadeRecord> for Made {
    fn from(record: MadeRecord) -> Self {
        match record {
            MadeRecord::WithTheKey => Self::WithTheKey,
            MadeRecord::Automatically => Self::Automatically,
            MadeRecord::OnDemand => Self::OnDemand,
        }
    }
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
                KeyState::PendingReplicaDeletion(days) => StateRecord::PendingReplicaDeletion { days },
                KeyState::PendingImport => StateRecord::PendingImport,
            },
            policy: key.policy.text().to_owned(),
            tags: key.tags.clone(),
            aliases: key.aliases.iter().map(AliasRecord::from).collect(),
            spec: key.kind.spec().word().to_owned(),
            usage: key.kind.usage().word().to_owned(),
            schedule: key.schedule.map(|schedule| ScheduleRecord {
                period_days: schedule.period_days,
                next_ms: schedule.next.as_millis(),
            }),
            scheduled: key.scheduled.clone(),
            materials: key.former.len().saturating_add(1),
            external: key.external.as_ref().map(|external| ExternalRecord {
                expires_ms: external.expires.map(Timestamp::as_millis),
                description: external.description.clone(),
            }),
            primary: key.primary.map(|region| region.as_str().to_owned()),
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
mod tests;
