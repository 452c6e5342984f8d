//! What a document is for: the grammar and the quotas differ.

use crate::limits::{self, Limits};

/// What an identity policy hangs on: it decides the size quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityOwner {
    /// A managed policy.
    Managed,
    /// An inline policy of a user.
    User,
    /// An inline policy of a group.
    Group,
    /// An inline policy of a role.
    Role,
}

/// The service whose resource carries a resource policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vendor {
    /// A key policy.
    Kms,
    /// A bucket policy.
    S3,
    /// A topic policy.
    Sns,
    /// A queue policy.
    Sqs,
}

impl Vendor {
    /// The prefix of the service's actions, and the service part of its ARNs.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::S3 => "s3",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
        }
    }
}

/// What a policy document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// Attached to a user, group or role: grants.
    Identity(IdentityOwner),
    /// Attached to a resource: grants to principals.
    Resource(Vendor),
    /// The trust policy of a role.
    Trust,
    /// Passed with `AssumeRole` or `GetFederationToken`: a limit.
    Session,
    /// A permissions boundary: a limit. Any managed policy can serve.
    Boundary,
    /// A service control policy: a limit for the principals of an organization.
    ServiceControl,
    /// A resource control policy: a limit for the resources of an organization.
    ResourceControl,
    /// The policy of a VPC endpoint: a limit for what goes through it.
    VpcEndpoint,
}

/// Whether an element must, may or must not stand in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Forbidden,
}

impl PolicyKind {
    pub(crate) const fn principal(self) -> Presence {
        match self {
            Self::Resource(_) | Self::Trust | Self::ResourceControl | Self::VpcEndpoint => Presence::Required,
            Self::Identity(_) | Self::Session | Self::Boundary | Self::ServiceControl => Presence::Forbidden,
        }
    }

    pub(crate) const fn resource(self) -> Presence {
        match self {
            Self::Trust => Presence::Forbidden,
            Self::Identity(_)
            | Self::Resource(_)
            | Self::Session
            | Self::Boundary
            | Self::ServiceControl
            | Self::ResourceControl
            | Self::VpcEndpoint => Presence::Required,
        }
    }

    /// Whether `NotPrincipal` is part of the grammar.
    pub(crate) const fn takes_not_principal(self) -> bool {
        matches!(self, Self::Resource(_) | Self::VpcEndpoint)
    }

    /// Whether statement ids are limited to `[0-9A-Za-z]*` and must be unique: in all of IAM's own documents.
    pub(crate) const fn has_strict_sids(self) -> bool {
        match self {
            Self::Identity(_)
            | Self::Trust
            | Self::Session
            | Self::Boundary
            | Self::ServiceControl
            | Self::ResourceControl => true,
            Self::Resource(_) | Self::VpcEndpoint => false,
        }
    }

    /// Whether `Version` must stand there and be the current one.
    pub(crate) const fn needs_current_version(self) -> bool {
        matches!(self, Self::ServiceControl | Self::ResourceControl)
    }

    /// The only prefix its actions may have, if there is one.
    pub(crate) const fn vendor(self) -> Option<&'static str> {
        match self {
            Self::Resource(vendor) => Some(vendor.prefix()),
            Self::Trust => Some("sts"),
            Self::Identity(_)
            | Self::Session
            | Self::Boundary
            | Self::ServiceControl
            | Self::ResourceControl
            | Self::VpcEndpoint => None,
        }
    }

    /// The quotas for documents of this kind.
    #[must_use]
    pub const fn limits(self) -> Limits {
        limits::of(self)
    }

    /// The kind in words, for messages: "an identity policy".
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Identity(_) => "an identity policy",
            Self::Resource(Vendor::Kms) => "a key policy",
            Self::Resource(Vendor::S3) => "a bucket policy",
            Self::Resource(Vendor::Sns) => "a topic policy",
            Self::Resource(Vendor::Sqs) => "a queue policy",
            Self::Trust => "a role trust policy",
            Self::Session => "a session policy",
            Self::Boundary => "a permissions boundary",
            Self::ServiceControl => "a service control policy",
            Self::ResourceControl => "a resource control policy",
            Self::VpcEndpoint => "a VPC endpoint policy",
        }
    }
}
