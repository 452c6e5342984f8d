//! Who calls, and whom a statement names.
//!
//! How a statement names a caller matters as much as whether it does: an account only delegates to its own policies,
//! a role stays under its boundary and session policies, a user or a session is granted directly.
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "Policy evaluation for requests within a
//! single account".

use crate::arn;

/// The caller of a request. All names are ARNs as AWS prints them; accounts have twelve digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal<'a> {
    /// The root user of an account.
    Root {
        /// The account.
        account: &'a str,
    },
    /// An IAM user.
    User {
        /// The user's account.
        account: &'a str,
        /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`
        arn: &'a str,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's account.
        account: &'a str,
        /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`
        role_arn: &'a str,
        /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`
        session_arn: &'a str,
    },
    /// A session of `GetFederationToken`.
    FederatedUser {
        /// The account of the user who asked for the session.
        account: &'a str,
        /// `arn:aws:sts::ACCOUNT:federated-user/NAME`
        arn: &'a str,
        /// The user who asked for the session, unless the root user did.
        user_arn: Option<&'a str>,
    },
    /// A service that acts for itself.
    Service {
        /// `sns.amazonaws.com`
        name: &'a str,
    },
    /// Somebody an identity provider vouches for, before a role is assumed (`AssumeRoleWithSAML`,
    /// `AssumeRoleWithWebIdentity`).
    Federated {
        /// The provider's ARN, or the domain of a built-in provider.
        provider: &'a str,
    },
    /// Nobody: a request without signature.
    Anonymous,
}

impl<'a> Principal<'a> {
    /// The account the caller belongs to; services, federated identities and anonymous callers belong to none.
    #[must_use]
    pub const fn account(&self) -> Option<&'a str> {
        match *self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::AssumedRole { account, .. }
            | Self::FederatedUser { account, .. } => Some(account),
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// Whether this is a session of a service-linked role, which SCPs and RCPs do not restrict.
    #[must_use]
    pub fn is_service_linked_role(&self) -> bool {
        match *self {
            Self::AssumedRole { role_arn, .. } => role_arn.contains(":role/aws-service-role/"),
            Self::Root { .. }
            | Self::User { .. }
            | Self::FederatedUser { .. }
            | Self::Service { .. }
            | Self::Federated { .. }
            | Self::Anonymous => false,
        }
    }

    /// The caller as error messages name it; the root user by its account.
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'a, str> {
        match *self {
            Self::Root { account } => format!("arn:aws:iam::{account}:root").into(),
            Self::User { arn, .. } | Self::FederatedUser { arn, .. } => arn.into(),
            Self::AssumedRole { session_arn, .. } => session_arn.into(),
            Self::Service { name } => name.into(),
            Self::Federated { provider } => provider.into(),
            Self::Anonymous => "anonymous".into(),
        }
    }
}

/// How a statement reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// By account: what the account's own policies allow.
    Account,
    /// By role, or by the user behind a federated session: under boundary and session policies.
    Limited,
    /// By user, session, root, service, wildcard: directly.
    Direct,
}

/// One entry of a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Everyone,
    Account(Box<str>),
    User(Box<str>),
    Role(Box<str>),
    Session(Box<str>),
    FederatedUser(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    /// S3's identifier of an account; matched by no caller here, kept so that bucket policies can be stored.
    CanonicalUser,
    /// The unique id of somebody deleted, or a text that is no principal, in a policy read for evaluation only.
    Nobody,
}

impl Entry {
    pub(crate) fn names(&self, principal: &Principal<'_>) -> Option<Naming> {
        let direct = |matches: bool| matches.then_some(Naming::Direct);
        let limited = |matches: bool| matches.then_some(Naming::Limited);
        match (self, *principal) {
            (Self::Everyone, _) => Some(Naming::Direct),
            (Self::Account(id), Principal::Root { account }) => direct(**id == *account),
            (Self::Account(id), _) => (principal.account() == Some(id)).then_some(Naming::Account),
            (Self::User(named), Principal::User { arn, .. })
            | (Self::FederatedUser(named), Principal::FederatedUser { arn, .. }) => direct(**named == *arn),
            (Self::User(named), Principal::FederatedUser { user_arn, .. }) => {
                limited(user_arn == Some(&**named))
            }
            (Self::Role(named), Principal::AssumedRole { role_arn, .. }) => limited(**named == *role_arn),
            (Self::Session(named), Principal::AssumedRole { session_arn, .. }) => {
                direct(**named == *session_arn)
            }
            (Self::Service(named), Principal::Service { name }) => direct(named.eq_ignore_ascii_case(name)),
            (Self::Federated(named), Principal::Federated { provider }) => direct(**named == *provider),
            (
                Self::User(_)
                | Self::Role(_)
                | Self::Session(_)
                | Self::FederatedUser(_)
                | Self::Service(_)
                | Self::Federated(_)
                | Self::CanonicalUser
                | Self::Nobody,
                _,
            ) => None,
        }
    }

    /// Reads a value of `"AWS"`.
    pub(crate) fn parse_aws(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if is_account(text) {
            return Ok(Self::Account(text.into()));
        }
        if text.contains(['*', '?']) {
            return Err("a principal cannot hold a wildcard: `*` alone means everyone");
        }
        let malformed = "an AWS principal is `*`, a twelve-digit account, or the ARN of an account root, user, role, \
                         role session or federated user";
        let [_, partition, service, region, account, resource] = arn::split(text)
            .filter(|parts| parts.first() == Some(&"arn"))
            .ok_or(malformed)?;
        let partition_is_plain = partition.starts_with("aws")
            && partition
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !partition_is_plain || !region.is_empty() || !is_account(account) {
            return Err(malformed);
        }
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        match (service, kind) {
            ("iam", "root") if name.is_empty() => Ok(Self::Account(account.into())),
            ("iam", "user") if is_path(name) => Ok(Self::User(text.into())),
            ("iam", "role") if is_path(name) => Ok(Self::Role(text.into())),
            ("iam", "group") => Err("a group cannot be a principal: it has no identity of its own"),
            ("sts", "assumed-role") if name.split('/').count() == 2 && is_path(name) => {
                Ok(Self::Session(text.into()))
            }
            ("sts", "federated-user") if is_path(name) && !name.contains('/') => {
                Ok(Self::FederatedUser(text.into()))
            }
            _ => Err(malformed),
        }
    }

    /// Reads a value of `"Service"`.
    pub(crate) fn parse_service(text: &str) -> Result<Self, &'static str> {
        let labels = text
            .strip_suffix(".amazonaws.com")
            .or_else(|| text.strip_suffix(".amazonaws.com.cn"))
            .or_else(|| text.strip_suffix(".aws.internal"));
        let plain = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        match labels {
            Some(labels) if labels.split('.').all(plain) => Ok(Self::Service(text.into())),
            Some(_) | None => Err("a service principal has the form `sns.amazonaws.com`"),
        }
    }

    /// Reads a value of `"Federated"`: a provider's ARN or domain.
    pub(crate) fn parse_federated(text: &str) -> Result<Self, &'static str> {
        let malformed = "a federated principal is the ARN of a SAML or OpenID Connect provider, or a domain such as \
                         `cognito-identity.amazonaws.com`";
        let is_provider = match arn::split(text) {
            Some(["arn", _, "iam", "", account, resource]) => {
                is_account(account)
                    && (resource.starts_with("saml-provider/") || resource.starts_with("oidc-provider/"))
            }
            Some(_) => false,
            None => {
                text.contains('.')
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            }
        };
        if is_provider {
            Ok(Self::Federated(text.into()))
        } else {
            Err(malformed)
        }
    }

    /// Reads a value of `"CanonicalUser"`: 64 hexadecimal digits.
    pub(crate) fn parse_canonical_user(text: &str) -> Result<Self, &'static str> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self::CanonicalUser)
        } else {
            Err("a canonical user has 64 hexadecimal digits")
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names and paths of IAM: `[\w+=,.@-]` and slashes between them.
fn is_path(text: &str) -> bool {
    let name = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'=' | b',' | b'.' | b'@' | b'-' | b'_')
            })
    };
    text.split('/').all(name)
}

/// The `Principal` or `NotPrincipal` element of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrincipalElement {
    pub(crate) negated: bool,
    pub(crate) entries: Box<[Entry]>,
}

impl PrincipalElement {
    /// Whether and how the element reaches the caller.
    ///
    /// `NotPrincipal` counts a caller in all its aspects: a session is also its role and its account. A Deny spares
    /// it only when every aspect is listed, and never when a permissions boundary is attached; an Allow leaves it
    /// out as soon as one aspect is listed. Source: IAM User Guide, "AWS JSON policy elements: `NotPrincipal`" and
    /// "Permissions boundaries for IAM entities".
    pub(crate) fn reaches(&self, principal: &Principal<'_>, denies: bool, bounded: bool) -> Option<Naming> {
        if !self.negated {
            return self
                .entries
                .iter()
                .filter_map(|entry| entry.names(principal))
                .max();
        }
        let listed = if denies {
            self.lists_every_aspect(principal) && !bounded
        } else {
            self.entries.iter().any(|entry| entry.names(principal).is_some())
        };
        (!listed).then_some(Naming::Direct)
    }

    fn lists_every_aspect(&self, principal: &Principal<'_>) -> bool {
        let has = |wanted: &dyn Fn(&Entry) -> bool| self.entries.iter().any(wanted);
        if has(&|entry| *entry == Entry::Everyone) {
            return true;
        }
        let account = |id: &str| has(&|entry| matches!(entry, Entry::Account(listed) if **listed == *id));
        match *principal {
            Principal::Root { account: id } => account(id),
            Principal::User { account: id, arn } => {
                account(id) && has(&|entry| matches!(entry, Entry::User(listed) if **listed == *arn))
            }
            Principal::AssumedRole {
                account: id,
                role_arn,
                session_arn,
            } => {
                account(id)
                    && has(&|entry| matches!(entry, Entry::Role(listed) if **listed == *role_arn))
                    && has(&|entry| matches!(entry, Entry::Session(listed) if **listed == *session_arn))
            }
            Principal::FederatedUser {
                account: id,
                arn,
                user_arn,
            } => {
                let user_is_listed = user_arn.is_none_or(|user| {
                    has(&|entry| matches!(entry, Entry::User(listed) if **listed == *user))
                });
                account(id)
                    && user_is_listed
                    && has(&|entry| matches!(entry, Entry::FederatedUser(listed) if **listed == *arn))
            }
            Principal::Service { .. } | Principal::Federated { .. } => {
                has(&|entry| entry.names(principal).is_some())
            }
            Principal::Anonymous => false,
        }
    }
}
