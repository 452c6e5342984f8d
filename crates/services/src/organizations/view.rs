//! All organizations in memory, and where each account stands. Rebuilt from the directory at start.

use super::control::{ControlKind, ControlPolicy, Controls};
use super::errors::OrganizationsError;
use super::organization::{Creation, Member, Organization, Unit};
use bulla_gate::OrganizationPlace;
use bulla_policy::Policy;
use bulla_types::{AccountId, OrganizationId, OrganizationalUnitId, ParentId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One organization with everything in it.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) organization: Organization,
    pub(super) units: BTreeMap<OrganizationalUnitId, Unit>,
    pub(super) members: BTreeMap<AccountId, Member>,
    pub(super) creations: BTreeMap<String, Creation>,
    pub(super) controls: Controls,
    pub(super) policies: BTreeMap<String, ControlPolicy>,
}

/// One change of what is stored.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    Organization(Organization),
    NoOrganization(OrganizationId),
    Unit(OrganizationId, Unit),
    NoUnit(OrganizationId, OrganizationalUnitId),
    Member(OrganizationId, Member),
    NoMember(OrganizationId, AccountId),
    Creation(OrganizationId, Creation),
    NoCreation(OrganizationId, String),
    Controls(OrganizationId, Controls),
    NoControls(OrganizationId),
    Policy(OrganizationId, ControlPolicy),
    NoPolicy(OrganizationId, String),
}

/// All organizations.
#[derive(Debug)]
pub(super) struct View {
    trees: BTreeMap<OrganizationId, Tree>,
    of_account: HashMap<AccountId, OrganizationId>,
    places: HashMap<AccountId, Arc<OrganizationPlace>>,
    /// What `FullAWSAccess` says.
    full_access: Arc<Policy>,
}

impl Tree {
    fn new(organization: Organization) -> Self {
        Self {
            organization,
            units: BTreeMap::new(),
            members: BTreeMap::new(),
            creations: BTreeMap::new(),
            controls: Controls::default(),
            policies: BTreeMap::new(),
        }
    }

    /// Whether there is such a root or unit.
    pub(super) fn has_parent(&self, parent: ParentId) -> bool {
        match parent {
            ParentId::Root(root) => root == self.organization.root,
            ParentId::Unit(unit) => self.units.contains_key(&unit),
        }
    }

    /// Accounts directly below a root or unit.
    pub(super) fn members_of(&self, parent: ParentId) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .filter(move |member| member.parent == parent)
    }

    /// Units directly below a root or unit.
    pub(super) fn units_of(&self, parent: ParentId) -> impl Iterator<Item = &Unit> {
        self.units.values().filter(move |unit| unit.parent == parent)
    }

    /// The request for an account that can be forgotten first.
    pub(super) fn oldest_finished_creation(&self) -> Option<&str> {
        let finished = self
            .creations
            .values()
            .filter(|creation| !creation.is_in_progress());
        finished
            .min_by_key(|creation| creation.requested)
            .map(|creation| creation.id.as_str())
    }

    /// The units from the root down to `parent`, which may be one.
    pub(super) fn chain(&self, parent: ParentId) -> Vec<OrganizationalUnitId> {
        let mut chain = Vec::new();
        let mut at = parent;
        while let ParentId::Unit(id) = at {
            let Some(unit) = self.units.get(&id).filter(|_| chain.len() <= self.units.len()) else {
                break;
            };
            chain.push(id);
            at = unit.parent;
        }
        chain.reverse();
        chain
    }

    /// How many levels below the root a root or unit is.
    pub(super) fn depth(&self, parent: ParentId) -> usize {
        self.chain(parent).len()
    }

    /// `o-…/r-…/ou-…/`, down to a root or unit.
    pub(super) fn path(&self, parent: ParentId) -> String {
        let mut path = format!("{}/{}/", self.organization.id, self.organization.root);
        for unit in self.chain(parent) {
            path.push_str(unit.as_str());
            path.push('/');
        }
        path
    }

    fn place(&self, member: &Member, full_access: &Arc<Policy>) -> OrganizationPlace {
        OrganizationPlace {
            id: self.organization.id,
            path: self.path(member.parent).into(),
            management_account: self.organization.management_account,
            service_control: self.levels(ControlKind::Service, member, full_access),
            resource_control: self.levels(ControlKind::Resource, member, full_access),
        }
    }
}

impl View {
    /// Without organizations.
    pub(super) fn new(full_access: Arc<Policy>) -> Self {
        Self {
            trees: BTreeMap::new(),
            of_account: HashMap::new(),
            places: HashMap::new(),
            full_access,
        }
    }

    /// Where an account stands.
    pub(super) fn place(&self, account: AccountId) -> Option<Arc<OrganizationPlace>> {
        self.places.get(&account).cloned()
    }

