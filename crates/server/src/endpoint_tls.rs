//! Certificates of VPC endpoints: the subnet's own, the server's own, or one of the development CA for their names.

use crate::development_ca::{Authority, RENEWAL_MARGIN};
use crate::operator_error::OperatorError;
use crate::tls::{ClientCertificates, certified, operators_certificate, server_config};
use bulla_runtime::Runtime;
use bulla_types::Timestamp;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes TLS for endpoints.
#[derive(Clone, Debug)]
pub(crate) struct EndpointTls {
    pub(crate) source: Source,
    pub(crate) clients: ClientCertificates,
    pub(crate) runtime: Runtime,
}

/// Where certificates come from that no subnet brings.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The operator's, for every name.
    Operator(Arc<ServerConfig>),
    /// Made as they are needed.
    Development {
        authority: Arc<Authority>,
        /// For every certificate.
        names: Vec<String>,
    },
}

impl EndpointTls {
    /// TLS for an endpoint of these names, with the subnet's own certificate if it has one.
    ///
    /// # Errors
    /// What is wrong with the certificate.
    pub(crate) fn config(
        &self,
        own: Option<&(PathBuf, PathBuf)>,
        mut names: Vec<String>,
    ) -> Result<Arc<ServerConfig>, OperatorError> {
        if let Some((certificate, key)) = own {
            let certified = operators_certificate(certificate, key, &self.runtime)?;
            return server_config(Arc::new(Fixed(Arc::new(certified))), &self.clients);
        }
        match &self.source {
            Source::Operator(config) => Ok(Arc::clone(config)),
            Source::Development {
                authority,
                names: always,
            } => {
                names.extend(always.iter().cloned());
                let issued = Issued::new(Arc::clone(authority), names, self.runtime.clone())?;
                server_config(Arc::new(issued), &self.clients)
            }
        }
    }
}

/// One certificate for as long as the server runs.
#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A certificate of the development CA, made anew at the first handshake after it came near its end.
#[derive(Debug)]
struct Issued {
    authority: Arc<Authority>,
    names: Vec<String>,
    runtime: Runtime,
    current: Mutex<(Arc<CertifiedKey>, Timestamp)>,
}

impl Issued {
    fn new(authority: Arc<Authority>, names: Vec<String>, runtime: Runtime) -> Result<Self, OperatorError> {
        let current = Mutex::new(issue(&authority, &names, &runtime)?);
        Ok(Self {
            authority,
            names,
            runtime,
            current,
        })
    }
}

impl ResolvesServerCert for Issued {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1 < self.runtime.clock.now().after(RENEWAL_MARGIN) {
            match issue(&self.authority, &self.names, &self.runtime) {
                Ok(issued) => *current = issued,
                Err(error) => tracing::error!(%error, "an endpoint's certificate could not be renewed"),
            }
        }
        Some(Arc::clone(&current.0))
    }
}

/// A certificate and when it ends.
fn issue(
    authority: &Authority,
    names: &[String],
    runtime: &Runtime,
) -> Result<(Arc<CertifiedKey>, Timestamp), OperatorError> {
    let (pem, key) = authority.issue(names, runtime)?;
    let certified = certified(&pem, &key)?;
    let end = certified
        .cert
        .first()
        .and_then(crate::development_ca::expiry)
        .unwrap_or_else(|| runtime.clock.now());
    Ok((Arc::new(certified), end))
}
