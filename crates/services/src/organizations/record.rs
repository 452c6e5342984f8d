//! How organizations are stored: one directory record each for the organization, a unit, an account in it, a request
//! for an account, a control policy, and for which types of them are in use; JSON, in the partition of the management account.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number.

use super::control::{ControlKind, ControlPolicy, Controls, TargetId};
use super::organization::{Creation, CreationState, Member, Organization, Unit};
use super::view::Stored;
use bulla_storage::Change;
use bulla_types::{AccountId, OrganizationId, OrganizationalUnitId, ParentId, RootId, Timestamp};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All records begin so; then the kind, the organization, and what it is in it.
pub(super) const PREFIX: &str = "organizations/";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationRecord {
    format: u32,
    root: String,
    management_account: String,
    created_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitRecord {
    format: u32,
    name: String,
    parent: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberRecord {
    format: u32,
    name: String,
    email: String,
    parent: String,
    joined_ms: u64,
    created: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreationRecord {
    format: u32,
    name: String,
    email: String,
    role_name: String,
    requested_ms: u64,
    state: StateRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StateRecord {
    InProgress { account: String },
    Succeeded { account: String, completed_ms: u64 },
    EmailExists { completed_ms: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlsRecord {
    format: u32,
    enabled: Vec<String>,
    without_full_access: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyRecord {
    format: u32,
    name: String,
    description: String,
    kind: String,
    content: String,
    targets: Vec<String>,
}

/// What is to be committed for one change.
pub(super) fn change(stored: &Stored) -> Result<Change, serde_json::Error> {
    Ok(match stored {
        Stored::Organization(organization) => Change::Put(
            key("organization", organization.id, ""),
            bytes(&OrganizationRecord {
                format: FORMAT,
                root: organization.root.to_string(),
                management_account: organization.management_account.to_string(),
                created_ms: organization.created.as_millis(),
            })?,
        ),
        Stored::NoOrganization(id) => Change::Delete(key("organization", *id, "")),
        Stored::Unit(id, unit) => Change::Put(
            key("unit", *id, unit.id.as_str()),
            bytes(&UnitRecord {
                format: FORMAT,
                name: unit.name.clone(),
                parent: unit.parent.as_str().to_owned(),
            })?,
        ),
        Stored::NoUnit(id, unit) => Change::Delete(key("unit", *id, unit.as_str())),
        Stored::Member(id, member) => Change::Put(
            key("member", *id, member.account.as_str()),
            bytes(&MemberRecord {
                format: FORMAT,
                name: member.name.clone(),
                email: member.email.clone(),
                parent: member.parent.as_str().to_owned(),
                joined_ms: member.joined.as_millis(),
                created: member.created,
            })?,
        ),
        Stored::NoMember(id, account) => Change::Delete(key("member", *id, account.as_str())),
        Stored::Creation(id, creation) => {
            Change::Put(key("creation", *id, &creation.id), bytes(&encode(creation))?)
        }
        Stored::NoCreation(id, creation) => Change::Delete(key("creation", *id, creation)),
        Stored::Controls(id, controls) => Change::Put(
            key("controls", *id, ""),
            bytes(&ControlsRecord {
                format: FORMAT,
                enabled: controls
                    .enabled
                    .iter()
                    .map(|kind| kind.name().to_owned())
                    .collect(),
                without_full_access: target_records(&controls.without_full_access),
            })?,
        ),
        Stored::NoControls(id) => Change::Delete(key("controls", *id, "")),
        Stored::Policy(id, policy) => Change::Put(
            key("policy", *id, &policy.id),
            bytes(&PolicyRecord {
                format: FORMAT,
                name: policy.name.clone(),
                description: policy.description.clone(),
                kind: policy.kind.name().to_owned(),
                content: policy.policy.text().to_owned(),
                targets: target_records(&policy.targets),
            })?,
        ),
        Stored::NoPolicy(id, policy) => Change::Delete(key("policy", *id, policy)),
    })
}

fn target_records(targets: &BTreeSet<TargetId>) -> Vec<String> {
    targets.iter().map(|target| target.as_str().to_owned()).collect()
}

fn targets(records: &[String]) -> Result<BTreeSet<TargetId>, String> {
    let parsed = records
        .iter()
        .map(|text| TargetId::parse(text).ok_or_else(|| format!("`{text}` is no target of a policy")));
    parsed.collect()
}

fn kind(text: &str) -> Result<ControlKind, String> {
    ControlKind::parse(text).map_err(|_| format!("`{text}` is no type of policy"))
}

fn encode(creation: &Creation) -> CreationRecord {
    CreationRecord {
        format: FORMAT,
        name: creation.name.clone(),
        email: creation.email.clone(),
        role_name: creation.role_name.clone(),
        requested_ms: creation.requested.as_millis(),
        state: match creation.state {
            CreationState::InProgress { account } => StateRecord::InProgress {
                account: account.to_string(),
            },
            CreationState::Succeeded { account, completed } => StateRecord::Succeeded {
                account: account.to_string(),
                completed_ms: completed.as_millis(),
            },
            CreationState::EmailExists { completed } => StateRecord::EmailExists {
                completed_ms: completed.as_millis(),
            },
        },
    }
}

fn key(kind: &str, organization: OrganizationId, rest: &str) -> Bytes {
    if rest.is_empty() {
        return format!("{PREFIX}{kind}/{organization}").into();
    }
    format!("{PREFIX}{kind}/{organization}/{rest}").into()
}

fn bytes(record: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(record).map(Bytes::from)
}

/// A stored record, checked.
///
/// # Errors
/// What is wrong with it, for the operator.
pub(super) fn decode(key: &[u8], value: &[u8]) -> Result<Stored, String> {
    let key = std::str::from_utf8(key).map_err(|_| "its name is not text".to_owned())?;
    let parts: Vec<&str> = key.strip_prefix(PREFIX).unwrap_or_default().split('/').collect();
    let (kind, id, rest) = match *parts.as_slice() {
        [kind, id] => (kind, id, ""),
        [kind, id, rest] => (kind, id, rest),
        _ => return Err("its name is not that of a part of an organization".to_owned()),
    };
    let id = OrganizationId::parse(id).map_err(|error| error.to_string())?;
    match kind {
        "organization" => decode_organization(id, value),
        "unit" => decode_unit(id, rest, value),
        "member" => decode_member(id, rest, value),
        "creation" => decode_creation(id, rest, value),
        "controls" => decode_controls(id, value),
        "policy" => decode_policy(id, rest, value),
        other => Err(format!("there are no records of the kind `{other}`")),
    }
}

fn decode_organization(id: OrganizationId, value: &[u8]) -> Result<Stored, String> {
    let record: OrganizationRecord = read(value)?;
    check_format(record.format)?;
    Ok(Stored::Organization(Organization {
        id,
        root: RootId::parse(&record.root).map_err(|error| error.to_string())?,
        management_account: account(&record.management_account)?,
        created: Timestamp::from_millis(record.created_ms),
    }))
}

fn decode_controls(id: OrganizationId, value: &[u8]) -> Result<Stored, String> {
    let record: ControlsRecord = read(value)?;
    check_format(record.format)?;
    let enabled = record.enabled.iter().map(|text| kind(text));
    let controls = Controls {
        enabled: enabled.collect::<Result<_, _>>()?,
        without_full_access: targets(&record.without_full_access)?,
    };
    Ok(Stored::Controls(id, controls))
}

fn decode_policy(id: OrganizationId, policy: &str, value: &[u8]) -> Result<Stored, String> {
    let record: PolicyRecord = read(value)?;
    check_format(record.format)?;
    let kind = kind(&record.kind)?;
    let policy = ControlPolicy {
        id: policy.to_owned(),
        policy: kind.compile_stored(&record.content, &record.name)?,
        name: record.name,
        description: record.description,
        kind,
        targets: targets(&record.targets)?,
    };
    Ok(Stored::Policy(id, policy))
}

fn decode_unit(id: OrganizationId, unit: &str, value: &[u8]) -> Result<Stored, String> {
    let record: UnitRecord = read(value)?;
    check_format(record.format)?;
    let unit = OrganizationalUnitId::parse(unit).map_err(|error| error.to_string())?;
    Ok(Stored::Unit(
        id,
        Unit {
            id: unit,
            name: record.name,
            parent: parent(&record.parent)?,
        },
    ))
}

fn decode_member(id: OrganizationId, member: &str, value: &[u8]) -> Result<Stored, String> {
    let record: MemberRecord = read(value)?;
    check_format(record.format)?;
    let member = Member {
        account: account(member)?,
        name: record.name,
        email: record.email,
        parent: parent(&record.parent)?,
        joined: Timestamp::from_millis(record.joined_ms),
        created: record.created,
    };
    Ok(Stored::Member(id, member))
}

fn decode_creation(id: OrganizationId, creation: &str, value: &[u8]) -> Result<Stored, String> {
    let record: CreationRecord = read(value)?;
    check_format(record.format)?;
    let state = match record.state {
        StateRecord::InProgress { account: id } => CreationState::InProgress {
            account: account(&id)?,
        },
        StateRecord::Succeeded {
            account: id,
            completed_ms,
        } => CreationState::Succeeded {
            account: account(&id)?,
            completed: Timestamp::from_millis(completed_ms),
        },
        StateRecord::EmailExists { completed_ms } => CreationState::EmailExists {
            completed: Timestamp::from_millis(completed_ms),
        },
    };
    let creation = Creation {
        id: creation.to_owned(),
        name: record.name,
        email: record.email,
        role_name: record.role_name,
        requested: Timestamp::from_millis(record.requested_ms),
        state,
    };
    Ok(Stored::Creation(id, creation))
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

fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|error| error.to_string())
}

fn parent(text: &str) -> Result<ParentId, String> {
    ParentId::parse(text).map_err(|error| error.to_string())
}
