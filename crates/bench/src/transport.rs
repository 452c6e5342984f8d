//! How a connection carries requests: HTTP/1.1 or HTTP/2, in the clear or over TLS.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Failure;

/// The version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Http {
    #[default]
    One,
    Two,
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    pub(crate) http: Http,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Transport {
    /// Without TLS.
    pub(crate) const fn plain(http: Http) -> Self {
        Self { http, tls: None }
    }

    /// With TLS, trusting this authority only.
    pub(crate) fn tls(http: Http, authority_pem: &[u8]) -> Result<Self, Failure> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority_pem) {
            roots.add(certificate.map_err(|error| format!("the server's authority: {error}"))?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![match http {
            Http::One => b"http/1.1".to_vec(),
            Http::Two => b"h2".to_vec(),
        }];
        Ok(Self {
            http,
            tls: Some(Arc::new(config)),
        })
    }

    /// Connects. The second value drives the connection and ends with it.
    pub(crate) async fn connect(&self, address: &str) -> Result<(Sender, Driver), Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => self.shake(stream).await,
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                let connector = TlsConnector::from(Arc::clone(config));
                self.shake(connector.connect(name, stream).await?).await
            }
        }
    }

    async fn shake<S>(&self, stream: S) -> Result<(Sender, Driver), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(stream);
        Ok(match self.http {
            Http::One => {
                let (sender, driver) = http1::handshake(stream).await?;
                (Sender::One(sender), Box::pin(driver))
            }
            Http::Two => {
                let (sender, driver) = http2::handshake(TokioExecutor::new(), stream).await?;
                (Sender::Two(sender), Box::pin(driver))
            }
        })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match (self.http, &self.tls) {
            (Http::One, None) => "http/1.1",
            (Http::Two, None) => "h2c",
            (Http::One, Some(_)) => "http/1.1 tls",
            (Http::Two, Some(_)) => "h2 tls",
        })
    }
}

/// What drives a connection.
pub(crate) type Driver = std::pin::Pin<Box<dyn Future<Output = Result<(), hyper::Error>> + Send>>;

/// Sends requests on one connection, one at a time.
pub(crate) enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    /// Sends and reads the answer to its end.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(hyper::StatusCode, Bytes), Failure> {
        let answer: Response<Incoming> = match self {
            Self::One(sender) => sender.send_request(request).await?,
            Self::Two(sender) => sender.send_request(request).await?,
        };
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
