//! Control policies: limits for the principals (SCP) and for the resources (RCP) of an organization's accounts.
//!
//! AWS's two policies are not stored: `RCPFullAWSAccess` is everywhere and limits nothing, and of `FullAWSAccess` it is
//! stored from what it was detached, so that a new unit or account has it without a write. A policy keeps its targets;
//! one that is gone meanwhile is nobody's, because ids are never given twice.
//!
//! What must stay true: with the type enabled every root, unit and account has at least one SCP, and what is attached
//! binds the account's next call.

use super::errors::OrganizationsError;
use super::limits::{ATTACHED_MAX, POLICY_DESCRIPTION_CHARS_MAX, POLICY_NAME_CHARS_MAX};
use super::organization::{Member, Organization};
use super::shapes::{PolicySummary, PolicyTargetSummary};
use super::view::Tree;
use bulla_policy::{Level, Policy, PolicyKind, Reason};
use bulla_types::{AccountId, ParentId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a control policy limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ControlKind {
    /// `SERVICE_CONTROL_POLICY`: principals.
    Service,
    /// `RESOURCE_CONTROL_POLICY`: resources.
    Resource,
}

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TargetId {
    /// An account.
    Account(AccountId),
    /// A root or unit.
    Parent(ParentId),
}

/// Which types are in use, and from what `FullAWSAccess` was detached.
#[derive(Clone, Debug, Default)]
pub(super) struct Controls {
    pub(super) enabled: BTreeSet<ControlKind>,
    pub(super) without_full_access: BTreeSet<TargetId>,
}

/// A control policy of the organization's own.
#[derive(Clone, Debug)]
pub(super) struct ControlPolicy {
    /// `p-…`.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) kind: ControlKind,
    pub(super) policy: Arc<Policy>,
    pub(super) targets: BTreeSet<TargetId>,
}

/// A control policy that a request names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// AWS's, which allows everything.
    FullAccess(ControlKind),
    /// The organization's own.
    Own(&'a ControlPolicy),
}

const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const RESOURCE_FULL_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const FULL_ACCESS_ID: &str = "p-FullAWSAccess";
const RESOURCE_FULL_ACCESS_ID: &str = "p-RCPFullAWSAccess";

impl ControlKind {
    /// As the API names it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Service => "SERVICE_CONTROL_POLICY",
            Self::Resource => "RESOURCE_CONTROL_POLICY",
        }
    }

    /// The one of that name. AWS's other types are no limits of access; they are not built.
    pub(super) fn parse(text: &str) -> Result<Self, OrganizationsError> {
        match text {
            "SERVICE_CONTROL_POLICY" => Ok(Self::Service),
            "RESOURCE_CONTROL_POLICY" => Ok(Self::Resource),
            _ => Err(OrganizationsError::PolicyTypeNotAvailable),
        }
    }

    const fn language(self) -> PolicyKind {
        match self {
            Self::Service => PolicyKind::ServiceControl,
            Self::Resource => PolicyKind::ResourceControl,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Service => "service control policy",
            Self::Resource => "resource control policy",
        }
    }

    /// Compiles a document that is to be stored.
    pub(super) fn compile(self, text: &str, name: &str) -> Result<Arc<Policy>, OrganizationsError> {
        let policy = Policy::parse(text, self.language()).map_err(|rejection| {
            let reason = rejection.to_string();
            if rejection.reason() == Reason::TooLarge {
                OrganizationsError::ConstraintViolation { reason }
            } else {
                OrganizationsError::MalformedPolicyDocument { reason }
            }
        })?;
        Ok(self.labelled(policy, name))
    }

    /// Compiles a document that was stored.
    pub(super) fn compile_stored(self, text: &str, name: &str) -> Result<Arc<Policy>, String> {
        let policy = Policy::parse_lenient(text, self.language())
            .map_err(|error| format!("its document does not compile: {error}"))?;
        Ok(self.labelled(policy, name))
    }

    /// With the words that explanations call it by.
    pub(super) fn labelled(self, policy: Policy, name: &str) -> Arc<Policy> {
        Arc::new(policy.labelled(format!("{} \"{name}\"", self.words())))
    }
}

/// `FullAWSAccess`, compiled.
///
/// # Errors
/// It is not understood: a defect.
pub(super) fn full_access() -> Result<Arc<Policy>, String> {
    ControlKind::Service.compile_stored(FULL_ACCESS, "FullAWSAccess")
}

