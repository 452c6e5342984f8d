//! One signed call of a key service over HTTP/1.1, from a thread that may block.

use crate::root_kms::KmsPlace;
use crate::root_kms_credentials::KmsCredentials;
use bulla_runtime::Clock;
use bulla_sigv4::{Payload, RequestHead, ServiceRules, Signer};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long one call may take.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);
/// The largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Where systems keep the certificates that they trust.
const TRUSTED_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What the service said.
pub(crate) enum Answer {
    /// The output's fields.
    Done(Value),
    /// An error of the service.
    Refused {
        status: u16,
        code: String,
        message: String,
    },
}

/// Why it said nothing.
#[derive(Debug)]
pub(crate) enum CallError {
    Credentials(String),
    Trust(PathBuf, String),
    Network(String),
    TimedOut,
    NotAnAnswer(u16),
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trust(path, why) => {
                write!(
                    formatter,
                    "the certificates in `{}` cannot be used: {why}",
                    path.display()
                )
            }
            Self::Credentials(why) | Self::Network(why) => formatter.write_str(why),
            Self::TimedOut => write!(formatter, "no answer within {} seconds", CALL_TIME_MAX.as_secs()),
            Self::NotAnAnswer(status) => {
                write!(
                    formatter,
                    "it answered with status {status} and not as a key service does"
                )
            }
        }
    }
}

/// Calls an operation with this input.
pub(crate) fn call(
    place: &KmsPlace,
    keys: &KmsCredentials,
    operation: &str,
    body: &str,
    clock: &dyn Clock,
) -> Result<Answer, CallError> {
    let network = |error: &dyn fmt::Display| CallError::Network(error.to_string());
    let uri: Uri = place.endpoint.parse().map_err(|error| network(&error))?;
    let request = signed(place, keys, operation, body, &uri, clock)?;
    let world = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| network(&error))?;
    world.block_on(async {
        tokio::select! {
            answer = exchange(place, &uri, request) => answer,
            () = clock.sleep(CALL_TIME_MAX) => Err(CallError::TimedOut),
        }
    })
}

fn signed(
    place: &KmsPlace,
    keys: &KmsCredentials,
    operation: &str,
    body: &str,
    uri: &Uri,
    clock: &dyn Clock,
) -> Result<Request<Full<Bytes>>, CallError> {
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();
    let target = format!("TrentService.{operation}");
    let headers = [
        ("host", host.as_str()),
        ("content-type", CONTENT_TYPE),
        ("x-amz-target", target.as_str()),
    ];
    let head = RequestHead {
        method: "POST",
        path: "/",
        query: "",
        headers: headers.iter().map(|(name, value)| (*name, value.as_bytes())),
    };
    let token = keys.token.as_ref().map(|token| token.as_str());
    let mut signer = Signer::new(
        &keys.id,
        &keys.secret,
        token,
        &place.region,
        ServiceRules::standard("kms"),
    );
    let now = i64::try_from(clock.now().as_seconds()).unwrap_or(i64::MAX);
    let added = signer.sign(head, &Payload::Bytes(body.as_bytes()), now);
    let mut request = Request::post("/");
    for (name, value) in headers.into_iter().chain(added.iter()) {
        request = request.header(name, value);
    }
    request
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .map_err(|error| CallError::Network(error.to_string()))
}

async fn exchange(place: &KmsPlace, uri: &Uri, request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
    let network = |error: &dyn fmt::Display| CallError::Network(error.to_string());
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let socket = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|error| network(&error))?;
    if !is_tls {
        return converse(socket, request).await;
    }
    let connector = TlsConnector::from(Arc::new(trust(place.ca_file.as_deref())?));
    let name = ServerName::try_from(host).map_err(|error| network(&error))?;
    let socket = connector
        .connect(name, socket)
        .await
        .map_err(|error| network(&error))?;
    converse(socket, request).await
}

async fn converse<S>(socket: S, request: Request<Full<Bytes>>) -> Result<Answer, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let network = |error: &dyn fmt::Display| CallError::Network(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
        .await
        .map_err(|error| network(&error))?;
    let answer = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| network(&error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| network(&error))?;
        read(status, &body.to_bytes())
    };
    tokio::pin!(connection);
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            // What had arrived by then may be the whole answer.
            Ok(()) => answer.await,
            Err(error) => Err(network(&error)),
        },
    }
}

fn read(status: u16, body: &[u8]) -> Result<Answer, CallError> {
    let fields: Value = serde_json::from_slice(body).map_err(|_| CallError::NotAnAnswer(status))?;
    if status == 200 {
        return Ok(Answer::Done(fields));
    }
    let text = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| fields.get(*name)?.as_str());
        found.map(str::to_owned)
    };
    let code = text(["__type", "code"]).ok_or(CallError::NotAnAnswer(status))?;
    // It may come with a namespace.
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let message = text(["message", "Message"]).unwrap_or_default();
    Ok(Answer::Refused {
        status,
        code,
        message,
    })
}

fn trust(ca_file: Option<&Path>) -> Result<ClientConfig, CallError> {
    let file = match ca_file {
        Some(file) => file,
        None => TRUSTED_FILES
            .iter()
            .map(Path::new)
            .find(|file| file.exists())
            .ok_or_else(|| {
                CallError::Network("this machine has no file of trusted certificates".to_owned())
            })?,
    };
    let failed = |why: String| CallError::Trust(file.to_owned(), why);
    let pem = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        // A system's file may hold some that rustls does not take.
        drop(roots.add(certificate));
    }
    if roots.is_empty() {
        return Err(failed("there is none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
