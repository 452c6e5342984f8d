//! What the gate itself must read and write. Bound in the server's `compose.rs`; the only ungated reads.

use crate::audit::AuditRecord;
use crate::caller::{Identity, OrganizationPlace};
use bulla_policy::Policy;
use bulla_runtime::BoxFuture;
use bulla_types::{AccountId, Region, Timestamp, VpcEndpointId, VpcId};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A secret access key; wiped when dropped, never printed.
pub struct SecretAccessKey(Zeroizing<String>);

impl SecretAccessKey {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text. For deriving signing keys, and for the one answer that hands the key out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretAccessKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretAccessKey(..)")
    }
}

/// What an access key opens.
#[derive(Debug)]
pub struct Credential {
    /// The secret that signatures are verified with.
    pub secret: Arc<SecretAccessKey>,
    /// Who signs with it.
    pub identity: Arc<Identity>,
}

/// Why an access key opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialRefusal {
    /// There is no such access key, it is inactive, or the session token does not belong to it.
    Unknown,
    /// The session token was good until a while ago.
    Expired,
}

/// Access keys and the principals behind them.
pub trait Credentials: Send + Sync {
    /// Finds the principal of an access key. `token` is the session token as sent.
    fn find(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Credential, CredentialRefusal>;

    /// Notes that an access key signed a request to a service; called for every request, so it must not wait.
    fn used(&self, _access_key: &str, _service: &'static str, _region: Region, _now: Timestamp) {}

    /// The root user of an account, which comes into being if it does not exist. Asked in open mode only.
    ///
    /// # Errors
    /// What went wrong, for the log; the client sees an internal failure.
    fn open_account(&self, account: AccountId) -> BoxFuture<'_, Result<Arc<Identity>, String>>;
}

/// Where accounts stand in organizations.
pub trait Organizations: Send + Sync {
    /// The account's place, or `None` when it is in no organization.
    fn place(&self, account: AccountId) -> Option<Arc<OrganizationPlace>>;
}

/// What conditions and decisions see of a VPC endpoint.
#[derive(Clone, Debug)]
pub struct EndpointFacts {
    /// `aws:SourceVpce`.
    pub id: VpcEndpointId,
    /// `aws:SourceVpc`.
    pub vpc: VpcId,
    /// `aws:SourceVpcArn`.
    pub vpc_arn: Box<str>,
    /// The account that owns it: `aws:VpceAccount`.
    pub account: AccountId,
    /// The region it stands in; requests are signed for it.
    pub region: Region,
    /// Signing name of the only service it leads to.
    pub service: Box<str>,
    /// A limit for everything that comes by it.
    pub policy: [Arc<Policy>; 1],
}

/// The VPC endpoints that there are.
pub trait Endpoints: Send + Sync {
    /// The endpoint with this id, if it is there now.
    fn endpoint(&self, id: VpcEndpointId) -> Option<Arc<EndpointFacts>>;
}

/// For a server without endpoints: there is none.
#[derive(Clone, Copy, Debug)]
pub struct NoEndpoints;

impl Endpoints for NoEndpoints {
    fn endpoint(&self, _: VpcEndpointId) -> Option<Arc<EndpointFacts>> {
        None
    }
}

/// Where every finished call is recorded.
pub trait AuditTrail: Send + Sync {
    /// Records one call.
    fn record(&self, record: &AuditRecord<'_>);
}
