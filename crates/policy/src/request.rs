//! What is asked, and which policies have a say.

use crate::context::Context;
use crate::grant::Grant;
use crate::policy::Policy;
use crate::principal::Principal;
use std::sync::Arc;

/// One access request: one action on one resource.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: Principal<'a>,
    /// `sqs:SendMessage`; letter case does not matter.
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions that have none.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub resource_account: &'a str,
    /// The values of condition keys.
    pub context: &'a dyn Context,
    /// Whether the service offers this action within the owner's account only, whatever policies say
    /// (see [`crate::is_same_account_only`]).
    pub same_account_only: bool,
}

/// Policies attached to one node of an organization: its root, an organizational unit, or the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Names the node for people: `root r-abcd`, `account 111122223333`.
    pub name: Box<str>,
    /// The policies attached to it.
    pub policies: Vec<Arc<Policy>>,
}

/// The policy of the resource and the weight it has.
#[derive(Debug, Clone, Copy, Default)]
pub enum ResourcePolicy<'a> {
    /// The resource cannot have one: only its own account has access, by identity policies.
    #[default]
    None,
    /// It may have one: within the account, either side can allow. Queues, topics, buckets.
    Ordinary(Option<&'a Policy>),
    /// It always has one, and nobody has access without it, not even the account's root: keys and roles. It can
    /// delegate to the account's own policies by naming the account.
    Mandatory(&'a Policy),
}

impl<'a> ResourcePolicy<'a> {
    /// The policy, if there is one.
    #[must_use]
    pub const fn policy(&self) -> Option<&'a Policy> {
        match *self {
            Self::None | Self::Ordinary(None) => None,
            Self::Ordinary(Some(policy)) | Self::Mandatory(policy) => Some(policy),
        }
    }
}

/// All policies that have a say in a request.
///
/// A limit that is `None` does not exist; a limit that exists and is empty allows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layers<'a> {
    /// Identity policies of the caller: inline, managed, and those of the user's groups.
    pub identity: &'a [Arc<Policy>],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a [Arc<Policy>]>,
    /// The policies passed when the session was made. A session of `GetFederationToken` always has them, if only none.
    pub session: Option<&'a [Arc<Policy>]>,
    /// Service control policies of the caller's account, from the root down; empty outside of organizations.
    pub service_control: &'a [Level],
    /// Resource control policies of the resource's account, from the root down; empty outside of organizations.
    pub resource_control: &'a [Level],
    /// The policy of the resource.
    pub resource: ResourcePolicy<'a>,
    /// The policy of the VPC endpoint through which the request came.
    pub endpoint: Option<&'a [Arc<Policy>]>,
    /// Grants on the key that is asked for.
    pub grants: &'a [Grant],
    /// The management account of the organization, which neither kind of control policy restricts.
    pub management_account: Option<&'a str>,
}

impl Request<'_> {
    /// Whether the caller belongs to the account that owns the resource.
    #[must_use]
    pub fn is_same_account(&self) -> bool {
        self.principal.account() == Some(self.resource_account)
    }

    /// Whether service control policies restrict the caller: not services, not service-linked roles, not the
    /// management account. Source: Organizations User Guide, "Service control policies".
    pub(crate) fn is_under_service_control(&self, layers: &Layers<'_>) -> bool {
        self.principal
            .account()
            .is_some_and(|account| layers.management_account != Some(account))
            && !self.principal.is_service_linked_role()
    }

    /// Whether resource control policies restrict the call: not of service-linked roles, not on resources of the
    /// management account. Source: Organizations User Guide, "Resource control policies".
    pub(crate) fn is_under_resource_control(&self, layers: &Layers<'_>) -> bool {
        layers.management_account != Some(self.resource_account) && !self.principal.is_service_linked_role()
    }
}
