//! Who is asking, from where, and through whom.

use crate::client::Client;
use crate::ports::EndpointFacts;
use bulla_policy::{Level, Policy, Principal};
use bulla_types::{AccountId, OrganizationId, Region, RequestId, Timestamp, VpcEndpointId};
use std::net::IpAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Facts of the connection a request came by. Made by the listener from the accepted socket; nothing that a
/// client writes can change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Whether the connection is TLS: `aws:SecureTransport`.
    pub secure: bool,
    /// The peer's address: `aws:SourceIp`, or `aws:VpcSourceIp` of what comes by an endpoint.
    pub source_ip: IpAddr,
    /// The VPC endpoint whose listener accepted the connection: `aws:SourceVpce`.
    pub endpoint: Option<VpcEndpointId>,
}

/// What sort of principal an identity is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// The root user of the account.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    AssumedRole,
    /// Somebody for whom a user or the root user vouches: a session of `GetFederationToken`.
    FederatedUser {
        /// The ARN of the user; `None` when it was the root user.
        user_arn: Option<Arc<str>>,
    },
    /// A service that acts in its own name.
    Service,
}

/// A principal as its account knows it: name, tags and the policies attached to it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What sort of principal this is.
    pub kind: IdentityKind,
    /// Owning account.
    pub account: AccountId,
    /// The ARN that error messages and audit records show; for a role session the session's.
    pub arn: Arc<str>,
    /// `aws:PrincipalArn`: for a role session the role's ARN.
    pub principal_arn: Arc<str>,
    /// `aws:userid`: `AIDA…`, `AROA…:session`, or the account id for the root user.
    pub user_id: Arc<str>,
    /// `aws:username`, for IAM users.
    pub user_name: Option<Arc<str>>,
    /// `aws:PrincipalTag/…`.
    pub tags: Vec<(String, String)>,
    /// Identity policies, labelled with the words that explanations call them by.
    pub policies: Vec<Arc<Policy>>,
    /// Permissions boundary; `None` where there is none.
    pub boundary: Option<Vec<Arc<Policy>>>,
    /// Session policies; `None` where none were passed. A federated user always has them, if only none.
    pub session: Option<Vec<Arc<Policy>>>,
    /// When temporary credentials were issued: `aws:TokenIssueTime`.
    pub token_issued: Option<Timestamp>,
    /// Who stands behind a role session: `aws:SourceIdentity`. Set when a role is assumed, and kept by all sessions that
    /// this one makes.
    pub source_identity: Option<Arc<str>>,
}

impl Identity {
    /// Whether this is the account's root user.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.kind == IdentityKind::Root
    }

    /// `aws:PrincipalType`; nothing for services.
    #[must_use]
    pub fn principal_type(&self) -> Option<&'static str> {
        match self.kind {
            IdentityKind::Root => Some("Account"),
            IdentityKind::User => Some("User"),
            IdentityKind::AssumedRole => Some("AssumedRole"),
            IdentityKind::FederatedUser { .. } => Some("FederatedUser"),
            IdentityKind::Service => None,
        }
    }

    /// What `Principal` elements are compared with.
    #[must_use]
    pub fn principal(&self) -> Principal<'_> {
        let account = self.account.as_str();
        match &self.kind {
            IdentityKind::Root => Principal::Root { account },
            IdentityKind::User => Principal::User {
                account,
                arn: &self.arn,
            },
            IdentityKind::AssumedRole => Principal::AssumedRole {
                account,
                role_arn: &self.principal_arn,
                session_arn: &self.arn,
            },
            IdentityKind::FederatedUser { user_arn } => Principal::FederatedUser {
                account,
                arn: &self.arn,
                user_arn: user_arn.as_deref(),
            },
            IdentityKind::Service => Principal::Service { name: &self.arn },
        }
    }
}

/// Where an account stands in its organization.
#[derive(Clone, Debug)]
pub struct OrganizationPlace {
    /// `aws:PrincipalOrgID`.
    pub id: OrganizationId,
    /// `aws:PrincipalOrgPaths`: `o-…/r-…/ou-…/`, with a slash at the end.
    pub path: Arc<str>,
    /// The management account, which control policies do not bind.
    pub management_account: AccountId,
    /// Service control policies from the root down to the account, a list for each level.
    pub service_control: Vec<Level>,
    /// Resource control policies from the root down to the account, a list for each level.
    pub resource_control: Vec<Level>,
}

