//! What IAM keeps: accounts, users, groups, roles, managed policies and access keys.

use super::attachments::Effective;
use super::errors::IamError;
use super::managed::ManagedPolicy;
use super::trust::Trust;
use super::validate::Tags;
use super::view::View;
use bulla_gate::{Identity, SecretAccessKey};
use bulla_policy::{IdentityOwner, Policy};
use bulla_types::{AccountId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What users, groups and roles have in common.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(super) account: AccountId,
    /// `AIDA…`, `AGPA…`, `AROA…`; never given twice, so that who is made again under an old name is somebody else.
    pub(super) id: Arc<str>,
    pub(super) name: String,
    /// `/`, or parts between slashes.
    pub(super) path: String,
    pub(super) arn: Arc<str>,
    pub(super) created: Timestamp,
    pub(super) tags: Tags,
    /// Inline policies by name.
    pub(super) policies: BTreeMap<String, Arc<Policy>>,
    /// ARNs of attached managed policies.
    pub(super) attached: BTreeSet<Arc<str>>,
    /// ARN of the managed policy that is the permissions boundary; groups have none.
    pub(super) boundary: Option<Arc<str>>,
    /// What all that comes to; made by the view. Of groups it is not asked.
    pub(super) effective: Effective,
}

/// What a user, group or role is called.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    pub(super) account: AccountId,
    pub(super) id: Arc<str>,
    pub(super) path: String,
    pub(super) name: String,
}

impl Profile {
    /// Of somebody new, without permissions.
    pub(super) fn new<E: Entity>(naming: Naming, created: Timestamp, tags: Tags) -> Self {
        Self {
            account: naming.account,
            id: naming.id,
            arn: entity_arn(naming.account, E::KIND, &naming.path, &naming.name),
            name: naming.name,
            path: naming.path,
            created,
            tags,
            policies: BTreeMap::new(),
            attached: BTreeSet::new(),
            boundary: None,
            effective: Effective::default(),
        }
    }
}

/// An access key.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub(super) id: Arc<str>,
    pub(super) secret: Arc<SecretAccessKey>,
    /// The secret as it is stored: wrapped, base64.
    pub(super) wrapped: Arc<str>,
    pub(super) active: bool,
    pub(super) created: Timestamp,
}

/// An account: its root user.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(super) id: AccountId,
    pub(super) created: Timestamp,
    pub(super) keys: Vec<AccessKey>,
    /// A name beside the number; no two accounts have the same.
    pub(super) alias: Option<String>,
    pub(super) identity: Arc<Identity>,
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(super) profile: Profile,
    pub(super) keys: Vec<AccessKey>,
    /// Unique ids of the groups that the user is in.
    pub(super) groups: BTreeSet<Arc<str>>,
}

/// A group of users.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(super) profile: Profile,
}

/// A role.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(super) profile: Profile,
    pub(super) trust: Trust,
    pub(super) description: Option<String>,
    /// 3,600 to 43,200.
    pub(super) max_session_seconds: i32,
}

/// `arn:aws:iam::ACCOUNT:KIND/PATH/NAME`.
pub(super) fn entity_arn(account: AccountId, kind: &str, path: &str, name: &str) -> Arc<str> {
    format!("arn:aws:iam::{account}:{kind}{path}{name}").into()
}

