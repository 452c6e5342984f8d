//! A server in this process with a handler that tells what it was given, and clients of every kind.

use bulla_runtime::{BoxFuture, ManualClock, Runtime, ShutdownTrigger};
use bulla_server::config::{self, Request as Asked, ServeSettings};
use bulla_server::listener::Listener;
use bulla_server::server::{Server, ServerOptions};
use bulla_server::{Admitted, ExitReason, Handler, Transport, tls};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What `/large` answers, bytes: more than the buffers of two sockets take.
pub(crate) const LARGE_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Tells what it was given; `/wait` answers when it is let, `/keep` never ends.
pub(crate) struct Telling {
    pub(crate) waiting: AtomicU32,
    /// The places of calls that go on without their clients.
    pub(crate) kept: Mutex<Vec<Option<Admitted>>>,
    pub(crate) go: Semaphore,
    pub(crate) resets: AtomicU32,
    pub(crate) closes: AtomicU32,
}

impl Handler for Telling {
    fn handle(
        &self,
        parts: Parts,
        body: Bytes,
        transport: Transport,
        admitted: Option<Admitted>,
    ) -> BoxFuture<'_, Response<Bytes>> {
        Box::pin(async move {
            let mut admitted = admitted;
            match parts.uri.path() {
                "/wait" => {
                    self.waiting.fetch_add(1, Ordering::SeqCst);
                    self.go.acquire().await.unwrap().forget();
                }
                "/keep" => {
                    self.kept.lock().unwrap().push(admitted.take());
                    std::future::pending::<()>().await;
                }
                "/large" => return Response::new(Bytes::from(vec![b'x'; LARGE_ANSWER_BYTES])),
                "/panic" => panic!("a defect, on purpose"),
                _ => {}
            }
            let Transport {
                secure, source_ip, ..
            } = transport;
            let told = format!(
                "{:?} secure={secure} ip={source_ip} bytes={}",
                parts.version,
                body.len()
            );
            Response::new(Bytes::from(told))
        })
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        self.resets.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.closes.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handler: Arc<Telling>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) trigger: ShutdownTrigger,
    pub(crate) exit: oneshot::Receiver<ExitReason>,
    pub(crate) ca_pem: String,
}

pub(crate) fn settings(flags: &[&str]) -> ServeSettings {
    let always = ["bulla", "serve", "--ephemeral", "--listen=127.0.0.1:0"];
    let replaced = flags.iter().any(|flag| flag.starts_with("--listen"));
    let always = if replaced { &always[..3] } else { &always[..] };
    match config::read(always.iter().chain(flags).map(Into::into)).unwrap() {
        Asked::Serve(settings) => *settings,
        Asked::Explain(_)
        | Asked::Keys(_)
        | Asked::Root(_)
        | Asked::Policy(_)
        | Asked::Backup(_)
        | Asked::Restore(_)
        | Asked::Print(_) => {
            panic!("`serve` serves")
        }
    }
}

/// Starts a server with these flags. Time stands still: the certificate is of 2026-01-01.
pub(crate) async fn start(flags: &[&str]) -> Running {
    let settings = settings(flags);
    let (runtime, clock, trigger) = Runtime::manual(1);
    let tls = tls::prepare(&settings, &runtime).unwrap();
    let listener = Listener::bind(settings.listen[0]).unwrap();
    let address = listener.address();
    let handler = Arc::new(Telling {
        waiting: AtomicU32::new(0),
        kept: Mutex::default(),
        go: Semaphore::new(0),
        resets: AtomicU32::new(0),
        closes: AtomicU32::new(0),
    });
    let options = ServerOptions::of(&settings, &tls);
    let server = Server::new(Arc::clone(&handler), runtime.clone(), options);
    let (tell, exit) = oneshot::channel();
    runtime.tasks.spawn(Box::pin(async move {
        let _ = tell.send(server.run(vec![listener]).await);
    }));
    Running {
        address,
        handler,
        clock,
        trigger,
        exit,
        ca_pem: tls.ca_pem.unwrap(),
    }
}

impl Running {
    pub(crate) async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn tls(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        tls_connect(
            self.plain().await,
            &self.ca_pem,
            protocols,
            &self.address.ip().to_string(),
        )
        .await
        .unwrap()
    }

    /// Moves time on once a connection's timer waits for it.
    pub(crate) async fn advance(&self, seconds: u64) {
        until(|| self.clock.sleepers() > 0).await;
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// Waits for a fact without waiting for time.
pub(crate) async fn until(fact: impl Fn() -> bool) {
    while !fact() {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn tls_connect(
    stream: TcpStream,
    ca_pem: &str,
    protocols: &[&str],
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_webpki_verifier(verifier)
        .with_no_client_auth();
    config.time_provider = Arc::new(BeginningOf2026);
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The time at which the test's servers live.
#[derive(Debug)]
struct BeginningOf2026;

impl rustls::time_provider::TimeProvider for BeginningOf2026 {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(
            Duration::from_hours(490_896),
        ))
    }
}

/// Sends bytes as they are and reads until the server closes.
pub(crate) async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    rest(stream).await
}

/// Reads until the server closes.
pub(crate) async fn rest(mut stream: impl AsyncRead + Unpin) -> String {
    let mut answer = Vec::new();
    // A reset also ends it.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer of a connection that stays open: the fake handler's end in `bytes=N`, the errors in a tag.
pub(crate) async fn one_answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = String::new();
    while !answer.contains("\r\n\r\n") {
        answer.push(char::from(stream.read_u8().await.unwrap()));
    }
    let length: usize = answer
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        })
        .unwrap()
        .parse()
        .unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    answer + std::str::from_utf8(&body).unwrap()
}

/// One request over HTTP/2.
pub(crate) async fn http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
) -> Response<String> {
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    Runtime::system().0.tasks.spawn(Box::pin(async move {
        drop(connection.await);
    }));
    let request = Request::post(format!("http://localhost{path}"))
        .body(Full::new(Bytes::from("12345")))
        .unwrap();
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}
