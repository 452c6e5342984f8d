//! TLS: the operator's certificate or the development one, TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
//!
//! Early data is never accepted: it can be replayed, and a signature does not keep a replay within its window out.

use crate::config::ServeSettings;
use crate::development_ca::{self, DevelopmentIdentity, RENEWAL_MARGIN, TlsFolder};
use crate::endpoint_tls::{EndpointTls, Source};
use crate::operator_error::OperatorError;
use bulla_runtime::Runtime;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use zeroize::Zeroizing;

/// How often the certificate's end is looked at.
const RENEWAL_CHECK: Duration = Duration::from_hours(12);

/// The certificate that new connections are given; it can be exchanged while the server runs.
#[derive(Debug)]
pub(crate) struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl CurrentCertificate {
    fn new(certified: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(certified))))
    }

    fn exchange(&self, certified: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// What the listener and the start-up message need to know about TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For the acceptor.
    pub config: Arc<ServerConfig>,
    /// The development CA's certificate, if there is one.
    pub ca_pem: Option<String>,
    /// The file clients can name in `AWS_CA_BUNDLE`, if there is one.
    pub ca_path: Option<PathBuf>,
    /// For the endpoints that come and go.
    pub(crate) endpoints: EndpointTls,
}

/// What proves a client's certificate, if clients must have one.
pub(crate) type ClientCertificates = Option<Arc<dyn ClientCertVerifier>>;

/// Loads or makes the certificate, and keeps a development certificate from ending while the server runs.
///
/// # Errors
/// What is wrong with the certificate or its place.
pub fn prepare(settings: &ServeSettings, runtime: &Runtime) -> Result<Tls, OperatorError> {
    let clients = client_certificates(settings)?;
    let endpoints = |source| EndpointTls {
        source,
        clients: clients.clone(),
        runtime: runtime.clone(),
    };
    if let (Some(certificate), Some(key)) = (&settings.tls_cert, &settings.tls_key) {
        let certified = operators_certificate(certificate, key, runtime)?;
        let config = server_config(CurrentCertificate::new(certified), &clients)?;
        return Ok(Tls {
            endpoints: endpoints(Source::Operator(Arc::clone(&config))),
            config,
            ca_pem: None,
            ca_path: None,
        });
    }
    let identity = development_identity(settings, runtime)?;
    let current = CurrentCertificate::new(certified(&identity.server_pem, &identity.server_key_pem)?);
    let config = server_config(Arc::<CurrentCertificate>::clone(&current), &clients)?;
    let mut ca_path = (!settings.ephemeral).then(|| TlsFolder::of(&settings.data).ca());
    if let Some(out) = &settings.ca_out {
        development_ca::write_file(out, &identity.ca_pem, 0o644)?;
        ca_path = Some(out.clone());
    }
    if !settings.ephemeral {
        renew_in_time(settings.clone(), runtime, current);
    }
    let ca_path = ca_path.map(|path| std::path::absolute(&path).unwrap_or(path));
    Ok(Tls {
        endpoints: endpoints(Source::Development {
            authority: identity.authority,
            names: settings.tls_name.clone(),
        }),
        config,
        ca_pem: Some(identity.ca_pem),
        ca_path,
    })
}

fn development_identity(
    settings: &ServeSettings,
    runtime: &Runtime,
) -> Result<DevelopmentIdentity, OperatorError> {
    if settings.ephemeral {
        development_ca::in_memory(&settings.tls_name, runtime)
    } else {
        development_ca::load_or_make(&TlsFolder::of(&settings.data), &settings.tls_name, runtime)
    }
}

fn renew_in_time(settings: ServeSettings, runtime: &Runtime, current: Arc<CurrentCertificate>) {
    let world = runtime.clone();
    runtime.tasks.spawn(Box::pin(async move {
        loop {
            tokio::select! {
                () = world.clock.sleep(RENEWAL_CHECK) => {}
                () = world.shutdown.wait() => return,
            }
            match development_identity(&settings, &world)
                .and_then(|identity| certified(&identity.server_pem, &identity.server_key_pem))
            {
                Ok(certified) => current.exchange(certified),
                Err(error) => tracing::error!(%error, "the development certificate could not be renewed"),
            }
        }
    }));
}

