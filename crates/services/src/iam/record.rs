//! How accounts, users, groups, roles and managed policies are stored: one directory record each, JSON, in the partition of the account.
//!
//! Secrets of access keys stand in them wrapped by a key that is derived from the data folder's instance key, bound
//! to account, owner and access key id, so that one key's secret cannot be put in another's place.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number.

use super::documents::{labelled_managed, stored_identity_policy};
use super::entity::{AccessKey, Account, Entity, Group, Naming, Profile, Role, Stored, User};
use super::identity;
use super::managed::{ManagedPolicy, PolicyVersion, policy_arn};
use super::shapes::Tag;
use super::trust::Trust;
use super::validate::Tags;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{SealError, SecretKey, encode_parts, unwrap, wrap};
use bulla_gate::{SecretAccessKey, fold_tag_key};
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_runtime::Entropy;
use bulla_storage::Change;
use bulla_types::{AccountId, Timestamp};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// All records begin so; then the kind, the account, and for all but accounts the unique id.
pub(super) const PREFIX: &str = "iam/";
const FORMAT: u32 = 1;
/// Of accounts, users and roles: 2 has alias, attached policies, boundary and groups, which 1 lacks.
const PROFILE_FORMAT: u32 = 2;
const LABEL: &[u8] = b"bulla access key 1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountRecord {
    format: u32,
    created_ms: u64,
    keys: Vec<KeyRecord>,
    #[serde(default)]
    alias: Option<String>,
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
    #[serde(default)]
    attached: Vec<String>,
    #[serde(default)]
    boundary: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserRecord {
    format: u32,
    profile: ProfileRecord,
    keys: Vec<KeyRecord>,
    /// Unique ids.
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupRecord {
    format: u32,
    profile: ProfileRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyRecord {
    format: u32,
    name: String,
    path: String,
    description: Option<String>,
    created_ms: u64,
    updated_ms: u64,
    tags: Vec<(String, String)>,
    default: u32,
    last: u32,
    versions: BTreeMap<u32, VersionRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionRecord {
    created_ms: u64,
    document: String,
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

fn policy_key(policy: &ManagedPolicy) -> Bytes {
    let account = policy.account.map(|account| account.to_string());
    format!("{PREFIX}policy/{}/{}", account.unwrap_or_default(), policy.id).into()
}

/// What is to be committed for one change.
pub(super) fn change(stored: &Stored) -> Result<Change, serde_json::Error> {
    Ok(match stored {
        Stored::Account(account) => Change::Put(account_key(account.id), encode_account(account)?),
        Stored::User(user) => Change::Put(entity_key(User::KIND, &user.profile), encode_user(user)?),
        Stored::Role(role) => Change::Put(entity_key(Role::KIND, &role.profile), encode_role(role)?),
        Stored::Group(group) => Change::Put(entity_key(Group::KIND, &group.profile), encode_group(group)?),
        Stored::Policy(policy) => Change::Put(policy_key(policy), encode_policy(policy)?),
        Stored::NoGroup(group) => Change::Delete(entity_key(Group::KIND, &group.profile)),
        Stored::NoPolicy(policy) => Change::Delete(policy_key(policy)),
        Stored::NoUser(user) => Change::Delete(entity_key(User::KIND, &user.profile)),
        Stored::NoRole(role) => Change::Delete(entity_key(Role::KIND, &role.profile)),
    })
}

fn encode_account(account: &Account) -> Result<Bytes, serde_json::Error> {
    let keys = account.keys.iter().map(key_record).collect();
    bytes(&AccountRecord {
        format: PROFILE_FORMAT,
        created_ms: account.created.as_millis(),
        keys,
        alias: account.alias.clone(),
    })
}

fn encode_user(user: &User) -> Result<Bytes, serde_json::Error> {
    let keys = user.keys.iter().map(key_record).collect();
    bytes(&UserRecord {
        format: PROFILE_FORMAT,
        profile: profile_record(&user.profile),
        keys,
        groups: user.groups.iter().map(ToString::to_string).collect(),
    })
}

fn encode_group(group: &Group) -> Result<Bytes, serde_json::Error> {
    bytes(&GroupRecord {
        format: FORMAT,
        profile: profile_record(&group.profile),
    })
}

fn encode_policy(policy: &ManagedPolicy) -> Result<Bytes, serde_json::Error> {
    let versions = policy.versions.iter().map(|(number, version)| {
        let record = VersionRecord {
            created_ms: version.created.as_millis(),
            document: version.policy.text().to_owned(),
        };
        (*number, record)
    });
    bytes(&PolicyRecord {
        format: FORMAT,
        name: policy.name.clone(),
        path: policy.path.clone(),
        description: policy.description.clone(),
        created_ms: policy.created.as_millis(),
        updated_ms: policy.updated.as_millis(),
        tags: tag_records(&policy.tags),
        default: policy.default,
        last: policy.last,
        versions: versions.collect(),
    })
}

fn encode_role(role: &Role) -> Result<Bytes, serde_json::Error> {
    bytes(&RoleRecord {
        format: PROFILE_FORMAT,
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
        tags: tag_records(&profile.tags),
        policies: profile
            .policies
            .iter()
            .map(|(name, policy)| (name.clone(), policy.text().to_owned()))
            .collect(),
        attached: profile.attached.iter().map(ToString::to_string).collect(),
        boundary: profile.boundary.as_deref().map(str::to_owned),
    }
}

fn tag_records(tags: &Tags) -> Vec<(String, String)> {
    tags.values()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

fn decode_tags(records: Vec<(String, String)>) -> Tags {
    records
        .into_iter()
        .map(|(key, value)| (fold_tag_key(&key), Tag { key, value }))
        .collect()
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
        _ => return Err("its name is not that of an account or of what an account has".to_owned()),
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
            check_format(record.format, PROFILE_FORMAT)?;
            let created = Timestamp::from_millis(record.created_ms);
            let account = Account {
                id: account,
                created,
                keys: keys(record.keys)?,
                alias: record.alias,
                identity: identity::root(account),
            };
            Ok(Stored::Account(account))
        }
        User::KIND => {
            let record: UserRecord = read(value)?;
            check_format(record.format, PROFILE_FORMAT)?;
            let profile = decode_profile::<User>(account, id, record.profile)?;
            Ok(Stored::User(User {
                profile,
                keys: keys(record.keys)?,
                groups: record.groups.into_iter().map(Into::into).collect(),
            }))
        }
        Group::KIND => {
            let record: GroupRecord = read(value)?;
            check_format(record.format, FORMAT)?;
            let profile = decode_profile::<Group>(account, id, record.profile)?;
            Ok(Stored::Group(Group { profile }))
        }
        "policy" => decode_policy(account, id, read(value)?).map(Stored::Policy),
        Role::KIND => {
            let record: RoleRecord = read(value)?;
            check_format(record.format, PROFILE_FORMAT)?;
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

fn check_format(format: u32, newest: u32) -> Result<(), String> {
    if (1..=newest).contains(&format) {
        return Ok(());
    }
    Err(format!(
        "its format is {format}, this version reads up to {newest}"
    ))
}

fn decode_profile<E: Entity>(account: AccountId, id: &str, record: ProfileRecord) -> Result<Profile, String> {
    let words = format!("{} {}", E::KIND, record.name);
    let naming = Naming {
        account,
        id: id.into(),
        path: record.path,
        name: record.name,
    };
    let created = Timestamp::from_millis(record.created_ms);
    let mut profile = Profile::new::<E>(naming, created, decode_tags(record.tags));
    profile.attached = record.attached.into_iter().map(Into::into).collect();
    profile.boundary = record.boundary.map(Into::into);
    for (name, text) in record.policies {
        let policy = stored_identity_policy(&text, E::OWNER, &name, &words)
            .map_err(|error| format!("its policy `{name}` does not compile: {error}"))?;
        profile.policies.insert(name, policy);
    }
    Ok(profile)
}

fn decode_policy(account: AccountId, id: &str, record: PolicyRecord) -> Result<ManagedPolicy, String> {
    check_format(record.format, FORMAT)?;
    let mut versions = BTreeMap::new();
    for (number, version) in record.versions {
        let policy = Policy::parse_lenient(&version.document, PolicyKind::Identity(IdentityOwner::Managed))
            .map_err(|error| format!("its version v{number} does not compile: {error}"))?;
        let version = PolicyVersion {
            created: Timestamp::from_millis(version.created_ms),
            policy: labelled_managed(policy, &record.name),
        };
        versions.insert(number, version);
    }
    if !versions.contains_key(&record.default) {
        return Err("its default version is not among its versions".to_owned());
    }
    Ok(ManagedPolicy {
        account: Some(account),
        id: id.into(),
        arn: policy_arn(Some(account), &record.path, &record.name),
        name: record.name,
        path: record.path,
        created: Timestamp::from_millis(record.created_ms),
        updated: Timestamp::from_millis(record.updated_ms),
        description: record.description,
        tags: decode_tags(record.tags),
        versions,
        default: record.default,
        last: record.last,
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