/// The resource on whose behalf a service calls: `aws:SourceArn` and what follows from it.
#[derive(Clone, Debug)]
pub struct Source {
    /// `aws:SourceArn`.
    pub arn: Arc<str>,
    /// `aws:SourceAccount`.
    pub account: AccountId,
    /// `aws:SourceOrgID` and `aws:SourceOrgPaths`.
    pub organization: Option<Arc<OrganizationPlace>>,
}

/// The session token of a request; never printed.
#[derive(Clone)]
pub(crate) struct SessionToken(Arc<Zeroizing<String>>);

impl SessionToken {
    pub(crate) fn new(text: &str) -> Self {
        Self(Arc::new(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SessionToken(..)")
    }
}

/// A VPC endpoint by which a request came.
#[derive(Clone, Debug)]
pub(crate) struct ViaEndpoint {
    pub(crate) facts: Arc<EndpointFacts>,
    /// `aws:VpceOrgID` and `aws:VpceOrgPaths`: where its owner stands.
    pub(crate) organization: Option<Arc<OrganizationPlace>>,
}

/// A principal and the facts that the calling path adds.
///
/// Made from a verified signature, or inside the gate when a service calls; nowhere else.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) identity: Arc<Identity>,
    pub(crate) organization: Option<Arc<OrganizationPlace>>,
    pub(crate) transport: Transport,
    /// The VPC endpoint by which the request came, as it was then.
    pub(crate) via_endpoint: Option<ViaEndpoint>,
    pub(crate) region: Region,
    pub(crate) time: Timestamp,
    pub(crate) request_id: RequestId,
    pub(crate) user_agent: Option<Arc<str>>,
    /// `https://host:port` as the client addressed the server.
    pub(crate) endpoint: Arc<str>,
    /// Access key that signed, for `GetCallerIdentity` and the audit.
    pub(crate) access_key: Arc<str>,
    /// Services that passed the call on, first one first.
    pub(crate) via: Vec<&'static str>,
    pub(crate) source: Option<Source>,
    pub(crate) client: Client,
    /// What came along with the access key, to look the principal up again.
    pub(crate) token: Option<SessionToken>,
    /// The authorization epoch before the principal was looked up.
    pub(crate) epoch: u64,
}

impl Caller {
    /// The principal.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The account of the principal.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.identity.account
    }

    /// The organization the principal's account belongs to.
    #[must_use]
    pub fn organization(&self) -> Option<&OrganizationPlace> {
        self.organization.as_deref()
    }

    /// The region that the signature's scope names.
    #[must_use]
    pub fn region(&self) -> Region {
        self.region
    }

    /// When the request was received.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The id of the call, the same for all calls that it causes.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// How the request arrived.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The access key that signed the request.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The resource on whose behalf a service calls.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The VPC endpoint by which this call came itself; none of what a service forwards or asks in its own name.
    pub(crate) fn own_endpoint(&self) -> Option<&ViaEndpoint> {
        let is_direct = self.via.is_empty() && self.source.is_none();
        self.via_endpoint.as_ref().filter(|_| is_direct)
    }

    /// Services that passed the call on, first one first; empty for a call from a client.
    #[must_use]
    pub fn via(&self) -> &[&'static str] {
        &self.via
    }

    /// The same principal, asked for by `service` (SQS asking KMS for the sender).
    pub(crate) fn forwarded_by(&self, service: &'static str) -> Self {
        let mut caller = self.clone();
        caller.via.push(service);
        caller
    }

    /// `service` in its own name, on behalf of the resource `source`.
    pub(crate) fn as_service(&self, service: &'static str, source: Source) -> Self {
        let identity = Identity {
            kind: IdentityKind::Service,
            account: source.account,
            arn: service.into(),
            principal_arn: service.into(),
            user_id: service.into(),
            user_name: None,
            tags: Vec::new(),
            policies: Vec::new(),
            boundary: None,
            session: None,
            token_issued: None,
            source_identity: None,
        };
        Self {
            identity: Arc::new(identity),
            organization: None,
            via: Vec::new(),
            source: Some(source),
            ..self.clone()
        }
    }
}