/// A development certificate as TLS needs it.
///
/// # Errors
/// When it is not one.
pub(crate) fn certified(pem: &str, key_pem: &str) -> Result<CertifiedKey, OperatorError> {
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes());
    let chain = chain(pem.as_bytes()).and_then(|chain| Ok((chain, key?)));
    let (chain, key) = chain.map_err(|error| {
        OperatorError::failed("the development certificate cannot be read")
            .why(error)
            .fix("remove `server.pem` in the data folder's `tls` folder; it is made anew")
    })?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| {
        OperatorError::failed("the development certificate cannot be used")
            .why(error)
            .fix("remove `server.pem` in the data folder's `tls` folder; it is made anew")
    })
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}

/// A certificate and its key from the operator's files.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn operators_certificate(
    certificate: &Path,
    key: &Path,
    runtime: &Runtime,
) -> Result<CertifiedKey, OperatorError> {
    let unreadable = |path: &Path, why: String| {
        OperatorError::failed(format!("`{}` cannot be used for TLS", path.display())).why(why)
    };
    let read = |path: &Path| {
        std::fs::read(path)
            .map(Zeroizing::new)
            .map_err(|error| unreadable(path, error.to_string()))
    };
    let chain = chain(&read(certificate)?).map_err(|error| unreadable(certificate, error.to_string()))?;
    let Some(leaf) = chain.first() else {
        return Err(unreadable(
            certificate,
            "it has no certificate in PEM form".to_owned(),
        ));
    };
    warn_of_the_end(certificate, leaf, runtime);
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| {
        unreadable(key, error.to_string()).fix("name an unencrypted private key in PEM form")
    })?;
    CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider()).map_err(|error| {
        unreadable(certificate, error.to_string()).fix(format!(
            "check that `{}` is this certificate's private key",
            key.display()
        ))
    })
}

fn warn_of_the_end(path: &Path, leaf: &CertificateDer<'_>, runtime: &Runtime) {
    let now = runtime.clock.now();
    match development_ca::expiry(leaf) {
        Some(end) if end < now => {
            tracing::error!(certificate = %path.display(), end = %end.iso8601(), "the certificate has expired");
        }
        Some(end) if end < now.after(RENEWAL_MARGIN) => {
            tracing::warn!(certificate = %path.display(), end = %end.iso8601(), "the certificate expires soon");
        }
        Some(_) | None => {}
    }
}

/// TLS with this certificate.
///
/// # Errors
/// When the TLS library cannot be set up.
pub(crate) fn server_config(
    certificate: Arc<dyn ResolvesServerCert>,
    clients: &ClientCertificates,
) -> Result<Arc<ServerConfig>, OperatorError> {
    let failed = |error: rustls::Error| OperatorError::failed("TLS could not start").why(error);
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let mut config = match clients {
        Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        None => builder.with_no_client_auth(),
    }
    .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(failed)?;
    Ok(Arc::new(config))
}

/// What proves that a client's certificate is of one of the operator's authorities and not revoked.
fn client_certificates(settings: &ServeSettings) -> Result<ClientCertificates, OperatorError> {
    let Some(path) = &settings.network.tls_client_ca else {
        return Ok(None);
    };
    let unusable = |path: &Path, why: String| {
        OperatorError::failed(format!(
            "`{}` cannot be used for clients' certificates",
            path.display()
        ))
        .why(why)
    };
    let read = |path: &Path| std::fs::read(path).map_err(|error| unusable(path, error.to_string()));
    let mut roots = RootCertStore::empty();
    for certificate in chain(&read(path)?).map_err(|error| unusable(path, error.to_string()))? {
        roots
            .add(certificate)
            .map_err(|error| unusable(path, error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable(path, "it has no certificate in PEM form".to_owned()));
    }
    let mut revoked = Vec::new();
    if let Some(path) = &settings.network.tls_client_crl {
        let lists = CertificateRevocationListDer::pem_slice_iter(&read(path)?).collect::<Result<Vec<_>, _>>();
        revoked = lists.map_err(|error| unusable(path, error.to_string()))?;
        if revoked.is_empty() {
            return Err(unusable(path, "it has no revocation list in PEM form".to_owned()));
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(revoked)
        // A list that is not kept up to date keeps out nobody whom it should.
        .enforce_revocation_expiration()
        .build()
        .map(|verifier| Some(verifier as Arc<dyn ClientCertVerifier>))
        .map_err(|error| unusable(path, error.to_string()))
}
