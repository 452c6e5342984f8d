//! How keys are stored: one directory record per key, JSON, in the partition of its account.
//!
//! The record holds the key's material, wrapped by a key that is derived from the data folder's instance key, and beside
//! it what is known of the key: policy, state, tags. The wrapping is bound to the record's name and to every byte of
//! those facts. So one key's material cannot be put in another's place, and nobody who can write to the data folder
//! can loosen a key's policy or enable it: the record would no longer open. (An older record of the same key does; what
//! keeps a folder from being put back is outside of it.) Deleting the record destroys the material.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number. Format 1 had one
//! material and no schedule; it is read, and written as format 2 when the key changes. In format 2 the wrapping of each
//! material is also bound to why it was made, and the facts say how many there are, so that none can be taken away.

use super::alias::Alias;
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
use bulla_envelope::{SealError, SecretKey, encode_parts, unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All records of keys begin so; then account, region and id.
pub(super) const PREFIX: &str = "kms/key/";
const FORMAT: u32 = 2;
const FIRST_FORMAT: u32 = 1;
const MATERIAL_LABEL: &[u8] = b"bulla kms material 2";
const FIRST_MATERIAL_LABEL: &[u8] = b"bulla kms material 1";

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
    #[serde(default = "symmetric_default")]
    spec: String,
    /// Absent of symmetric keys, so that their records are those of the versions that had no other keys.
    #[serde(default = "encrypt_decrypt", skip_serializing_if = "is_encrypt_decrypt")]
    usage: String,
    #[serde(default)]
    schedule: Option<ScheduleRecord>,
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
        let bound_to = binding(FORMAT, &name, &facts, &stored);
        stored.wrapped = BASE64.encode(wrap(wrapping, material.secret.stored(), &bound_to, entropy)?);
        materials.push(stored);
    }
    let record = KeyRecord {
        format: FORMAT,
        facts,
        materials,
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
    if !(FIRST_FORMAT..=FORMAT).contains(&record.format) {
        return Err(format!(
            "its format is {}, this version reads {FIRST_FORMAT} to {FORMAT}",
            record.format
        ));
    }
    // Nothing in the facts is trusted before the material has opened: until then this only says how to read it.
    let facts: FactsRecord = serde_json::from_str(&record.facts).map_err(|error| error.to_string())?;
    let kind = kind(&facts)?;
    let mut former = Vec::with_capacity(record.materials.len());
    for (stored, version) in record.materials.into_iter().zip(1..) {
        if stored.version != version {
            return Err(format!("version {version} of its material is missing"));
        }
        let bound_to = binding(record.format, record_key, &record.facts, &stored);
        let external = facts.external.is_some();
        former.push(Arc::new(open_material(
            stored, kind, external, &bound_to, wrapping,
        )?));
    }
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
        arn,
    })
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

