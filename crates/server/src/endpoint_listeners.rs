//! The listeners of VPC endpoints: opened and closed while the server runs.
//!
//! The services bind an address when an endpoint is made, so that whoever makes it is told when that fails; the server
//! accepts from then on. Which endpoint a connection came by is known from the listener that accepted it.

use crate::config::ServeSettings;
use crate::endpoint_tls::EndpointTls;
use crate::listener::{Entrance, Listener};
use bulla_runtime::{Shutdown, ShutdownTrigger};
use bulla_services::ec2::{ListenFailure, Listeners};
use bulla_types::VpcEndpointId;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Listeners that the server has not taken yet.
pub(crate) type NewListeners = mpsc::UnboundedReceiver<Listener>;

/// Opens listeners and hands them to the server.
pub(crate) struct EndpointListeners {
    tls: EndpointTls,
    /// Certificates of subnets that have their own, by address and first port.
    certificates: Vec<(crate::config_network::SubnetSetting, (PathBuf, PathBuf))>,
    open: Mutex<HashMap<SocketAddr, (VpcEndpointId, ShutdownTrigger)>>,
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
        let entrance = Entrance {
            endpoint,
            tls: TlsAcceptor::from(config),
            closed,
        };
        // Without a server nobody is accepted, and the process is about to end.
        let _ = self.to_server.send(listener.of_endpoint(entrance));
        open.insert(address, (endpoint, close));
        drop(open);
        tracing::info!(%endpoint, %address, "a VPC endpoint listens");
        Ok(())
    }

    fn close(&self, endpoint: VpcEndpointId, address: SocketAddr) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&address).is_some_and(|(of, _)| *of == endpoint) {
            // Its trigger goes with it.
            open.remove(&address);
            drop(open);
            tracing::info!(%endpoint, %address, "a VPC endpoint listens no more");
        }
    }
}