/// A policy's name and description.
pub(super) fn check_words(name: &str, description: &str) -> Result<(), OrganizationsError> {
    let name_chars = name.chars().count();
    if !(1..=POLICY_NAME_CHARS_MAX).contains(&name_chars) || name.trim().is_empty() {
        let reason = format!("The name of a policy has 1 to {POLICY_NAME_CHARS_MAX} characters.");
        return Err(OrganizationsError::InvalidInput { reason });
    }
    if description.chars().count() > POLICY_DESCRIPTION_CHARS_MAX {
        let reason =
            format!("The description of a policy has at most {POLICY_DESCRIPTION_CHARS_MAX} characters.");
        return Err(OrganizationsError::InvalidInput { reason });
    }
    Ok(())
}

impl TargetId {
    /// As requests name it.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Account(account) => account.as_str(),
            Self::Parent(parent) => parent.as_str(),
        }
    }

    /// The account, root or unit with this id.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let account = AccountId::parse(text).ok().map(Self::Account);
        account.or_else(|| ParentId::parse(text).ok().map(Self::Parent))
    }

    /// Its ARN.
    pub(super) fn arn(self, organization: &Organization) -> String {
        match self {
            Self::Account(account) => organization.account_arn(account),
            Self::Parent(parent) => organization.parent_arn(parent),
        }
    }
}

impl Found<'_> {
    /// What it limits.
    pub(super) fn kind(&self) -> ControlKind {
        match self {
            Self::FullAccess(kind) => *kind,
            Self::Own(policy) => policy.kind,
        }
    }

    /// Whether it has this name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        match self {
            Self::FullAccess(ControlKind::Service) => name == "FullAWSAccess",
            Self::FullAccess(ControlKind::Resource) => name == "RCPFullAWSAccess",
            Self::Own(policy) => policy.name == name,
        }
    }

    /// Whether it is the organization's own with this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        match self {
            Self::FullAccess(_) => false,
            Self::Own(policy) => policy.id == id,
        }
    }

    /// The document.
    pub(super) fn content(&self) -> &str {
        match self {
            Self::FullAccess(ControlKind::Service) => FULL_ACCESS,
            Self::FullAccess(ControlKind::Resource) => RESOURCE_FULL_ACCESS,
            Self::Own(policy) => policy.policy.text(),
        }
    }

    /// All but the document.
    pub(super) fn summary(&self, organization: &Organization) -> PolicySummary {
        let (id, name, description) = match self {
            Self::FullAccess(ControlKind::Service) => (
                FULL_ACCESS_ID,
                "FullAWSAccess",
                "Allows access to every operation",
            ),
            Self::FullAccess(ControlKind::Resource) => (
                RESOURCE_FULL_ACCESS_ID,
                "RCPFullAWSAccess",
                "Allows access to every resource",
            ),
            Self::Own(policy) => (
                policy.id.as_str(),
                policy.name.as_str(),
                policy.description.as_str(),
            ),
        };
        PolicySummary {
            id: Some(id.to_owned()),
            arn: Some(policy_arn(organization, self.kind(), id)),
            name: Some(name.to_owned()),
            description: Some(description.to_owned()),
            kind: Some(self.kind().name().to_owned()),
            aws_managed: Some(matches!(self, Self::FullAccess(_))),
        }
    }
}

/// `arn:aws:organizations::MANAGEMENT:policy/o-…/TYPE/p-…`; AWS's own belong to no organization.
pub(super) fn policy_arn(organization: &Organization, kind: ControlKind, id: &str) -> String {
    let kind = kind.name().to_ascii_lowercase();
    if [FULL_ACCESS_ID, RESOURCE_FULL_ACCESS_ID].contains(&id) {
        return format!("arn:aws:organizations::aws:policy/{kind}/{id}");
    }
    let (manager, organization) = (organization.management_account, organization.id);
    format!("arn:aws:organizations::{manager}:policy/{organization}/{kind}/{id}")
}

