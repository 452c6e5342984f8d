//! The outcome of a request, and AWS's words for it.

use crate::evaluate::Position;
use crate::policy::{Policy, Statement};
use crate::request::{Layers, Request};
use std::fmt;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request may proceed.
    Allow,
    /// Nothing denies, but an allow that is needed is missing.
    ImplicitDeny,
    /// A Deny statement applies.
    ExplicitDeny,
}

impl Outcome {
    /// `allow`, `implicit_deny`, `explicit_deny`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ImplicitDeny => "implicit_deny",
            Self::ExplicitDeny => "explicit_deny",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The kind of policy that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// A permissions boundary.
    Boundary,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// A grant on a key.
    Grant,
    /// Identity policies.
    Identity,
    /// The policy of the resource: queue, topic, bucket, key.
    Resource,
    /// A resource control policy.
    ResourceControl,
    /// The full access a root user has in its own account.
    Root,
    /// The service itself: it does not offer the action across accounts.
    Service,
    /// A service control policy.
    ServiceControl,
    /// A session policy.
    Session,
    /// The trust policy of a role.
    Trust,
}

impl Layer {
    /// A short stable name in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boundary => "boundary",
            Self::Endpoint => "endpoint",
            Self::Grant => "grant",
            Self::Identity => "identity",
            Self::Resource => "resource",
            Self::ResourceControl => "resource_control",
            Self::Root => "root",
            Self::Service => "service",
            Self::ServiceControl => "service_control",
            Self::Session => "session",
            Self::Trust => "trust",
        }
    }

    /// The policy type as AWS's denials call it.
    ///
    /// Source: IAM User Guide, "Troubleshoot access denied error messages".
    #[must_use]
    pub const fn policy_type(self) -> &'static str {
        match self {
            Self::Boundary => "permissions boundary",
            Self::Endpoint => "VPC endpoint policy",
            Self::Identity | Self::Root => "identity-based policy",
            Self::Resource | Self::Grant | Self::Service => "resource-based policy",
            Self::ResourceControl => "resource control policy",
            Self::ServiceControl => "service control policy",
            Self::Session => "session policy",
            Self::Trust => "role trust policy",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A decision and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// The layer that decided: for an implicit deny, the first that lacks an allow.
    pub layer: Layer,
    /// The deciding statement; `None` when a missing allow or the root user's own rights decided.
    pub position: Option<Position>,
    /// The level of the organization without an allow, when that decided.
    pub level: Option<usize>,
}

impl Decision {
    /// Whether the request may proceed.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allow)
    }

    /// The policy that holds the deciding statement; `layers` are those given to [`crate::decide`].
    #[must_use]
    pub fn policy<'a>(&self, layers: &Layers<'a>) -> Option<&'a Policy> {
        let position = self.position?;
        let listed = match self.layer {
            Layer::Boundary => layers.boundary?,
            Layer::Endpoint => layers.endpoint?,
            Layer::Identity => layers.identity,
            Layer::Session => layers.session?,
            Layer::ResourceControl => &layers.resource_control.get(position.level)?.policies,
            Layer::ServiceControl => &layers.service_control.get(position.level)?.policies,
            Layer::Resource | Layer::Trust => return layers.resource.policy(),
            Layer::Grant | Layer::Root | Layer::Service => return None,
        };
        listed.get(position.policy).map(|policy| &**policy)
    }

    /// The deciding statement.
    #[must_use]
    pub fn statement<'a>(&self, layers: &Layers<'a>) -> Option<&'a Statement> {
        self.policy(layers)?.statements().get(self.position?.statement)
    }

    /// The end of AWS's denial: `because no identity-based policy allows the sqs:SendMessage action`, or
    /// `with an explicit deny in a resource-based policy`. `None` when the request was allowed.
    ///
    /// Source: IAM User Guide, "Troubleshoot access denied error messages".
    #[must_use]
    pub fn denial(&self, action: &str) -> Option<String> {
        let policy_type = self.layer.policy_type();
        let article = match self.layer {
            Layer::Identity | Layer::Root => "an",
            Layer::Trust => "the",
            Layer::Boundary
            | Layer::Endpoint
            | Layer::Grant
            | Layer::Resource
            | Layer::ResourceControl
            | Layer::Service
            | Layer::ServiceControl
            | Layer::Session => "a",
        };
        match self.outcome {
            Outcome::Allow => None,
            Outcome::ImplicitDeny => Some(format!("because no {policy_type} allows the {action} action")),
            Outcome::ExplicitDeny => Some(format!("with an explicit deny in {article} {policy_type}")),
        }
    }

    /// AWS's whole sentence: `User: ARN is not authorized to perform: ACTION on resource: ARN because …`.
    /// `None` when the request was allowed.
    #[must_use]
    pub fn message(&self, request: &Request<'_>) -> Option<String> {
        let denial = self.denial(request.action)?;
        let user = request.principal.name();
        let resource = if request.resource == "*" {
            String::new()
        } else {
            format!(" on resource: {}", request.resource)
        };
        Some(format!(
            "User: {user} is not authorized to perform: {}{resource} {denial}",
            request.action
        ))
    }
}
