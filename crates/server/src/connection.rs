//! One connection: TLS or not by its first byte, then HTTP/1 or HTTP/2, until it ends, idles too long or the
//! server stops.

use crate::activity::{Activity, Observed, Verdict};
use crate::handler::{Handler, Transport};
use crate::listener::{Entrance, closed};
use crate::proxy_header;
use crate::request::{Peer, answer};
use crate::server::Server;
use bulla_runtime::Tasks;
use http::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// The content type of a TLS record that carries a handshake (RFC 8446, 5.1); no HTTP request begins with it.
pub(crate) const TLS_HANDSHAKE: u8 = 0x16;
/// How long a connection that idled too long may take to close, and an answer under way to be read.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
/// How much of a request's body an HTTP/2 client may send before it is read, bytes: one large message.
const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// The same for all streams of a connection, bytes. It is memory only until the requests read it, which they do at
/// once or never.
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// How many streams of an HTTP/2 connection may be reset before they are begun, or for errors of the client, until
/// the connection ends (CVE-2023-44487).
const RESET_STREAM_COUNT_MAX: usize = 32;

/// Serves an accepted connection to its end.
pub(crate) async fn serve<H: Handler + ?Sized + 'static>(
    server: Arc<Server<H>>,
    mut stream: TcpStream,
    remote: SocketAddr,
    entrance: Option<Entrance>,
) {
    let Some(source_ip) = source_ip(&server, &mut stream, remote.ip().to_canonical()).await else {
        return;
    };
    let Some(Ok(first)) = within(&server, first_byte(&stream)).await else {
        return;
    };
    let transport = Transport {
        secure: first == Some(TLS_HANDSHAKE),
        source_ip,
        endpoint: entrance.as_ref().map(|entrance| entrance.endpoint),
    };
    if transport.secure {
        let tls = entrance.as_ref().map_or(&server.tls, |entrance| &entrance.tls);
        match within(&server, tls.accept(stream)).await {
            Some(Ok(stream)) => {
                let peer = Peer {
                    transport,
                    plain_refused: false,
                };
                converse(server, stream, peer, entrance).await;
            }
            Some(Err(error)) => tracing::debug!(%source_ip, %error, "TLS handshake failed"),
            None => tracing::debug!(%source_ip, "TLS handshake did not come to an end"),
        }
    } else if first.is_some() {
        // A loopback address reached through a proxy is not where the client is.
        let is_local = is_loopback(&stream) && source_ip.is_loopback();
        let peer = Peer {
            transport,
            plain_refused: server.clients_need_certificates || !(server.plain_everywhere || is_local),
        };
        converse(server, stream, peer, entrance).await;
    }
}

/// Where the client is: the peer, or who stands behind it if it is a proxy that the operator trusts.
async fn source_ip<H: ?Sized>(server: &Server<H>, stream: &mut TcpStream, peer: IpAddr) -> Option<IpAddr> {
    if !server.network.is_proxy(peer) {
        return Some(peer);
    }
    match within(server, proxy_header::read(stream)).await {
        Some(Ok(client)) => Some(client.unwrap_or(peer)),
        Some(Err(error)) => {
            tracing::debug!(%peer, %error, "a proxy's connection is closed");
            None
        }
        None => None,
    }
}

/// Looks at the first byte and leaves it where it is; `None` when the client closed without one.
pub(crate) async fn first_byte(stream: &TcpStream) -> std::io::Result<Option<u8>> {
    let mut byte = [0];
    let count = stream.peek(&mut byte).await?;
    Ok(byte.first().copied().filter(|_| count > 0))
}

/// Whether the connection came to a loopback address, also when the listener has all addresses.
fn is_loopback(stream: &TcpStream) -> bool {
    let local: Option<IpAddr> = stream
        .local_addr()
        .ok()
        .map(|address| address.ip().to_canonical());
    local.is_some_and(|address| address.is_loopback())
}

async fn converse<H, S>(server: Arc<Server<H>>, stream: S, peer: Peer, entrance: Option<Entrance>)
where
    H: Handler + ?Sized + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new(Arc::clone(&server.runtime.clock), &server.limits));
    let io = TokioIo::new(Observed::new(stream, Arc::clone(&activity), &server.load));
    let builder = protocols(&server);
    let service = service_fn(|request: Request<Incoming>| {
        let under_way = Activity::begin(&activity, request.version());
        let server = Arc::clone(&server);
        async move {
            let response = answer(&server, peer, request).await;
            drop(under_way);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut stop = pin!(async {
        tokio::select! {
            () = server.runtime.shutdown.wait() => {}
            () = closed(entrance.as_ref()) => {}
        }
    });
    let mut watch = server.runtime.clock.sleep(activity.time_left());
    let (mut stopping, mut closing) = (false, false);
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(source_ip = %peer.transport.source_ip, error, "connection failed");
                }
                return;
            }
            () = stop.as_mut(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = watch.as_mut() => match activity.verdict() {
                Verdict::Wait(time) => watch = server.runtime.clock.sleep(time),
                Verdict::HeadTooSlow | Verdict::NotReading => return,
                Verdict::Idle if closing => return,
                Verdict::Idle => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                    watch = server.runtime.clock.sleep(CLOSE_GRACE);
                }
            },
        }
    }
}

/// Both versions of HTTP with their limits. Of headers hyper takes twice what is allowed, so that most of what is
/// too large still gets an answer in AWS's form; timers are ours ([`Activity`]). Answers are written from where they
/// lie: hyper's pipelining would copy them, and what is copied is not counted.
fn protocols<H: ?Sized>(server: &Server<H>) -> Builder<TaskExecutor> {
    let head_bytes = server.limits.max_header_bytes.saturating_mul(2).max(16 * 1024);
    let mut builder = Builder::new(TaskExecutor(Arc::clone(&server.runtime.tasks)));
    builder
        .http1()
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(head_bytes).unwrap_or(usize::MAX));
    builder
        .http2()
        .max_header_list_size(head_bytes)
        .max_concurrent_streams(server.limits.max_streams)
        .max_pending_accept_reset_streams(RESET_STREAM_COUNT_MAX)
        .max_local_error_reset_streams(RESET_STREAM_COUNT_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}

/// Lets hyper start its tasks where all others start.
#[derive(Clone)]
struct TaskExecutor(Arc<dyn Tasks>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for TaskExecutor {
    fn execute(&self, future: F) {
        self.0.spawn(Box::pin(future));
    }
}

/// The future's output, unless it takes longer than headers may or the server stops: no request has begun yet.
async fn within<H: ?Sized, F: Future>(server: &Server<H>, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = server.runtime.shutdown.wait() => None,
        () = server.runtime.clock.sleep(server.limits.header_timeout()) => None,
    }
}
