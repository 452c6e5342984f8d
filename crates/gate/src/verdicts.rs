//! What may be allowed again without asking the policies: see [`bulla_policy::Verdicts`].
//!
//! A key holds the principal, the policies of resource and endpoint, and where the caller stands, by identity and not
//! by name, and keeps them alive, so that no other can come to lie where they were. Everything else that a decision depends
//! on raises the authorization epoch when it changes. Only what is allowed is kept: a no has reasons to tell.

use crate::access::{AccessRequest, Reach, ResourcePolicy};
use crate::caller::{Caller, Identity, OrganizationPlace};
use crate::ports::EndpointFacts;
use bulla_policy::Policy;
use bulla_types::AccountId;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Verdicts that are kept, at most.
pub(crate) const VERDICTS_MAX: usize = 8192;

/// What a verdict is about.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct VerdictKey {
    action: &'static str,
    resource: Arc<str>,
    owner: AccountId,
    own_account_only: bool,
    resource_control: bool,
    kind: Kind,
    identity: Same<Identity>,
    place: Option<Same<OrganizationPlace>>,
    policy: Option<Same<Policy>>,
    endpoint: Option<Same<EndpointFacts>>,
}

/// What a resource's policy means.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Kind {
    None,
    Attached,
    Mandatory,
}

impl VerdictKey {
    /// The key of a question, or `None` when its answer is not one to keep: services ask as principals that are made for the
    /// one call, and grants are many.
    pub(crate) fn of(caller: &Caller, request: &AccessRequest) -> Option<Self> {
        if caller.source.is_some() || !request.grants.is_empty() {
            return None;
        }
        let (kind, policy) = match &request.policy {
            ResourcePolicy::None => (Kind::None, None),
            ResourcePolicy::Attached(policy) => (Kind::Attached, policy.as_ref()),
            ResourcePolicy::Mandatory(policy) => (Kind::Mandatory, Some(policy)),
        };
        Some(Self {
            action: request.action,
            resource: Arc::clone(&request.resource),
            owner: request.owner,
            own_account_only: request.reach == Reach::OwnAccount,
            resource_control: request.resource_control,
            kind,
            identity: Same::of(&caller.identity),
            place: caller.organization.as_ref().map(Same::of),
            policy: policy.map(Same::of),
            endpoint: caller.own_endpoint().map(|endpoint| Same::of(&endpoint.facts)),
        })
    }
}

/// Equal to itself alone.
struct Same<T>(Arc<T>);

impl<T> Same<T> {
    fn of(value: &Arc<T>) -> Self {
        Self(Arc::clone(value))
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Same<T> {}

impl<T> Hash for Same<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl<T> std::fmt::Debug for Same<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Same(..)")
    }
}
