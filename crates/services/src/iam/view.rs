//! All accounts, users, roles and access keys in memory, compiled. Rebuilt from the directory at start.

use super::entity::{AccessKey, Account, Role, Stored, User};
use super::identity;
use super::trust::{Principals, Trust};
use bulla_gate::{Identity, SecretAccessKey};
use bulla_policy::Policy;
use bulla_types::AccountId;
use std::collections::{BTreeMap, HashMap};
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

impl View {
    pub(super) fn new(nobody: Arc<Policy>, any_account: bool) -> Self {
        Self {
            accounts: BTreeMap::new(),
            users: BTreeMap::new(),
            roles: BTreeMap::new(),
            role_ids: HashMap::new(),
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

    /// Users of an account in order of name, with the name in lower case.
    pub(super) fn users_of(&self, account: AccountId) -> impl Iterator<Item = (&str, &Arc<User>)> {
        let first = (account, String::new());
        let own = self
            .users
            .range(first..)
            .take_while(move |((owner, _), _)| *owner == account);
        own.map(|((_, name), user)| (name.as_str(), user))
    }

    /// Roles of an account in order of name, with the name in lower case.
    pub(super) fn roles_of(&self, account: AccountId) -> impl Iterator<Item = (&str, &Arc<Role>)> {
        let first = (account, String::new());
        let own = self
            .roles
            .range(first..)
            .take_while(move |((owner, _), _)| *owner == account);
        own.map(|((_, name), role)| (name.as_str(), role))
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

    fn put_user(&mut self, user: User) {
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

    fn user_by_id(&self, id: &str) -> Option<Arc<User>> {
        let arn = self.arns.get(id)?;
        let (before, name) = arn.rsplit_once('/')?;
        let account = before
            .split(':')
            .nth(4)
            .and_then(|text| AccountId::parse(text).ok())?;
        self.user(account, name)
    }

    fn put_role(&mut self, role: Role) {
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

    /// Makes every trust policy anew that means somebody: after all principals were read.
    pub(super) fn rebind_all(&mut self) {
        self.rebind_where(|trust| !trust.bindings().is_empty());
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
