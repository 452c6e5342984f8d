//! Managed policies at users, groups and roles: attached as permissions, or as a permissions boundary.

use super::Iam;
use super::entity::{Entity, Group, Role, User};
use super::errors::IamError;
use super::limits::ATTACHED_POLICIES_MAX;
use super::managed::SoughtPolicy;
use super::page::{Page, page};
use super::service_linked::{PATH_PREFIX, check_modifiable};
use super::shapes::AttachedPolicy;
use super::sought::Sought;
use super::validate;
use super::view::View;
use bulla_gate::Call;
use bulla_policy::Policy;
use bulla_types::AccountId;
use std::collections::HashMap;
use std::sync::Arc;

/// What binds a user or role: made when something changes that it stands on, not when it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effective {
    /// Inline policies, attached ones, and those of groups.
    pub(super) policies: Vec<Arc<Policy>>,
    /// The permissions boundary; `None` where there is none.
    pub(super) boundary: Option<Vec<Arc<Policy>>>,
}

/// How a managed policy is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// By how many users, groups and roles as permissions.
    pub(super) attached: i32,
    /// By how many users and roles as boundary.
    pub(super) boundaries: i32,
}

impl Usage {
    /// Whether nobody has the policy.
    pub(super) fn is_unused(self) -> bool {
        self == Self::default()
    }
}

/// Which use of a policy is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UsageFilter {
    /// Either.
    Any,
    /// As permissions.
    Permissions,
    /// As permissions boundary.
    Boundary,
}

impl UsageFilter {
    /// `PermissionsPolicy` or `PermissionsBoundary`.
    pub(super) fn new(text: Option<&str>) -> Result<Self, IamError> {
        match text {
            None => Ok(Self::Any),
            Some("PermissionsPolicy") => Ok(Self::Permissions),
            Some("PermissionsBoundary") => Ok(Self::Boundary),
            Some(other) => {
                let all = "[PermissionsPolicy, PermissionsBoundary]";
                Err(validate::not_one_of(other, "policyUsageFilter", all))
            }
        }
    }
}

impl View {
    /// Who has a managed policy, in an account: groups, roles, users, each in order of name.
    pub(super) fn holders(&self, account: AccountId, arn: &str, filter: UsageFilter) -> Vec<Holder> {
        let groups = self
            .groups_of(account)
            .map(|(_, group)| Holder::Group(Arc::clone(group)));
        let roles = self
            .roles_of(account)
            .map(|(_, role)| Holder::Role(Arc::clone(role)));
        let users = self
            .users_of(account)
            .map(|(_, user)| Holder::User(Arc::clone(user)));
        let has = |holder: &Holder| {
            let profile = holder.profile();
            let attached = profile.attached.contains(arn);
            let bounded = profile.boundary.as_deref() == Some(arn);
            match filter {
                UsageFilter::Any => attached || bounded,
                UsageFilter::Permissions => attached,
                UsageFilter::Boundary => bounded,
            }
        };
        groups.chain(roles).chain(users).filter(has).collect()
    }

    /// Who has a managed policy, in an account.
    pub(super) fn usage(&self, account: AccountId, arn: &str) -> Usage {
        let users = self.users_of(account).map(|(_, user)| &user.profile);
        let groups = self.groups_of(account).map(|(_, group)| &group.profile);
        let roles = self.roles_of(account).map(|(_, role)| &role.profile);
        let mut usage = Usage::default();
        for profile in users.chain(groups).chain(roles) {
            usage.attached = usage
                .attached
                .saturating_add(i32::from(profile.attached.contains(arn)));
            let bounded = profile.boundary.as_deref() == Some(arn);
            usage.boundaries = usage.boundaries.saturating_add(i32::from(bounded));
        }
        usage
    }

    /// Who has which managed policy, in an account, of those that somebody has.
    pub(super) fn usages(&self, account: AccountId) -> HashMap<Arc<str>, Usage> {
        let users = self.users_of(account).map(|(_, user)| &user.profile);
        let groups = self.groups_of(account).map(|(_, group)| &group.profile);
        let roles = self.roles_of(account).map(|(_, role)| &role.profile);
        let mut usages: HashMap<Arc<str>, Usage> = HashMap::new();
        for profile in users.chain(groups).chain(roles) {
            for arn in &profile.attached {
                let usage = usages.entry(Arc::clone(arn)).or_default();
                usage.attached = usage.attached.saturating_add(1);
            }
            if let Some(arn) = &profile.boundary {
                let usage = usages.entry(Arc::clone(arn)).or_default();
                usage.boundaries = usage.boundaries.saturating_add(1);
            }
        }
        usages
    }

    /// Whether there is the permissions boundary that somebody new shall have.
    pub(super) fn check_boundary(
        &self,
        account: AccountId,
        boundary: Option<&SoughtPolicy>,
    ) -> Result<(), IamError> {
        match boundary {
            Some(policy) if self.managed(account, &policy.arn).is_none() => Err(policy.not_attachable()),
            Some(_) | None => Ok(()),
        }
    }

