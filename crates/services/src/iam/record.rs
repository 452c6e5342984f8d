//! How accounts, users and roles are stored: one directory record each, JSON, in the partition of the account.
//!
//! Secrets of access keys stand in them wrapped by a key that is derived from the data folder's instance key, bound
//! to account, owner and access key id, so that one key's secret cannot be put in another's place.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number.

use super::documents::stored_identity_policy;
use super::entity::{AccessKey, Account, Entity, Profile, Role, Stored, User, entity_arn};
use super::identity;
use super::shapes::Tag;
use super::trust::Trust;
use super::validate::Tags;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{SealError, SecretKey, encode_parts, unwrap, wrap};
use bulla_gate::SecretAccessKey;
use bulla_runtime::Entropy;
use bulla_storage::Change;
use bulla_types::{AccountId, Timestamp};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// All records begin so; then the kind, the account, and for users and roles the unique id.
pub(super) const PREFIX: &str = "iam/";
const FORMAT: u32 = 1;
const LABEL: &[u8] = b"bulla access key 1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountRecord {
    format: u32,
    created_ms: u64,
    keys: Vec<KeyRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    id: String,
    created_ms: u64,
    active: bool,
    /// Base64.
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileRecord {
    name: String,
    path: String,
    created_ms: u64,
    tags: Vec<(String, String)>,
    policies: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserRecord {
    format: u32,
    profile: ProfileRecord,
    keys: Vec<KeyRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRecord {
    format: u32,
    profile: ProfileRecord,
    trust: String,
    /// Unique ids by ARN.
    trusted: BTreeMap<String, String>,
    description: Option<String>,
    max_session_seconds: i32,
}

fn account_key(account: AccountId) -> Bytes {
    format!("{PREFIX}account/{account}").into()
}

fn entity_key(kind: &str, profile: &Profile) -> Bytes {
    format!("{PREFIX}{kind}/{}/{}", profile.account, profile.id).into()
}

/// What is to be committed for one change.
pub(super) fn change(stored: &Stored) -> Result<Change, serde_json::Error> {
    Ok(match stored {
        Stored::Account(account) => Change::Put(account_key(account.id), encode_account(account)?),
        Stored::User(user) => Change::Put(entity_key(User::KIND, &user.profile), encode_user(user)?),
        Stored::Role(role) => Change::Put(entity_key(Role::KIND, &role.profile), encode_role(role)?),
        Stored::NoUser(user) => Change::Delete(entity_key(User::KIND, &user.profile)),
        Stored::NoRole(role) => Change::Delete(entity_key(Role::KIND, &role.profile)),
    })
}

fn encode_account(account: &Account) -> Result<Bytes, serde_json::Error> {
    let keys = account.keys.iter().map(key_record).collect();
    bytes(&AccountRecord {
        format: FORMAT,
        created_ms: account.created.as_millis(),
        keys,
    })
}

fn encode_user(user: &User) -> Result<Bytes, serde_json::Error> {
    let keys = user.keys.iter().map(key_record).collect();
    bytes(&UserRecord {
        format: FORMAT,
        profile: profile_record(&user.profile),
        keys,
    })
}

fn encode_role(role: &Role) -> Result<Bytes, serde_json::Error> {
    bytes(&RoleRecord {
        format: FORMAT,
        profile: profile_record(&role.profile),
        trust: role.trust.given().to_owned(),
        trusted: role.trust.bindings().clone(),
        description: role.description.clone(),
        max_session_seconds: role.max_session_seconds,
    })
}

fn bytes(record: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(record).map(Bytes::from)
}

fn key_record(key: &AccessKey) -> KeyRecord {
    KeyRecord {
        id: key.id.to_string(),
        created_ms: key.created.as_millis(),
        active: key.active,
        wrapped: key.wrapped.to_string(),
    }
}

fn profile_record(profile: &Profile) -> ProfileRecord {
    ProfileRecord {
        name: profile.name.clone(),
        path: profile.path.clone(),
        created_ms: profile.created.as_millis(),
        tags: profile
            .tags
            .values()
            .map(|tag| (tag.key.clone(), tag.value.clone()))
            .collect(),
        policies: profile
            .policies
            .iter()
            .map(|(name, policy)| (name.clone(), policy.text().to_owned()))
            .collect(),
    }
}

/// What a stored secret is bound to: the account, the owner's id (the account again for its root user), the key's id.
fn binding(account: AccountId, owner: &str, key: &str) -> Vec<u8> {
    encode_parts(&[
        LABEL,
        account.as_str().as_bytes(),
        owner.as_bytes(),
        key.as_bytes(),
    ])
}

/// Wraps the secret of a new access key.
pub(super) fn wrap_secret(
    wrapping: &SecretKey,
    account: AccountId,
    owner: &str,
    key: &str,
    secret: &SecretAccessKey,
    entropy: &dyn Entropy,
) -> Result<Arc<str>, SealError> {
    let wrapped = wrap(
        wrapping,
        secret.expose().as_bytes(),
        &binding(account, owner, key),
        entropy,
    )?;
    Ok(BASE64.encode(wrapped).into())
}

/// A stored record, checked and compiled.
///
/// # Errors
/// What is wrong with it, for the operator.
pub(super) fn decode(key: &[u8], value: &[u8], wrapping: &SecretKey) -> Result<Stored, String> {
    let key = std::str::from_utf8(key).map_err(|_| "its name is not text".to_owned())?;
    let parts: Vec<&str> = key.strip_prefix(PREFIX).unwrap_or_default().split('/').collect();
    let (kind, account, id) = match *parts.as_slice() {
        ["account", account] => ("account", account, account),
        [kind, account, id] => (kind, account, id),
        _ => return Err("its name is not that of an account, user or role".to_owned()),
    };
    let account = AccountId::parse(account).map_err(|error| error.to_string())?;
    let keys = |records: Vec<KeyRecord>| -> Result<Vec<AccessKey>, String> {
        records
            .into_iter()
            .map(|record| decode_key(account, id, record, wrapping))
            .collect()
    };
    match kind {
        "account" => {
            let record: AccountRecord = read(value)?;
            check_format(record.format)?;
            let created = Timestamp::from_millis(record.created_ms);
            let account = Account {
                id: account,
                created,
                keys: keys(record.keys)?,
                identity: identity::root(account),
            };
            Ok(Stored::Account(account))
        }
        User::KIND => {
            let record: UserRecord = read(value)?;
            check_format(record.format)?;
            let profile = decode_profile::<User>(account, id, record.profile)?;
            Ok(Stored::User(User {
                profile,
                keys: keys(record.keys)?,
            }))
        }
        Role::KIND => {
            let record: RoleRecord = read(value)?;
            check_format(record.format)?;
            let trust = Trust::stored(&record.trust, record.trusted)
                .map_err(|error| format!("its trust policy does not compile: {error}"))?;
            Ok(Stored::Role(Role {
                profile: decode_profile::<Role>(account, id, record.profile)?,
                trust,
                description: record.description,
                max_session_seconds: record.max_session_seconds,
            }))
        }
        other => Err(format!("there are no records of the kind `{other}`")),
    }
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, String> {
    serde_json::from_slice(value).map_err(|error| error.to_string())
}

fn check_format(format: u32) -> Result<(), String> {
    if format == FORMAT {
        return Ok(());
    }
    Err(format!("its format is {format}, this version reads {FORMAT}"))
}

fn decode_profile<E: Entity>(account: AccountId, id: &str, record: ProfileRecord) -> Result<Profile, String> {
    let words = format!("{} {}", E::KIND, record.name);
    let mut policies = BTreeMap::new();
    for (name, text) in record.policies {
        let policy = stored_identity_policy(&text, E::OWNER, &name, &words)
            .map_err(|error| format!("its policy `{name}` does not compile: {error}"))?;
        policies.insert(name, policy);
    }
    let tags: Tags = record
        .tags
        .into_iter()
        .map(|(key, value)| (key.to_lowercase(), Tag { key, value }))
        .collect();
    Ok(Profile {
        account,
        id: id.into(),
        arn: entity_arn(account, E::KIND, &record.path, &record.name),
        name: record.name,
        path: record.path,
        created: Timestamp::from_millis(record.created_ms),
        tags,
        policies,
    })
}

fn decode_key(
    account: AccountId,
    owner: &str,
    record: KeyRecord,
    wrapping: &SecretKey,
) -> Result<AccessKey, String> {
    let damaged = |why: String| format!("its access key {} is damaged: {why}", record.id);
    let wrapped = BASE64
        .decode(&record.wrapped)
        .map_err(|error| damaged(error.to_string()))?;
    let secret = unwrap(wrapping, &wrapped, &binding(account, owner, &record.id))
        .map_err(|error| damaged(error.to_string()))?;
    let text = std::str::from_utf8(secret.expose()).map_err(|error| damaged(error.to_string()))?;
    Ok(AccessKey {
        secret: Arc::new(SecretAccessKey::new(Zeroizing::new(text.to_owned()))),
        id: record.id.into(),
        wrapped: record.wrapped.into(),
        active: record.active,
        created: Timestamp::from_millis(record.created_ms),
    })
}
