//! A certificate authority of this server's own, so that TLS is on from the first start.
//!
//! The authority's certificate is what clients trust (`AWS_CA_BUNDLE`); it stays the same for ten years. The
//! server's certificate under it is made anew when it nears its end or when it lacks a name. Both private keys
//! have mode 0600 in a folder of mode 0700: who reads the authority's key can pretend to be any host to whoever
//! trusts it, so nobody should trust it beyond this server's clients.

use crate::operator_error::OperatorError;
use bulla_runtime::Runtime;
use bulla_types::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

const DAY: Duration = Duration::from_hours(24);
/// How long the authority's certificate is valid.
const CA_VALIDITY: Duration = Duration::from_secs(3650 * DAY.as_secs());
/// How long the server's certificate is valid; some clients refuse more than 398 days.
const SERVER_VALIDITY: Duration = Duration::from_secs(397 * DAY.as_secs());
/// A certificate with less time left than this is made anew.
pub const RENEWAL_MARGIN: Duration = Duration::from_secs(30 * DAY.as_secs());
/// Certificates are valid from a little before they are made, for clients whose clock is behind.
const BACKDATING: Duration = Duration::from_hours(1);

/// The names every development certificate has.
///
/// Some clients (OpenSSL, rustls) do not accept a wildcard directly under a top-level name; it does no harm there.
const NAMES_ALWAYS: [&str; 4] = ["localhost", "*.localhost", "127.0.0.1", "::1"];

/// What the listener needs, as PEM.
pub struct DevelopmentIdentity {
    /// The authority's certificate.
    pub ca_pem: String,
    /// The server's certificate.
    pub server_pem: String,
    /// The server's private key.
    pub server_key_pem: Zeroizing<String>,
    /// The authority, for further certificates.
    pub(crate) authority: Arc<Authority>,
}

impl std::fmt::Debug for DevelopmentIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DevelopmentIdentity")
            .finish_non_exhaustive()
    }
}

/// Where the authority and the certificate lie in the data folder.
#[derive(Clone, Debug)]
pub struct TlsFolder(PathBuf);

impl TlsFolder {
    /// The folder `tls` of a data folder.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(data.join("tls"))
    }

    /// The authority's certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    fn ca_key(&self) -> PathBuf {
        self.0.join("ca-key.pem")
    }

    fn server(&self) -> PathBuf {
        self.0.join("server.pem")
    }

    fn server_key(&self) -> PathBuf {
        self.0.join("server-key.pem")
    }
}

/// An authority and its key.
pub(crate) struct Authority {
    pem: String,
    key: KeyPair,
}

impl Authority {
    /// A new certificate for these names and for those that every development certificate has, and its private key,
    /// both PEM.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn issue(
        &self,
        names: &[String],
        runtime: &Runtime,
    ) -> Result<(String, Zeroizing<String>), OperatorError> {
        make_server(self, &all_names(names), runtime)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// Takes what the folder has, and makes what is missing, near its end or without one of the names.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn load_or_make(
    folder: &TlsFolder,
    names: &[String],
    runtime: &Runtime,
) -> Result<DevelopmentIdentity, OperatorError> {
    let names = all_names(names);
    let now = runtime.clock.now();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder.0)
        .map_err(|error| cannot_write(&folder.0, &error))?;
    let authority = match stored_authority(folder, now) {
        Some(authority) => authority,
        None => store_authority(folder, make_authority(runtime)?)?,
    };
    if let Some(stored) = stored_server(folder, &names, now) {
        return Ok(identity(authority, stored));
    }
    let made = make_server(&authority, &names, runtime)?;
    // The certificate last: without it the next start makes both anew.
    remove_file(&folder.server())?;
    write_file(&folder.server_key(), &made.1, 0o600)?;
    write_file(&folder.server(), &made.0, 0o600)?;
    Ok(identity(authority, made))
}

fn identity(
    authority: Authority,
    (server_pem, server_key_pem): (String, Zeroizing<String>),
) -> DevelopmentIdentity {
    DevelopmentIdentity {
        ca_pem: authority.pem.clone(),
        server_pem,
        server_key_pem,
        authority: Arc::new(authority),
    }
}

/// Makes an authority and a certificate that are gone when the process ends.
///
/// # Errors
/// When they cannot be made.
pub fn in_memory(names: &[String], runtime: &Runtime) -> Result<DevelopmentIdentity, OperatorError> {
    let authority = make_authority(runtime)?;
    let made = make_server(&authority, &all_names(names), runtime)?;
    Ok(identity(authority, made))
}