    /// What binds a user or role. A policy that is not there could be a Deny, so without it nothing is allowed.
    pub(super) fn effective(&self, profile: &super::entity::Profile, groups: &[Arc<Group>]) -> Effective {
        let mut policies: Vec<Arc<Policy>> = profile.policies.values().cloned().collect();
        let mut attached: Vec<&Arc<str>> = profile.attached.iter().collect();
        for group in groups {
            policies.extend(group.profile.policies.values().cloned());
            attached.extend(&group.profile.attached);
        }
        attached.sort_unstable();
        attached.dedup();
        let found = |arn: &str| {
            self.managed(profile.account, arn)
                .and_then(|policy| policy.binding().cloned())
        };
        let mut whole = true;
        for arn in attached {
            match found(arn) {
                Some(policy) => policies.push(policy),
                None => whole = false,
            }
        }
        let boundary = profile.boundary.as_deref();
        Effective {
            policies,
            boundary: match (whole, boundary) {
                (true, None) => None,
                (true, Some(arn)) => Some(found(arn).into_iter().collect()),
                (false, _) => Some(Vec::new()),
            },
        }
    }
}

impl Iam {
    /// Attaches a managed policy. Done already is done.
    pub(super) async fn attach<E: Entity>(
        &self,
        call: &Call<'_>,
        sought: &Sought<E>,
        policy: &SoughtPolicy,
    ) -> Result<(), IamError> {
        let id = Arc::clone(&sought.found()?.profile().id);
        self.change(call, |view| {
            let mut entity = E::clone(&*super::current::<E>(view, sought, &id)?);
            check_modifiable(&entity)?;
            let found = view.managed(call.account(), &policy.arn);
            if found
                .ok_or_else(|| policy.not_attachable())?
                .path
                .starts_with(PATH_PREFIX)
            {
                return Err(IamError::PolicyNotAttachable {
                    reason: "Cannot attach a Service Role Policy to a Customer Role.",
                });
            }
            let attached = &mut entity.profile_mut().attached;
            attached.insert(Arc::clone(&policy.arn));
            if attached.len() > ATTACHED_POLICIES_MAX {
                let reason = format!(
                    "Cannot exceed quota for PoliciesPer{}: {ATTACHED_POLICIES_MAX}",
                    E::TITLE
                );
                return Err(IamError::LimitExceeded { reason });
            }
            Ok((vec![entity.put()], ()))
        })
        .await
    }

    /// Detaches a managed policy.
    pub(super) async fn detach<E: Entity>(
        &self,
        call: &Call<'_>,
        sought: &Sought<E>,
        policy: &SoughtPolicy,
    ) -> Result<(), IamError> {
        self.update(call, sought, |entity| {
            check_modifiable(entity)?;
            if entity.profile_mut().attached.remove(&policy.arn) {
                Ok(())
            } else {
                Err(policy.missing())
            }
        })
        .await
    }

    /// Sets or removes the permissions boundary.
    pub(super) async fn set_boundary<E: Entity>(
        &self,
        call: &Call<'_>,
        sought: &Sought<E>,
        boundary: Option<&SoughtPolicy>,
    ) -> Result<(), IamError> {
        let id = Arc::clone(&sought.found()?.profile().id);
        self.change(call, |view| {
            let mut entity = E::clone(&*super::current::<E>(view, sought, &id)?);
            check_modifiable(&entity)?;
            let profile = entity.profile_mut();
            match boundary {
                Some(policy) => {
                    view.check_boundary(call.account(), boundary)?;
                    profile.boundary = Some(Arc::clone(&policy.arn));
                }
                None if profile.boundary.take().is_some() => {}
                None => {
                    return Err(IamError::NotFound {
                        reason: format!(
                            "The {} with name {} has no permissions boundary.",
                            E::KIND,
                            sought.name
                        ),
                    });
                }
            }
            Ok((vec![entity.put()], ()))
        })
        .await
    }

    /// The managed policies attached to a user, group or role.
    pub(super) fn attached_policies<E: Entity>(
        &self,
        sought: &Sought<E>,
        path_prefix: Option<&str>,
        marker: Option<&str>,
        max_items: Option<i32>,
    ) -> Result<Page<AttachedPolicy>, IamError> {
        let prefix = path_prefix.unwrap_or("/");
        validate::path_prefix(prefix)?;
        let view = self.view();
        let policies = sought.found()?.profile().attached.iter();
        let policies = policies.filter_map(|arn| view.managed(sought.account, arn));
        let shown = policies
            .filter(|policy| policy.path.starts_with(prefix))
            .map(|policy| {
                let shape = AttachedPolicy {
                    policy_name: Some(policy.name.clone()),
                    policy_arn: Some(policy.arn.to_string()),
                };
                (Arc::clone(&policy.arn), shape)
            });
        page(shown, marker, max_items)
    }
}

/// Whether a user, group or role can be deleted as far as policies go.
pub(super) fn check_no_policies<E: Entity>(entity: &E) -> Result<(), IamError> {
    let profile = entity.profile();
    let reason = if !profile.attached.is_empty() {
        "Cannot delete entity, must detach all policies first."
    } else if !profile.policies.is_empty() {
        "Cannot delete entity, must delete policies first."
    } else {
        return Ok(());
    };
    Err(IamError::DeleteConflict { reason })
}

/// What a policy can be at: for `ListEntitiesForPolicy`.
#[derive(Clone, Debug)]
pub(super) enum Holder {
    /// A group.
    Group(Arc<Group>),
    /// A role.
    Role(Arc<Role>),
    /// A user.
    User(Arc<User>),
}

impl Holder {
    /// `group`, `role`, `user`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => Group::KIND,
            Self::Role(_) => Role::KIND,
            Self::User(_) => User::KIND,
        }
    }

    /// What all have.
    pub(super) fn profile(&self) -> &super::entity::Profile {
        match self {
            Self::Group(group) => &group.profile,
            Self::Role(role) => &role.profile,
            Self::User(user) => &user.profile,
        }
    }
}
