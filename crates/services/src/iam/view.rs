//! All accounts, users, groups, roles, managed policies and access keys in memory, compiled. Rebuilt from the directory at start.

use super::entity::{AccessKey, Account, Group, Profile, Role, Stored, User};
use super::identity;
use super::managed::ManagedPolicy;
use super::trust::{Principals, Trust};
use bulla_gate::{Identity, SecretAccessKey};
use bulla_policy::Policy;
use bulla_types::AccountId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// An account, and a name in lower case: names differ by more than letter case.
pub(super) type NameKey = (AccountId, String);

/// What an access key opens.
#[derive(Clone, Debug)]
pub(crate) struct KeyHolder {
    pub(crate) secret: Arc<SecretAccessKey>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) active: bool,
}

/// Principals in the orders in which they are asked for; the tables never disagree.
#[derive(Debug)]
pub(crate) struct View {
    accounts: BTreeMap<AccountId, Arc<Account>>,
    users: BTreeMap<NameKey, Arc<User>>,
    roles: BTreeMap<NameKey, Arc<Role>>,
    role_ids: HashMap<Arc<str>, NameKey>,
    groups: BTreeMap<NameKey, Arc<Group>>,
    group_ids: HashMap<Arc<str>, NameKey>,
    policies: BTreeMap<NameKey, Arc<ManagedPolicy>>,
    policy_arns: HashMap<Arc<str>, NameKey>,
    /// AWS's managed policies by ARN.
    aws_policies: BTreeMap<Arc<str>, Arc<ManagedPolicy>>,
    /// ARNs of users and roles by unique id, and the reverse.
    arns: HashMap<Arc<str>, Arc<str>>,
    ids: HashMap<Arc<str>, Arc<str>>,
    keys: HashMap<Arc<str>, KeyHolder>,
    /// Trusts nobody.
    nobody: Arc<Policy>,
    /// Whether every account counts as existing: where accounts come into being when first used.
    any_account: bool,
}

fn name_key(account: AccountId, name: &str) -> NameKey {
    (account, name.to_ascii_lowercase())
}

/// What an account has of one kind, in order of name.
fn named_of<T>(
    table: &BTreeMap<NameKey, Arc<T>>,
    account: AccountId,
) -> impl Iterator<Item = (&str, &Arc<T>)> {
    table
        .range((account, String::new())..)
        .take_while(move |((owner, _), _)| *owner == account)
        .map(|((_, name), found)| (name.as_str(), found))
}

impl View {
    pub(super) fn new(nobody: Arc<Policy>, aws_policies: Vec<ManagedPolicy>, any_account: bool) -> Self {
        Self {
            accounts: BTreeMap::new(),
            users: BTreeMap::new(),
            roles: BTreeMap::new(),
            role_ids: HashMap::new(),
            groups: BTreeMap::new(),
            group_ids: HashMap::new(),
            policies: BTreeMap::new(),
            policy_arns: HashMap::new(),
            aws_policies: aws_policies
                .into_iter()
                .map(|policy| (Arc::clone(&policy.arn), Arc::new(policy)))
                .collect(),
            arns: HashMap::new(),
            ids: HashMap::new(),
            keys: HashMap::new(),
            nobody,
            any_account,
        }
    }

    pub(super) fn nobody(&self) -> &Arc<Policy> {
        &self.nobody
    }