fn open_material(
    stored: MaterialRecord,
    kind: KeyKind,
    external: bool,
    bound_to: &[u8],
    wrapping: &SecretKey,
) -> Result<Material, String> {
    let wrapped = BASE64
        .decode(&stored.wrapped)
        .map_err(|error| error.to_string())?;
    let secret = unwrap(wrapping, &wrapped, bound_to)
        .map_err(|_| "it was changed, or belongs to another key or data folder".to_owned())?;
    let secret = if external && secret.expose().is_empty() {
        Secret::Absent
    } else {
        Secret::from_stored(kind, secret).ok_or("its material is of another kind")?
    };
    Ok(Material {
        version: stored.version,
        id: stored.id.into(),
        made: stored.made.into(),
        created: Timestamp::from_millis(stored.created_ms),
        secret,
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
fn binding(format: u32, record_key: &[u8], facts: &str, material: &MaterialRecord) -> Vec<u8> {
    let (version, created) = (material.version.to_be_bytes(), material.created_ms.to_be_bytes());
    let (facts, id) = (facts.as_bytes(), material.id.as_bytes());
    if format == FIRST_FORMAT {
        return encode_parts(&[FIRST_MATERIAL_LABEL, record_key, facts, &version, id, &created]);
    }
    let made = [material.made.byte()];
    encode_parts(&[MATERIAL_LABEL, record_key, facts, &version, id, &created, &made])
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
mod tests {
    use super::{
        BASE64, FIRST_FORMAT, FORMAT, FactsRecord, KeyRecord, MaterialRecord, binding, decode, encode,
        record_key,
    };
    use crate::kms::alias::Alias;
    use crate::kms::key::{Key, KeyState, Made, Material};
    use crate::kms::kind::KeyKind;
    use crate::kms::policy;
    use crate::kms::reference::key_arn;
    use crate::kms::rotation::Schedule;
    use crate::kms::secret::Secret;
    use base64::Engine as _;
    use bulla_envelope::{SecretKey, wrap};
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
            kind: KeyKind::SYMMETRIC,
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
            material: Arc::new(Material::first(
                Secret::symmetric(&SystemEntropy),
                now,
                &SystemEntropy,
            )),
            former: Vec::new(),
            schedule: None,
            external: None,
            primary: None,
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
            (7..31_u32).prop_map(KeyState::PendingReplicaDeletion),
            Just(KeyState::PendingImport),
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

    fn rotated(times: usize) -> Key {
        let mut key = key(String::new(), KeyState::Enabled);
        for _ in 0..times {
            key.rotate(Made::OnDemand, key.created, &SystemEntropy);
        }
        key.schedule = Some(Schedule::starting(90, key.created));
        key
    }

    #[test]
    fn all_materials_and_the_schedule_read_back() {
        let key = rotated(2);
        let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
        let read = decode(&record_key(key.owner, key.region, key.id), &value, &wrapping()).unwrap();
        assert!(
            read.materials()
                .map(|material| &material.secret)
                .eq(key.materials().map(|material| &material.secret))
        );
        assert_eq!(format!("{read:?}"), format!("{key:?}"));
    }

    #[test]
    fn a_record_that_lacks_a_material_is_refused() {
        let key = rotated(2);
        let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
        for missing in 0..3 {
            let mut record: KeyRecord = serde_json::from_slice(&value).unwrap();
            record.materials.remove(missing);
            let value = serde_json::to_vec(&record).unwrap();
            assert!(decode(&record_key(key.owner, key.region, key.id), &value, &wrapping()).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_refused() {
        let key = rotated(1);
        let name = record_key(key.owner, key.region, key.id);
        let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
        for bit in 0..value.len() * 8 {
            let mut changed = value.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&name, &changed, &wrapping()).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_record_of_the_first_format_is_read() {
        let key = key("old".to_owned(), KeyState::Enabled);
        let name = record_key(key.owner, key.region, key.id);
        let mut facts = serde_json::to_value(FactsRecord::from(&key)).unwrap();
        for later in ["spec", "schedule", "materials"] {
            facts.as_object_mut().unwrap().remove(later);
        }
        let facts = facts.to_string();
        let mut material = MaterialRecord {
            version: 1,
            id: key.material.id.to_string(),
            created_ms: key.material.created.as_millis(),
            made: Made::WithTheKey.into(),
            wrapped: String::new(),
        };
        let bound_to = binding(FIRST_FORMAT, &name, &facts, &material);
        let wrapped = wrap(
            &wrapping(),
            key.material.secret.stored(),
            &bound_to,
            &SystemEntropy,
        )
        .unwrap();
        material.wrapped = BASE64.encode(wrapped);
        let record = KeyRecord {
            format: FIRST_FORMAT,
            facts,
            materials: vec![material],
        };
        let mut record = serde_json::to_value(&record).unwrap();
        record["materials"][0].as_object_mut().unwrap().remove("made");
        let value = serde_json::to_vec(&record).unwrap();
        let read = decode(&name, &value, &wrapping()).unwrap();
        assert!(read.material.secret == key.material.secret);
        assert_eq!(format!("{read:?}"), format!("{key:?}"));
        record["format"] = FORMAT.into();
        assert!(decode(&name, &serde_json::to_vec(&record).unwrap(), &wrapping()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_stored_reads_back(description in "\\PC{0,40}", state in state()) {
            let key = key(description, state);
            let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
            let read = decode(&record_key(key.owner, key.region, key.id), &value, &wrapping()).unwrap();
            prop_assert_eq!(read.material.secret == key.material.secret, true);
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
