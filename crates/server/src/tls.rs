//! TLS: the operator's certificate or the development one, TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
//!
//! Early data is never accepted: it can be replayed, and a signature does not keep a replay within its window out.

use crate::config::ServeSettings;
use crate::development_ca::{self, DevelopmentIdentity, RENEWAL_MARGIN, TlsFolder};
use crate::operator_error::OperatorError;
use bulla_runtime::Runtime;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
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
}

/// Loads or makes the certificate, and keeps a development certificate from ending while the server runs.
///
/// # Errors
/// What is wrong with the certificate or its place.
pub fn prepare(settings: &ServeSettings, runtime: &Runtime) -> Result<Tls, OperatorError> {
    if let (Some(certificate), Some(key)) = (&settings.tls_cert, &settings.tls_key) {
        let certified = operators_certificate(certificate, key, runtime)?;
        let (config, _) = server_config(certified)?;
        return Ok(Tls {
            config,
            ca_pem: None,
            ca_path: None,
        });
    }
    let identity = development_identity(settings, runtime)?;
    let (config, current) = server_config(certified(&identity)?)?;
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
            match development_identity(&settings, &world).and_then(|identity| certified(&identity)) {
                Ok(certified) => current.exchange(certified),
                Err(error) => tracing::error!(%error, "the development certificate could not be renewed"),
            }
        }
    }));
}

fn certified(identity: &DevelopmentIdentity) -> Result<CertifiedKey, OperatorError> {
    let key = PrivateKeyDer::from_pem_slice(identity.server_key_pem.as_bytes());
    let chain = chain(identity.server_pem.as_bytes()).and_then(|chain| Ok((chain, key?)));
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

fn operators_certificate(
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

fn server_config(
    certified: CertifiedKey,
) -> Result<(Arc<ServerConfig>, Arc<CurrentCertificate>), OperatorError> {
    let failed = |error: rustls::Error| OperatorError::failed("TLS could not start").why(error);
    let current = Arc::new(CurrentCertificate(RwLock::new(Arc::new(certified))));
    let resolver = Arc::<CurrentCertificate>::clone(&current);
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(failed)?;
    Ok((Arc::new(config), current))
}
