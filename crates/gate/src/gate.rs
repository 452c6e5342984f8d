//! The gate: all services, all endpoints, the ports.

use crate::audit::AuditRecord;
use crate::authenticate::{Authentication, SigningKeys};
use crate::caller::OrganizationPlace;
use crate::denials::Denials;
use crate::endpoint::Endpoint;
use crate::operation::{Family, NotBuilt, Service};
use crate::ports::{AuditTrail, Credentials, Endpoints, Organizations};
use crate::verdicts::{VERDICTS_MAX, VerdictKey};
use bulla_policy::{IdentityOwner, Policy, PolicyKind, Verdicts};
use bulla_runtime::Runtime;
use bulla_types::AccountId;
use bulla_wire::{ErrorRow, ServiceWire};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// What the gate itself reads and writes.
pub struct Ports {
    /// Access keys and principals.
    pub credentials: Arc<dyn Credentials>,
    /// Where accounts stand.
    pub organizations: Arc<dyn Organizations>,
    /// The VPC endpoints.
    pub endpoints: Arc<dyn Endpoints>,
    /// Where calls are recorded.
    pub audit: Arc<dyn AuditTrail>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// The one door to all services.
pub struct Gate {
    pub(crate) runtime: Runtime,
    pub(crate) ports: Ports,
    pub(crate) authentication: Authentication,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) wires: Vec<ServiceWire>,
    families: HashMap<&'static str, Family>,
    /// By signing name.
    not_built: HashMap<&'static str, NotBuilt>,
    /// What URLs in answers begin with, instead of the host that the client used.
    pub(crate) public_url: Option<Arc<str>>,
    services: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// By signing name, then by operation name.
    endpoints: HashMap<&'static str, HashMap<&'static str, Endpoint>>,
    epoch: AtomicU64,
    pub(crate) denials: Denials,
    /// A policy that allows everything; none, which allows nothing, if it could not be understood.
    pub(crate) everything: Vec<Arc<Policy>>,
    pub(crate) verdicts: Verdicts<VerdictKey>,
    /// One permit for each call that may wait for something to happen.
    pub(crate) waits: Semaphore,
}

impl Gate {
    /// A gate without services.
    #[must_use]
    pub fn new(runtime: Runtime, ports: Ports, authentication: Authentication) -> Self {
        Self {
            runtime,
            ports,
            authentication,
            signing_keys: SigningKeys::default(),
            wires: Vec::new(),
            families: HashMap::new(),
            not_built: HashMap::new(),
            public_url: None,
            services: HashMap::new(),
            endpoints: HashMap::new(),
            epoch: AtomicU64::new(0),
            denials: Denials::default(),
            everything: everything().into_iter().collect(),
            verdicts: Verdicts::new(VERDICTS_MAX),
            waits: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// Lets URLs in answers begin with this instead of the host that the client used: `https://queues.example`.
    #[must_use]
    pub fn with_public_url(mut self, url: Option<String>) -> Self {
        self.public_url = url.map(Into::into);
        self
    }

    /// Lets at most so many calls wait for something to happen.
    #[must_use]
    pub fn with_waits_max(mut self, count: usize) -> Self {
        self.waits = Semaphore::new(count.min(Semaphore::MAX_PERMITS));
        self
    }

    /// Adds a service and its operations.
    pub fn serve<S: Service>(&mut self, service: Arc<S>, operations: &'static [Endpoint]) {
        self.services.insert(TypeId::of::<S>(), service);
        self.wires.push(*S::WIRE);
        self.families.insert(S::WIRE.signing_name, S::FAMILY);
        self.not_built.insert(S::WIRE.signing_name, S::NOT_BUILT);
        let table = self.endpoints.entry(S::WIRE.signing_name).or_default();
        table.extend(
            operations
                .iter()
                .map(|endpoint| (endpoint.name().name, *endpoint)),
        );
    }

    /// Time, randomness and tasks.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn service<S: Service>(&self) -> Option<&S> {
        self.services.get(&TypeId::of::<S>())?.downcast_ref()
    }

    pub(crate) fn family(&self, service: &str) -> Family {
        self.families.get(service).copied().unwrap_or(Family::Query)
    }

    /// How the service says that it has not built this operation of AWS's, if it is one.
    pub(crate) fn not_built(&self, service: &str, name: &str) -> Option<ErrorRow> {
        let known = self.not_built.get(service)?;
        known.operations.contains(&name).then_some(known.row)
    }

    pub(crate) fn endpoint(&self, service: &str, name: &str) -> Option<Endpoint> {
        self.endpoints.get(service)?.get(name).copied()
    }

    /// Rises whenever a policy, a key's state, a principal or an organization changes. Whoever caches what was
    /// allowed once must ask again when this has risen.
    #[must_use]
    pub fn authorization_epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn authorization_changed(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn place(&self, account: AccountId) -> Option<Arc<OrganizationPlace>> {
        self.ports.organizations.place(account)
    }

    pub(crate) fn audit(&self, record: &AuditRecord<'_>) {
        self.ports.audit.record(record);
    }
}

fn everything() -> Option<Arc<Policy>> {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let policy = Policy::parse(text, PolicyKind::Identity(IdentityOwner::User)).ok()?;
    Some(Arc::new(policy.labelled("no permission is needed")))
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Gate")
            .field("endpoints", &self.endpoints.len())
            .finish_non_exhaustive()
    }
}
