//! The listeners of VPC endpoints: opened and closed while the server runs.
//!
//! The services bind an address when an endpoint is made, so that whoever makes it is told when that fails; the server
//! accepts from then on. Which endpoint a connection came by is known from the listener that accepted it.

use crate::config::ServeSettings;
use crate::endpoint_tls::EndpointTls;
use crate::listener::{Entrance, Listener};
use bulla_runtime::{BoxFuture, Shutdown, ShutdownTrigger};
use bulla_services::ec2::{ListenFailure, Listeners};
use bulla_types::VpcEndpointId;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Listeners that the server has not taken yet.
pub(crate) type NewListeners = mpsc::UnboundedReceiver<Listener>;

/// A listener that was opened.
struct Open {
    endpoint: VpcEndpointId,
    /// Ends it.
    close: ShutdownTrigger,
    /// Completes when its socket is gone.
    gone: Shutdown,
}

/// How long closing waits for a socket to go; it goes when the accepting task runs next.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Opens listeners and hands them to the server.
pub(crate) struct EndpointListeners {
    tls: EndpointTls,
    /// Certificates of subnets that have their own, by address and first port.
    certificates: Vec<(crate::config_network::SubnetSetting, (PathBuf, PathBuf))>,
    open: Mutex<HashMap<SocketAddr, Open>>,
    to_server: mpsc::UnboundedSender<Listener>,
}

impl EndpointListeners {
    /// Both ends.
    pub(crate) fn new(settings: &ServeSettings, tls: EndpointTls) -> (Self, NewListeners) {
        let (to_server, listeners) = mpsc::unbounded_channel();
        let own = settings.network.subnet.iter();
        let certificates = own
            .filter_map(|setting| Some((setting.clone(), setting.certificate.clone()?)))
            .collect();
        let own = Self {
            tls,
            certificates,
            open: Mutex::default(),
            to_server,
        };
        (own, listeners)
    }

    fn certificate(&self, address: SocketAddr) -> Option<&(PathBuf, PathBuf)> {
        let of_subnet = self
            .certificates
            .iter()
            .find(|(setting, _)| setting.subnet.has(address));
        of_subnet.map(|(_, files)| files)
    }
}

impl Listeners for EndpointListeners {
    fn open(
        &self,
        endpoint: VpcEndpointId,
        address: SocketAddr,
        names: &[String],
    ) -> Result<(), ListenFailure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<String> = names.iter().cloned().chain([address.ip().to_string()]).collect();
        let config = self
            .tls
            .config(self.certificate(address), names)
            .map_err(|error| ListenFailure::Refused(error.to_string()))?;
        let listener = Listener::try_bind(address).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AddrInUse {
                ListenFailure::InUse
            } else {
                ListenFailure::Refused(format!("cannot listen on `{address}`: {error}"))
            }
        })?;
        let (close, closed) = Shutdown::pair();
        let (open_until, gone) = Shutdown::pair();
        let entrance = Entrance {
            endpoint,
            tls: TlsAcceptor::from(config),
            closed,
        };
        // Without a server nobody is accepted, and the process is about to end.
        let _ = self.to_server.send(listener.of_endpoint(entrance, open_until));
        let opened = Open {
            endpoint,
            close,
            gone,
        };
        open.insert(address, opened);
        drop(open);
        tracing::info!(%endpoint, %address, "a VPC endpoint listens");
        Ok(())
    }

    fn close(&self, endpoint: VpcEndpointId, address: SocketAddr) -> BoxFuture<'_, ()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = open.get(&address).is_some_and(|open| open.endpoint == endpoint);
        let closed = if is_it { open.remove(&address) } else { None };
        drop(open);
        Box::pin(async move {
            if let Some(closed) = closed {
                self.end(address, closed).await;
            }
        })
    }

    fn close_all(&self) -> BoxFuture<'_, ()> {
        let all = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move {
            for (address, closed) in all {
                self.end(address, closed).await;
            }
        })
    }
}

impl EndpointListeners {
    async fn end(&self, address: SocketAddr, closed: Open) {
        closed.close.pull();
        tokio::select! {
            () = closed.gone.wait() => {}
            () = self.tls.runtime.clock.sleep(CLOSE_WAIT) => {}
        }
        tracing::info!(endpoint = %closed.endpoint, %address, "a VPC endpoint listens no more");
    }
}