/// Users, groups and roles, where they are treated alike.
pub(crate) trait Entity: Clone + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// `user`: in ARNs and messages.
    const KIND: &'static str;
    /// `User`: at the beginning of messages.
    const TITLE: &'static str;
    /// `user policy`: in messages.
    const POLICY: &'static str;
    /// Characters that all inline policies together may have.
    const POLICIES_CHARS_MAX: usize;
    /// What the policy language calls it.
    const OWNER: IdentityOwner;

    /// What both have.
    fn profile(&self) -> &Profile;
    /// What both have, to be changed.
    fn profile_mut(&mut self) -> &mut Profile;
    /// The one of that name.
    fn find(view: &View, account: AccountId, name: &str) -> Option<Arc<Self>>;
    /// To be stored in place of what is there.
    fn put(self) -> Stored;

    /// Adds or replaces an inline policy.
    fn put_policy(&mut self, name: &str, text: &str) -> Result<(), IamError> {
        let profile = self.profile_mut();
        let words = format!("{} {}", Self::KIND, profile.name);
        let policy = super::documents::identity_policy(text, Self::OWNER, name, &words)?;
        profile.policies.insert(name.to_owned(), policy);
        let chars: usize = profile
            .policies
            .values()
            .map(|policy| super::documents::counted_chars(policy.text()))
            .sum();
        if chars <= Self::POLICIES_CHARS_MAX {
            return Ok(());
        }
        let (most, name) = (Self::POLICIES_CHARS_MAX, &profile.name);
        let reason = format!(
            "Maximum policy size of {most} bytes exceeded for {} {name}",
            Self::KIND
        );
        Err(IamError::LimitExceeded { reason })
    }

    /// Removes an inline policy.
    fn remove_policy(&mut self, name: &str) -> Result<(), IamError> {
        match self.profile_mut().policies.remove(name) {
            Some(_) => Ok(()),
            None => Err(Self::no_policy(name)),
        }
    }

    /// An inline policy.
    fn policy(&self, name: &str) -> Result<&Arc<Policy>, IamError> {
        self.profile()
            .policies
            .get(name)
            .ok_or_else(|| Self::no_policy(name))
    }

    /// There is none of that name.
    fn missing(name: &str) -> IamError {
        IamError::NoSuchEntity {
            noun: Self::KIND,
            name: name.to_owned(),
        }
    }

    /// It has no policy of that name.
    fn no_policy(name: &str) -> IamError {
        IamError::NoSuchEntity {
            noun: Self::POLICY,
            name: name.to_owned(),
        }
    }
}

impl Entity for User {
    const KIND: &'static str = "user";
    const TITLE: &'static str = "User";
    const POLICY: &'static str = "user policy";
    const POLICIES_CHARS_MAX: usize = super::limits::USER_POLICIES_CHARS_MAX;
    const OWNER: IdentityOwner = IdentityOwner::User;

    fn profile(&self) -> &Profile {
        &self.profile
    }
    fn profile_mut(&mut self) -> &mut Profile {
        &mut self.profile
    }
    fn find(view: &View, account: AccountId, name: &str) -> Option<Arc<Self>> {
        view.user(account, name)
    }
    fn put(self) -> Stored {
        Stored::User(self)
    }
}

impl Entity for Group {
    const KIND: &'static str = "group";
    const TITLE: &'static str = "Group";
    const POLICY: &'static str = "group policy";
    const POLICIES_CHARS_MAX: usize = super::limits::GROUP_POLICIES_CHARS_MAX;
    const OWNER: IdentityOwner = IdentityOwner::Group;

    fn profile(&self) -> &Profile {
        &self.profile
    }
    fn profile_mut(&mut self) -> &mut Profile {
        &mut self.profile
    }
    fn find(view: &View, account: AccountId, name: &str) -> Option<Arc<Self>> {
        view.group(account, name)
    }
    fn put(self) -> Stored {
        Stored::Group(self)
    }
}

impl Entity for Role {
    const KIND: &'static str = "role";
    const TITLE: &'static str = "Role";
    const POLICY: &'static str = "role policy";
    const POLICIES_CHARS_MAX: usize = super::limits::ROLE_POLICIES_CHARS_MAX;
    const OWNER: IdentityOwner = IdentityOwner::Role;

    fn profile(&self) -> &Profile {
        &self.profile
    }
    fn profile_mut(&mut self) -> &mut Profile {
        &mut self.profile
    }
    fn find(view: &View, account: AccountId, name: &str) -> Option<Arc<Self>> {
        view.role(account, name)
    }
    fn put(self) -> Stored {
        Stored::Role(self)
    }
}

/// One change of what is stored.
#[derive(Debug)]
pub(crate) enum Stored {
    /// A new or changed account.
    Account(Account),
    /// A new or changed user.
    User(User),
    /// A new or changed group.
    Group(Group),
    /// A new or changed role.
    Role(Role),
    /// A new or changed managed policy.
    Policy(ManagedPolicy),
    /// A user that is deleted.
    NoUser(Arc<User>),
    /// A group that is deleted.
    NoGroup(Arc<Group>),
    /// A managed policy that is deleted.
    NoPolicy(Arc<ManagedPolicy>),
    /// A role that is deleted.
    NoRole(Arc<Role>),
}
