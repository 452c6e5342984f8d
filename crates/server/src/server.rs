//! A server: what every connection shares, and its life from the first accept to the last answer.

use crate::browser_guard::BrowserGuard;
use crate::config::ServeSettings;
use crate::config_limits::LimitSettings;
use crate::config_network::NetworkSettings;
use crate::endpoint_listeners::NewListeners;
use crate::handler::Handler;
use crate::listener::{Listener, REFUSAL_COUNT_MAX};
use crate::load::Load;
use crate::operator_error::ExitReason;
use crate::tls::Tls;
use bulla_runtime::Runtime;
use rustls::ServerConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// How a server treats its clients.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// TLS, with its certificate.
    pub tls: Arc<ServerConfig>,
    /// The certificate of the development CA, to be given to whoever asks.
    pub ca_pem: Option<String>,
    /// Limits on clients.
    pub limits: LimitSettings,
    /// Whether plain HTTP is answered on addresses other than loopback.
    pub allow_plain_http: bool,
    /// Trusted proxies, and whether clients need certificates.
    pub network: NetworkSettings,
    /// Present in open mode, and only then.
    pub browser_guard: Option<BrowserGuard>,
    /// How long requests may take to finish after the signal to stop.
    pub shutdown_grace: Duration,
}

impl ServerOptions {
    /// The options that these settings ask for.
    #[must_use]
    pub fn of(settings: &ServeSettings, tls: &Tls) -> Self {
        Self {
            tls: Arc::clone(&tls.config),
            ca_pem: tls.ca_pem.clone(),
            limits: settings.limits,
            allow_plain_http: settings.allow_plain_http,
            network: settings.network.clone(),
            browser_guard: BrowserGuard::of(settings),
            shutdown_grace: settings.shutdown_grace(),
        }
    }
}

/// A server and what stands behind it.
pub struct Server<H: ?Sized> {
    pub(crate) handler: Arc<H>,
    pub(crate) runtime: Runtime,
    pub(crate) tls: TlsAcceptor,
    pub(crate) ca_pem: Option<String>,
    pub(crate) limits: LimitSettings,
    pub(crate) plain_everywhere: bool,
    pub(crate) clients_need_certificates: bool,
    pub(crate) network: NetworkSettings,
    pub(crate) browser_guard: Option<BrowserGuard>,
    /// One permit for each connection that may be open.
    pub(crate) connections: Arc<Semaphore>,
    /// One permit for each connection that may be turned away at once.
    pub(crate) refusals: Arc<Semaphore>,
    /// What is carried now.
    pub(crate) load: Arc<Load>,
    shutdown_grace: Duration,
}

impl<H: Handler + ?Sized + 'static> Server<H> {
    /// A server that does not listen yet.
    #[must_use]
    pub fn new(handler: Arc<H>, runtime: Runtime, options: ServerOptions) -> Self {
        Self {
            handler,
            runtime,
            tls: TlsAcceptor::from(options.tls),
            ca_pem: options.ca_pem,
            limits: options.limits,
            plain_everywhere: options.allow_plain_http,
            clients_need_certificates: options.network.tls_client_ca.is_some(),
            network: options.network,
            browser_guard: options.browser_guard,
            connections: Arc::new(Semaphore::new(options.limits.max_connections as usize)),
            refusals: Arc::new(Semaphore::new(REFUSAL_COUNT_MAX)),
            load: Load::new(&options.limits),
            shutdown_grace: options.shutdown_grace,
        }
    }

    /// Accepts connections until the runtime's shutdown is asked for, then finishes the requests under way within
    /// the grace period and closes the handler.
    pub async fn run(self, listeners: Vec<Listener>) -> ExitReason {
        let (_none, endpoints) = tokio::sync::mpsc::unbounded_channel();
        self.run_with_endpoints(listeners, endpoints).await
    }

    /// The same, also with the listeners that come one by one.
    pub(crate) async fn run_with_endpoints(
        self,
        listeners: Vec<Listener>,
        mut endpoints: NewListeners,
    ) -> ExitReason {
        let server = Arc::new(self);
        let accept = |listener: Listener| {
            let server = Arc::clone(&server);
            let tasks = Arc::clone(&server.runtime.tasks);
            tasks.spawn(Box::pin(listener.accept(server)));
        };
        listeners.into_iter().for_each(accept);
        loop {
            tokio::select! {
                biased;
                () = server.runtime.shutdown.wait() => break,
                Some(listener) = endpoints.recv() => accept(listener),
            }
        }
        let exit = server.drain().await;
        server.handler.close().await;
        exit
    }

    async fn drain(&self) -> ExitReason {
        tokio::select! {
            biased;
            _ = self.connections.acquire_many(self.limits.max_connections) => ExitReason::Clean,
            () = self.runtime.clock.sleep(self.shutdown_grace) => {
                let open = (self.limits.max_connections as usize).saturating_sub(self.connections.available_permits());
                tracing::warn!(connections = open, "the grace period is over; what is still open is cut");
                ExitReason::Cut
            }
        }
    }
}

impl<H: ?Sized> std::fmt::Debug for Server<H> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Server")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