/// Writes a file wholly or not at all, with this mode from its first moment.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_file(path: &Path, text: &str, mode: u32) -> Result<(), OperatorError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    remove_file(&unfinished)?;
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().map_err(|error| cannot_write(path, &error))
}

/// When a PEM certificate ends; `None` when it is not one.
#[must_use]
pub fn expiry(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    u64::try_from(certificate.validity().not_after.timestamp())
        .ok()
        .map(Timestamp::from_seconds)
}

fn all_names(more: &[String]) -> BTreeSet<String> {
    NAMES_ALWAYS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(more.iter().cloned())
        .collect()
}

fn stored_authority(folder: &TlsFolder, now: Timestamp) -> Option<Authority> {
    let pem = std::fs::read_to_string(folder.ca()).ok()?;
    let key = Zeroizing::new(std::fs::read_to_string(folder.ca_key()).ok()?);
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    if expiry(&certificate)? < now.after(RENEWAL_MARGIN) {
        tracing::warn!("the development CA nears its end and is replaced; clients need the new certificate");
        return None;
    }
    Some(Authority {
        pem,
        key: KeyPair::from_pem(&key).ok()?,
    })
}

fn store_authority(folder: &TlsFolder, authority: Authority) -> Result<Authority, OperatorError> {
    write_file(
        &folder.ca_key(),
        &Zeroizing::new(authority.key.serialize_pem()),
        0o600,
    )?;
    write_file(&folder.ca(), &authority.pem, 0o644)?;
    // A certificate made under another authority is of no use.
    remove_file(&folder.server())?;
    Ok(authority)
}

fn stored_server(
    folder: &TlsFolder,
    names: &BTreeSet<String>,
    now: Timestamp,
) -> Option<(String, Zeroizing<String>)> {
    let pem = std::fs::read_to_string(folder.server()).ok()?;
    let key = Zeroizing::new(std::fs::read_to_string(folder.server_key()).ok()?);
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let fresh = expiry(&certificate)? >= now.after(RENEWAL_MARGIN);
    (fresh && certificate_names(&certificate)? == *names).then_some((pem, key))
}

fn certificate_names(certificate: &CertificateDer<'_>) -> Option<BTreeSet<String>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    names.value.general_names.iter().map(general_name_text).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other kinds of names are never in our certificates"
)]
fn general_name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(IpAddr::from(four).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|it| IpAddr::from(it).to_string()),
        },
        _ => None,
    }
}

fn make_authority(runtime: &Runtime) -> Result<Authority, OperatorError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| cannot_make(&error))?;
    // Two authorities with one name confuse clients that trust both.
    let mut params = CertificateParams::default();
    params.distinguished_name.push(
        DnType::CommonName,
        format!("Bulla development CA {:016x}", runtime.entropy.number()),
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, runtime, CA_VALIDITY);
    let pem = params
        .self_signed(&key)
        .map_err(|error| cannot_make(&error))?
        .pem();
    Ok(Authority { pem, key })
}

fn make_server(
    authority: &Authority,
    names: &BTreeSet<String>,
    runtime: &Runtime,
) -> Result<(String, Zeroizing<String>), OperatorError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| cannot_make(&error))?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Bulla server");
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into().map_err(|error| cannot_make(&error))?),
        });
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict clients (Python 3.13) refuse a certificate that does not say which key signed it.
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, runtime, SERVER_VALIDITY);
    let issuer =
        Issuer::from_ca_cert_pem(&authority.pem, &authority.key).map_err(|error| cannot_make(&error))?;
    let certificate = params
        .signed_by(&key, &issuer)
        .map_err(|error| cannot_make(&error))?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

fn set_validity(params: &mut CertificateParams, runtime: &Runtime, validity: Duration) {
    let seconds = i64::try_from(runtime.clock.now().as_seconds()).unwrap_or_default();
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    params.not_before = now - BACKDATING;
    params.not_after = now + validity;
    // RFC 5280, 4.1.2.2: at most 20 octets, positive.
    let mut serial = runtime.entropy.id_bytes().to_vec();
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    params.serial_number = Some(SerialNumber::from(serial));
}

fn remove_file(path: &Path) -> Result<(), OperatorError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot_write(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> OperatorError {
    OperatorError::failed(format!("`{}` could not be written", path.display()))
        .why(error)
        .fix("let the server's user write there, or choose another place (`--data`, `--ca-out`)")
}

fn cannot_make(error: &rcgen::Error) -> OperatorError {
    OperatorError::failed("the development certificate could not be made")
        .why(error)
        .fix("check `--tls-name`, or use your own certificate with `--tls-cert` and `--tls-key`")
}
