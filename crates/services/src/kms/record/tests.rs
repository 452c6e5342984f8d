use super::{
    BASE64, FIRST_FORMAT, FOLDER_FORMAT, FORMAT, FactsRecord, KeyRecord, MaterialRecord, encode,
    folder_binding, record_key,
};
use crate::kms::alias::Alias;
use crate::kms::erasure::{MaterialKey, Wrapping};
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
        wrapping: own(owner, region, id),
        scheduled: None,
        arn,
    }
}

fn own(owner: AccountId, region: Region, id: KeyId) -> Wrapping {
    let name = record_key(owner, region, id);
    Wrapping::Own(Arc::new(
        MaterialKey::derive(&wrapping(), &erasure(), &name).unwrap(),
    ))
}

fn erasure() -> SecretKey {
    SecretKey::from_slice(&[5; 32]).unwrap()
}

/// With its erasure key.
fn decode(record_key: &[u8], value: &[u8], wrapping: &SecretKey) -> Result<Key, String> {
    super::decode(record_key, value, wrapping, Some(&erasure()))
}

fn wrapping() -> SecretKey {
    SecretKey::from_slice(&[3; 32]).unwrap()
}

fn state() -> impl Strategy<Value = KeyState> {
    prop_oneof![
        Just(KeyState::Enabled),
        Just(KeyState::Disabled),
        (7..31_u32).prop_map(KeyState::PendingReplicaDeletion),
        Just(KeyState::PendingImport),
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

/// The record of a key with one material as older versions wrote it.
fn older(format: u32, key: &Key) -> serde_json::Value {
    let name = record_key(key.owner, key.region, key.id);
    let mut facts = serde_json::to_value(FactsRecord::from(key)).unwrap();
    if format == FIRST_FORMAT {
        for later in ["spec", "schedule", "materials"] {
            facts.as_object_mut().unwrap().remove(later);
        }
    }
    let facts = facts.to_string();
    let mut material = MaterialRecord {
        version: 1,
        id: key.material.id.to_string(),
        created_ms: key.material.created.as_millis(),
        made: Made::WithTheKey.into(),
        wrapped: String::new(),
    };
    let bound_to = folder_binding(format, &name, &facts, &material);
    let secret = key.material.secret.stored();
    material.wrapped = BASE64.encode(wrap(&wrapping(), secret, &bound_to, &SystemEntropy).unwrap());
    let record = KeyRecord {
        format,
        facts,
        materials: vec![material],
        seal: None,
    };
    let mut record = serde_json::to_value(&record).unwrap();
    if format == FIRST_FORMAT {
        record["materials"][0].as_object_mut().unwrap().remove("made");
    }
    record
}

#[test]
fn records_of_older_formats_are_read_without_an_erasure_key() {
    for format in [FIRST_FORMAT, FOLDER_FORMAT] {
        let key = key("old".to_owned(), KeyState::Enabled);
        let name = record_key(key.owner, key.region, key.id);
        let mut record = older(format, &key);
        let value = serde_json::to_vec(&record).unwrap();
        assert!(super::is_of_older_format(&value));
        let read = super::decode(&name, &value, &wrapping(), None).unwrap();
        assert!(read.material.secret == key.material.secret);
        assert_eq!(format!("{read:?}"), format!("{key:?}"));
        for other in [FIRST_FORMAT, FOLDER_FORMAT, FORMAT] {
            record["format"] = other.into();
            let value = serde_json::to_vec(&record).unwrap();
            assert_eq!(decode(&name, &value, &wrapping()).is_ok(), other == format);
        }
    }
}

#[test]
fn without_its_erasure_key_a_record_shows_its_facts_and_keeps_its_material_locked() {
    let key = rotated(1);
    let name = record_key(key.owner, key.region, key.id);
    let value = encode(&key, &wrapping(), &SystemEntropy).unwrap();
    let other = SecretKey::from_slice(&[6; 32]).unwrap();
    for erasure in [None, Some(&other)] {
        let mut read = super::decode(&name, &value, &wrapping(), erasure).unwrap();
        assert!(read.is_locked());
        assert_eq!(read.policy.text(), key.policy.text());
        // Its facts can be changed, and the material opens when the erasure key is back.
        read.description = "changed".to_owned();
        let value = encode(&read, &wrapping(), &SystemEntropy).unwrap();
        let back = decode(&name, &value, &wrapping()).unwrap();
        assert_eq!(back.description, "changed");
        assert!(back.material.secret == key.material.secret);
    }
}

#[test]
fn material_is_not_stored_under_the_key_of_another_record() {
    let mut key = key(String::new(), KeyState::Enabled);
    key.id = KeyId::from_entropy([8; 16]);
    assert!(encode(&key, &wrapping(), &SystemEntropy).is_err());
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