impl Tree {
    /// The policy with this id.
    pub(super) fn found(&self, id: &str) -> Result<Found<'_>, OrganizationsError> {
        match id {
            FULL_ACCESS_ID => Ok(Found::FullAccess(ControlKind::Service)),
            RESOURCE_FULL_ACCESS_ID => Ok(Found::FullAccess(ControlKind::Resource)),
            own => self
                .policies
                .get(own)
                .map(Found::Own)
                .ok_or(OrganizationsError::PolicyNotFound),
        }
    }

    /// The organization's own policy with this id; AWS's cannot be changed.
    pub(super) fn own_policy(&self, id: &str) -> Result<&ControlPolicy, OrganizationsError> {
        match self.found(id)? {
            Found::Own(policy) => Ok(policy),
            Found::FullAccess(_) => Err(OrganizationsError::InvalidInput {
                reason: "You can't change a policy that AWS manages.".to_owned(),
            }),
        }
    }

    /// All policies of a type, AWS's first.
    pub(super) fn policies_of(&self, kind: ControlKind) -> impl Iterator<Item = Found<'_>> {
        let own = self.policies.values().filter(move |policy| policy.kind == kind);
        // An upper-case letter sorts before those that ids of one's own begin with.
        std::iter::once(Found::FullAccess(kind)).chain(own.map(Found::Own))
    }

    /// Whether there is such an account, root or unit.
    pub(super) fn has_target(&self, target: TargetId) -> bool {
        match target {
            TargetId::Account(account) => self.members.contains_key(&account),
            TargetId::Parent(parent) => self.has_parent(parent),
        }
    }

    /// Whether a policy is attached to something directly.
    pub(super) fn is_attached(&self, policy: Found<'_>, target: TargetId) -> bool {
        if !self.controls.enabled.contains(&policy.kind()) {
            return false;
        }
        match policy {
            Found::FullAccess(ControlKind::Resource) => true,
            Found::FullAccess(ControlKind::Service) => !self.controls.without_full_access.contains(&target),
            Found::Own(policy) => policy.targets.contains(&target),
        }
    }

    /// Whether one more policy of this type can be attached.
    pub(super) fn check_room(&self, kind: ControlKind, target: TargetId) -> Result<(), OrganizationsError> {
        let attached = self
            .policies_of(kind)
            .filter(|found| self.is_attached(*found, target));
        if attached.count() < ATTACHED_MAX {
            return Ok(());
        }
        let reason = format!(
            "You have attached the most policies of this type that one target can have: {ATTACHED_MAX}."
        );
        Err(OrganizationsError::ConstraintViolation { reason })
    }

    /// What a policy is attached to, of what is still there.
    pub(super) fn targets_of(&self, policy: Found<'_>) -> Vec<TargetId> {
        let root = TargetId::Parent(ParentId::Root(self.organization.root));
        let units = self
            .units
            .keys()
            .map(|unit| TargetId::Parent(ParentId::Unit(*unit)));
        let accounts = self.members.keys().map(|account| TargetId::Account(*account));
        let all = std::iter::once(root).chain(units).chain(accounts);
        all.filter(|target| self.is_attached(policy, *target)).collect()
    }

    /// A target as lists show it.
    pub(super) fn target(&self, target: TargetId) -> PolicyTargetSummary {
        let (name, kind) = match target {
            TargetId::Account(account) => (
                self.members.get(&account).map(|member| member.name.clone()),
                "ACCOUNT",
            ),
            TargetId::Parent(ParentId::Root(_)) => (Some("Root".to_owned()), "ROOT"),
            TargetId::Parent(ParentId::Unit(unit)) => (
                self.units.get(&unit).map(|unit| unit.name.clone()),
                "ORGANIZATIONAL_UNIT",
            ),
        };
        PolicyTargetSummary {
            target_id: Some(target.as_str().to_owned()),
            arn: Some(target.arn(&self.organization)),
            name,
            kind: Some(kind.to_owned()),
        }
    }

    /// What limits an account: the policies of a type from the root down to it; nothing where the type is not in use.
    pub(super) fn levels(&self, kind: ControlKind, member: &Member, full_access: &Arc<Policy>) -> Vec<Level> {
        if !self.controls.enabled.contains(&kind) {
            return Vec::new();
        }
        let root = TargetId::Parent(ParentId::Root(self.organization.root));
        let units = self.chain(member.parent).into_iter();
        let units = units.map(|unit| TargetId::Parent(ParentId::Unit(unit)));
        let nodes = std::iter::once(root)
            .chain(units)
            .chain([TargetId::Account(member.account)]);
        nodes.map(|node| self.level(kind, node, full_access)).collect()
    }

    fn level(&self, kind: ControlKind, node: TargetId, full_access: &Arc<Policy>) -> Level {
        let attached = self
            .policies_of(kind)
            .filter(|found| self.is_attached(*found, node));
        let policies = attached.filter_map(|found| match found {
            Found::FullAccess(ControlKind::Service) => Some(Arc::clone(full_access)),
            // It limits nothing, and RCPs do nothing but deny.
            Found::FullAccess(ControlKind::Resource) => None,
            Found::Own(policy) => Some(Arc::clone(&policy.policy)),
        });
        let kind_of_node = match node {
            TargetId::Account(_) => "account",
            TargetId::Parent(ParentId::Root(_)) => "root",
            TargetId::Parent(ParentId::Unit(_)) => "unit",
        };
        Level {
            name: format!("{kind_of_node} {}", node.as_str()).into(),
            policies: policies.collect(),
        }
    }
}