    /// Some organization: the one of an interrupted first start.
    pub(super) fn any(&self) -> Option<&Tree> {
        self.trees.values().next()
    }

    /// The organization of an account.
    pub(super) fn of(&self, account: AccountId) -> Result<&Tree, OrganizationsError> {
        let tree = self.of_account.get(&account).and_then(|id| self.trees.get(id));
        tree.ok_or(OrganizationsError::NotInUse)
    }

    /// The organization that this account manages.
    pub(super) fn managed_by(&self, account: AccountId) -> Result<&Tree, OrganizationsError> {
        let tree = self.of(account)?;
        if tree.organization.management_account == account {
            Ok(tree)
        } else {
            Err(OrganizationsError::AccessDenied)
        }
    }

    /// Who manages an organization: whose partition its records are in.
    pub(super) fn manager(&self, id: OrganizationId) -> Option<AccountId> {
        self.trees
            .get(&id)
            .map(|tree| tree.organization.management_account)
    }

    /// Whether an account, made or being made, has this email address.
    pub(super) fn email_taken(&self, email: &str) -> bool {
        self.trees.values().any(|tree| {
            let pending = tree
                .creations
                .values()
                .filter(|creation| creation.is_in_progress());
            let members = tree.members.values().map(|member| &member.email);
            members
                .chain(pending.map(|creation| &creation.email))
                .any(|taken| taken.eq_ignore_ascii_case(email))
        })
    }

    /// Requests for accounts that were interrupted.
    pub(super) fn unfinished(&self) -> Vec<(OrganizationId, Creation)> {
        let all = self
            .trees
            .iter()
            .flat_map(|(id, tree)| tree.creations.values().map(|creation| (*id, creation)));
        all.filter(|(_, creation)| creation.is_in_progress())
            .map(|(id, creation)| (id, creation.clone()))
            .collect()
    }

    /// Applies what was stored. The organization comes before what is in it.
    pub(super) fn apply(&mut self, changes: Vec<Stored>) {
        for change in changes {
            match change {
                Stored::Organization(organization) => {
                    self.trees.insert(organization.id, Tree::new(organization));
                }
                Stored::NoOrganization(id) => {
                    let gone = self.trees.remove(&id);
                    for account in gone.iter().flat_map(|tree| tree.members.keys()) {
                        self.of_account.remove(account);
                        self.places.remove(account);
                    }
                }
                Stored::Unit(id, unit) => self.with(id, |tree| drop(tree.units.insert(unit.id, unit))),
                Stored::NoUnit(id, unit) => self.with(id, |tree| drop(tree.units.remove(&unit))),
                Stored::Member(id, member) => self.put_member(id, member),
                Stored::NoMember(id, account) => {
                    self.with(id, |tree| drop(tree.members.remove(&account)));
                    self.of_account.remove(&account);
                    self.places.remove(&account);
                }
                Stored::Creation(id, creation) => {
                    self.with(id, |tree| {
                        drop(tree.creations.insert(creation.id.clone(), creation));
                    });
                }
                Stored::Controls(id, controls) => {
                    self.with(id, |tree| tree.controls = controls);
                    self.refresh(id);
                }
                Stored::NoControls(id) => {
                    self.with(id, |tree| tree.controls = Controls::default());
                    self.refresh(id);
                }
                Stored::Policy(id, policy) => {
                    self.with(id, |tree| {
                        drop(tree.policies.insert(policy.id.clone(), policy));
                    });
                    self.refresh(id);
                }
                Stored::NoPolicy(id, policy) => {
                    self.with(id, |tree| drop(tree.policies.remove(&policy)));
                    self.refresh(id);
                }
                Stored::NoCreation(id, creation) => {
                    self.with(id, |tree| drop(tree.creations.remove(&creation)));
                }
            }
        }
    }

    fn with(&mut self, id: OrganizationId, change: impl FnOnce(&mut Tree)) {
        if let Some(tree) = self.trees.get_mut(&id) {
            change(tree);
        }
    }

    /// Makes the places of all accounts of an organization anew: what limits them has changed.
    fn refresh(&mut self, id: OrganizationId) {
        let Some(tree) = self.trees.get(&id) else {
            return;
        };
        for member in tree.members.values() {
            let place = tree.place(member, &self.full_access);
            self.places.insert(member.account, Arc::new(place));
        }
    }

    fn put_member(&mut self, id: OrganizationId, member: Member) {
        let Some(tree) = self.trees.get_mut(&id) else {
            return;
        };
        self.of_account.insert(member.account, id);
        self.places
            .insert(member.account, Arc::new(tree.place(&member, &self.full_access)));
        tree.members.insert(member.account, member);
    }
}