    pub(super) fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// Whether another account than this has the alias.
    pub(super) fn alias_taken(&self, alias: &str, but: AccountId) -> bool {
        let mut others = self.accounts.values().filter(|account| account.id != but);
        others.any(|account| account.alias.as_deref() == Some(alias))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The user of exactly this name.
    pub(super) fn user(&self, account: AccountId, name: &str) -> Option<Arc<User>> {
        self.users
            .get(&name_key(account, name))
            .filter(|user| user.profile.name == name)
            .cloned()
    }

    /// The role of exactly this name.
    pub(super) fn role(&self, account: AccountId, name: &str) -> Option<Arc<Role>> {
        self.roles
            .get(&name_key(account, name))
            .filter(|role| role.profile.name == name)
            .cloned()
    }

    /// The group of exactly this name.
    pub(super) fn group(&self, account: AccountId, name: &str) -> Option<Arc<Group>> {
        self.groups
            .get(&name_key(account, name))
            .filter(|group| group.profile.name == name)
            .cloned()
    }

    /// The groups with these unique ids.
    pub(super) fn groups_by_id(&self, ids: &BTreeSet<Arc<str>>) -> Vec<Arc<Group>> {
        ids.iter()
            .filter_map(|id| self.groups.get(self.group_ids.get(id)?))
            .cloned()
            .collect()
    }

    /// The managed policy with this ARN, of this account or of AWS.
    pub(super) fn managed(&self, account: AccountId, arn: &str) -> Option<Arc<ManagedPolicy>> {
        let own = || {
            self.policy_arns
                .get(arn)
                .filter(|(owner, _)| *owner == account)
                .and_then(|key| self.policies.get(key))
        };
        self.aws_policies.get(arn).or_else(own).cloned()
    }

    /// AWS's managed policies in order of ARN.
    pub(super) fn aws_policies(&self) -> impl Iterator<Item = &Arc<ManagedPolicy>> {
        self.aws_policies.values()
    }

    /// The role with this unique id.
    pub(super) fn role_by_id(&self, id: &str) -> Option<&Arc<Role>> {
        self.roles.get(self.role_ids.get(id)?)
    }

    /// Whether a user has this name in any letter case, other than the user `but`.
    pub(super) fn user_name_taken(&self, account: AccountId, name: &str, but: &str) -> bool {
        self.users
            .get(&name_key(account, name))
            .is_some_and(|user| &*user.profile.id != but)
    }

    /// Whether a role has this name in any letter case.
    pub(super) fn role_name_taken(&self, account: AccountId, name: &str) -> bool {
        self.roles.contains_key(&name_key(account, name))
    }

    /// Whether a group has this name in any letter case, other than the group `but`.
    pub(super) fn group_name_taken(&self, account: AccountId, name: &str, but: &str) -> bool {
        self.groups
            .get(&name_key(account, name))
            .is_some_and(|group| &*group.profile.id != but)
    }

    /// Whether a managed policy has this name in any letter case.
    pub(super) fn policy_name_taken(&self, account: AccountId, name: &str) -> bool {
        self.policies.contains_key(&name_key(account, name))
    }

    /// Groups of an account in order of name, with the name in lower case.
    pub(super) fn groups_of(&self, account: AccountId) -> impl Iterator<Item = (&str, &Arc<Group>)> {
        named_of(&self.groups, account)
    }

    /// Managed policies of an account in order of name, with the name in lower case.
    pub(super) fn policies_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (&str, &Arc<ManagedPolicy>)> {
        named_of(&self.policies, account)
    }

    /// Users of an account in order of name, with the name in lower case.
    pub(super) fn users_of(&self, account: AccountId) -> impl Iterator<Item = (&str, &Arc<User>)> {
        named_of(&self.users, account)
    }

    /// Roles of an account in order of name, with the name in lower case.
    pub(super) fn roles_of(&self, account: AccountId) -> impl Iterator<Item = (&str, &Arc<Role>)> {
        named_of(&self.roles, account)
    }

    /// What an access key opens, whether active or not.
    pub(super) fn key(&self, id: &str) -> Option<&KeyHolder> {
        self.keys.get(id)
    }

    /// Applies what was stored.
    pub(super) fn apply(&mut self, changes: Vec<Stored>) {
        for change in changes {
            match change {
                Stored::Account(account) => self.put_account(account),
                Stored::User(user) => self.put_user(user),
                Stored::Role(role) => self.put_role(role),
                Stored::Group(group) => self.put_group(group),
                Stored::Policy(policy) => self.put_policy(policy),
                Stored::NoGroup(group) => self.remove_group(&group),
                Stored::NoPolicy(policy) => self.remove_policy(&policy),
                Stored::NoUser(user) => self.remove_user(&user),
                Stored::NoRole(role) => self.remove_role(&role),
            }
        }
    }

    fn put_account(&mut self, account: Account) {
        if let Some(former) = self.accounts.get(&account.id) {
            former.keys.iter().for_each(|key| drop(self.keys.remove(&key.id)));
        }
        self.add_keys(&account.keys, &account.identity);
        self.accounts.insert(account.id, Arc::new(account));
    }

    fn put_user(&mut self, mut user: User) {
        let groups = self.groups_by_id(&user.groups);
        user.profile.effective = self.effective(&user.profile, &groups);
        let former = self.user_by_id(&user.profile.id);
        let renamed = former
            .as_ref()
            .is_some_and(|former| former.profile.arn != user.profile.arn);
        if let Some(former) = former {
            self.forget_user(&former);
        }
        let profile = &user.profile;
        self.arns
            .insert(Arc::clone(&profile.id), Arc::clone(&profile.arn));
        self.ids.insert(Arc::clone(&profile.arn), Arc::clone(&profile.id));
        self.add_keys(&user.keys, &identity::user(&user));
        let id = Arc::clone(&profile.id);
        self.users
            .insert(name_key(profile.account, &profile.name), Arc::new(user));
        if renamed {
            self.rebind(&id);
        }
    }

    /// The user with this unique id.
    pub(super) fn user_by_id(&self, id: &str) -> Option<Arc<User>> {
        let arn = self.arns.get(id)?;
        let (before, name) = arn.rsplit_once('/')?;
        let account = before
            .split(':')
            .nth(4)
            .and_then(|text| AccountId::parse(text).ok())?;
        self.user(account, name)
    }

    fn put_group(&mut self, group: Group) {
        let (account, id) = (group.profile.account, Arc::clone(&group.profile.id));
        let key = name_key(account, &group.profile.name);
        if let Some(former) = self.group_ids.insert(Arc::clone(&id), key.clone()) {
            self.groups.remove(&former);
        }
        self.groups.insert(key, Arc::new(group));
        self.refresh(account, |_, groups| groups.contains(&id));
    }

    fn remove_group(&mut self, group: &Group) {
        let profile = &group.profile;
        self.groups.remove(&name_key(profile.account, &profile.name));
        self.group_ids.remove(&profile.id);
    }

    fn put_policy(&mut self, policy: ManagedPolicy) {
        // Of AWS's own none is ever stored.
        let Some(account) = policy.account else { return };
        let key = name_key(account, &policy.name);
        let arn = Arc::clone(&policy.arn);
        self.policy_arns.insert(Arc::clone(&arn), key.clone());
        self.policies.insert(key, Arc::new(policy));
        let groups: BTreeSet<Arc<str>> = self
            .groups_of(account)
            .filter(|(_, group)| group.profile.attached.contains(&arn))
            .map(|(_, group)| Arc::clone(&group.profile.id))
            .collect();
        self.refresh(account, |profile, own| {
            profile.attached.contains(&arn)
                || profile.boundary.as_ref() == Some(&arn)
                || !own.is_disjoint(&groups)
        });
    }

    fn remove_policy(&mut self, policy: &ManagedPolicy) {
        if let Some(key) = self.policy_arns.remove(&policy.arn) {
            self.policies.remove(&key);
        }
    }

    /// Makes anew what binds these users and roles of an account; each is told with the groups that it is in.
    fn refresh(&mut self, account: AccountId, which: impl Fn(&Profile, &BTreeSet<Arc<str>>) -> bool) {
        let none = BTreeSet::new();
        let users: Vec<User> = self
            .users_of(account)
            .filter(|(_, user)| which(&user.profile, &user.groups))
            .map(|(_, user)| User::clone(user))
            .collect();
        let roles: Vec<Role> = self
            .roles_of(account)
            .filter(|(_, role)| which(&role.profile, &none))
            .map(|(_, role)| Role::clone(role))
            .collect();
        for user in users {
            self.put_user(user);
        }
        for role in roles {
            self.put_role(role);
        }
    }

    /// Makes everything anew that is made of several records: after all records were read.
    ///
    /// # Errors
    /// Who stands on something that is not there.
    pub(super) fn settle(&mut self) -> Result<(), (Arc<str>, String)> {
        let accounts: BTreeSet<AccountId> = self
            .users
            .keys()
            .chain(self.roles.keys())
            .map(|(id, _)| *id)
            .collect();
        for account in accounts {
            self.refresh(account, |profile, groups| {
                !profile.attached.is_empty() || profile.boundary.is_some() || !groups.is_empty()
            });
        }
        self.rebind_where(|trust| !trust.bindings().is_empty());
        self.check_whole()
    }

    fn check_whole(&self) -> Result<(), (Arc<str>, String)> {
        let users = self.users.values().map(|user| {
            (
                &user.profile,
                user.groups.len(),
                self.groups_by_id(&user.groups).len(),
            )
        });
        let groups = self.groups.values().map(|group| (&group.profile, 0, 0));
        let roles = self.roles.values().map(|role| (&role.profile, 0, 0));
        for (profile, named, found) in users.chain(groups).chain(roles) {
            let mut policies = profile.attached.iter().chain(&profile.boundary);
            if let Some(arn) = policies.find(|arn| self.managed(profile.account, arn).is_none()) {
                return Err((
                    Arc::clone(&profile.arn),
                    format!("its policy {arn} does not exist"),
                ));
            }
            if named != found {
                return Err((
                    Arc::clone(&profile.arn),
                    "a group that it is in does not exist".to_owned(),
                ));
            }
        }
        Ok(())
    }

    fn put_role(&mut self, mut role: Role) {
        role.profile.effective = self.effective(&role.profile, &[]);
        let profile = &role.profile;
        let key = name_key(profile.account, &profile.name);
        self.role_ids.insert(Arc::clone(&profile.id), key.clone());
        self.arns
            .insert(Arc::clone(&profile.id), Arc::clone(&profile.arn));
        self.ids.insert(Arc::clone(&profile.arn), Arc::clone(&profile.id));
        self.roles.insert(key, Arc::new(role));
    }

    fn remove_user(&mut self, user: &User) {
        self.forget_user(user);
        self.rebind(&user.profile.id);
    }

    fn forget_user(&mut self, user: &User) {
        let profile = &user.profile;
        user.keys.iter().for_each(|key| drop(self.keys.remove(&key.id)));
        self.users.remove(&name_key(profile.account, &profile.name));
        self.arns.remove(&profile.id);
        self.ids.remove(&profile.arn);
    }

    fn remove_role(&mut self, role: &Role) {
        let profile = &role.profile;
        self.roles.remove(&name_key(profile.account, &profile.name));
        self.role_ids.remove(&profile.id);
        self.arns.remove(&profile.id);
        self.ids.remove(&profile.arn);
        self.rebind(&profile.id);
    }

    fn add_keys(&mut self, keys: &[AccessKey], identity: &Arc<Identity>) {
        for key in keys {
            let holder = KeyHolder {
                secret: Arc::clone(&key.secret),
                identity: Arc::clone(identity),
                active: key.active,
            };
            self.keys.insert(Arc::clone(&key.id), holder);
        }
    }

    /// Makes the trust policies anew that mean the principal with this unique id.
    fn rebind(&mut self, id: &str) {
        self.rebind_where(|trust| trust.means(id));
    }

    fn rebind_where(&mut self, which: impl Fn(&Trust) -> bool) {
        let roles: Vec<(NameKey, Arc<Role>)> = self
            .roles
            .iter()
            .filter(|(_, role)| which(&role.trust))
            .map(|(key, role)| (key.clone(), Arc::clone(role)))
            .collect();
        for (key, role) in roles {
            let trust = role.trust.rebound(self, &self.nobody);
            self.roles.insert(
                key,
                Arc::new(Role {
                    trust,
                    ..(*role).clone()
                }),
            );
        }
    }
}

impl Principals for View {
    fn id_of(&self, arn: &str) -> Option<Arc<str>> {
        self.ids.get(arn).cloned()
    }

    fn arn_of(&self, id: &str) -> Option<Arc<str>> {
        self.arns.get(id).cloned()
    }

    fn has_account(&self, account: AccountId) -> bool {
        self.any_account || self.accounts.contains_key(&account)
    }
}
