//! Accepting connections.
//!
//! Who comes when as many are open as may be is told so, as far as that is possible without serving it; only when too
//! many are being told at once, the next ones wait to be accepted.

use crate::connection;
use crate::full;
use crate::handler::Handler;
use crate::operator_error::OperatorError;
use crate::server::Server;
use bulla_runtime::{Shutdown, ShutdownTrigger};
use bulla_types::VpcEndpointId;
use rustix::net::sockopt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;

/// How long accepting rests after an error that will not go away at once, such as no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How many connections may wait to be accepted; the system may allow less.
const BACKLOG: u32 = 4096;
/// How many connections may be turned away at once.
pub(crate) const REFUSAL_COUNT_MAX: usize = 128;
/// Silence after which a connection is asked whether the other machine is still there, and how often until it is
/// given up. What the other machine does not acknowledge for the sum of it ends the connection too.
const KEEPALIVE: Keepalive = Keepalive {
    silence: Duration::from_secs(30),
    interval: Duration::from_secs(10),
    count: 3,
};

struct Keepalive {
    silence: Duration,
    interval: Duration,
    count: u32,
}

/// How often it is said that all connections are taken, or that none can be accepted.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// An address that is listened on; connections wait until they are accepted.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    entrance: Option<Entrance>,
    /// Says that the socket is gone; after it, so that it goes last.
    _open_until: Option<ShutdownTrigger>,
}

/// What a connection inherits from the listener of a VPC endpoint.
#[derive(Clone)]
pub(crate) struct Entrance {
    /// The endpoint.
    pub(crate) endpoint: VpcEndpointId,
    /// With its certificate.
    pub(crate) tls: TlsAcceptor,
    /// When it listens no more; its connections end then.
    pub(crate) closed: Shutdown,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Entrance")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Takes an address.
    ///
    /// # Errors
    /// When it cannot be had.
    ///
    /// # Panics
    /// Outside tokio's runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, OperatorError> {
        let failed = |error: std::io::Error| {
            OperatorError::failed(format!("cannot listen on `{address}`"))
                .why(error)
                .fix("stop what listens there, or choose another address with `--listen`")
        };
        Self::try_bind(address).map_err(failed)
    }

    pub(crate) fn try_bind(address: SocketAddr) -> std::io::Result<Self> {
        let socket = listen(address)?;
        let address = socket.local_addr()?;
        Ok(Self {
            socket,
            address,
            entrance: None,
            _open_until: None,
        })
    }

    /// As the listener of a VPC endpoint.
    pub(crate) fn of_endpoint(self, entrance: Entrance, open_until: ShutdownTrigger) -> Self {
        Self {
            entrance: Some(entrance),
            _open_until: Some(open_until),
            ..self
        }
    }

    /// The address, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until the server stops.
    pub(crate) async fn accept<H: Handler + ?Sized + 'static>(self, server: Arc<Server<H>>) {
        let shutdown = server.runtime.shutdown.clone();
        tokio::select! {
            biased;
            () = shutdown.wait() => {}
            () = closed(self.entrance.as_ref()) => {}
            () = self.accept_forever(server) => {}
        }
    }

    async fn accept_forever<H: Handler + ?Sized + 'static>(&self, server: Arc<Server<H>>) {
        let (mut said_full, mut said_failed) = (Occasion::default(), Occasion::default());
        loop {
            // A place is taken for somebody who is there, so that listeners to which nobody comes hold none.
            match self.socket.accept().await {
                Ok((stream, remote)) => match Place::next(&server).await {
                    None => return,
                    Some(Place::Served(permit)) => {
                        start(&server, stream, remote, self.entrance.clone(), permit);
                    }
                    Some(Place::Refused(permit)) => {
                        if said_full.is_due(&server) {
                            tracing::warn!(
                                max_connections = server.limits.max_connections,
                                "as many connections are open as may be; new ones are turned away"
                            );
                        }
                        turn_away(&server, stream, permit);
                    }
                },
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    if said_failed.is_due(&server) {
                        tracing::error!(address = %self.address, %error, "connections cannot be accepted");
                    }
                    server.runtime.clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Completes when the endpoint of a listener is gone; never without one.
pub(crate) async fn closed(entrance: Option<&Entrance>) {
    match entrance {
        Some(entrance) => entrance.closed.wait().await,
        None => std::future::pending().await,
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // Connections of an earlier server may still be ending.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What becomes of a connection.
enum Place {
    Served(OwnedSemaphorePermit),
    Refused(OwnedSemaphorePermit),
}

impl Place {
    /// A place among those that are served, else among those that are told that there is none.
    async fn next<H: ?Sized>(server: &Server<H>) -> Option<Self> {
        if let Ok(permit) = Arc::clone(&server.connections).try_acquire_owned() {
            return Some(Self::Served(permit));
        }
        tokio::select! {
            biased;
            permit = Arc::clone(&server.connections).acquire_owned() => permit.ok().map(Self::Served),
            permit = Arc::clone(&server.refusals).acquire_owned() => permit.ok().map(Self::Refused),
        }
    }
}

/// Keeps a message from being said too often.
#[derive(Default)]
struct Occasion {
    last: Option<Duration>,
}

impl Occasion {
    fn is_due<H: ?Sized>(&mut self, server: &Server<H>) -> bool {
        let now = server.runtime.clock.monotonic();
        let due = self
            .last
            .is_none_or(|last| now.saturating_sub(last) >= WARNING_INTERVAL);
        if due {
            self.last = Some(now);
        }
        due
    }
}

fn start<H: Handler + ?Sized + 'static>(
    server: &Arc<Server<H>>,
    stream: TcpStream,
    remote: SocketAddr,
    entrance: Option<Entrance>,
    permit: OwnedSemaphorePermit,
) {
    if let Err(error) = prepare(&stream) {
        tracing::debug!(%error, "a connection's options could not be set");
    }
    let connection = connection::serve(Arc::clone(server), stream, remote, entrance);
    server.runtime.tasks.spawn(Box::pin(async move {
        connection.await;
        drop(permit);
    }));
}

fn turn_away<H: ?Sized + 'static>(server: &Arc<Server<H>>, stream: TcpStream, permit: OwnedSemaphorePermit) {
    let clock = Arc::clone(&server.runtime.clock);
    server.runtime.tasks.spawn(Box::pin(async move {
        full::turn_away(clock.as_ref(), stream).await;
        drop(permit);
    }));
}

/// Answers leave at once, and a client whose machine is gone is noticed also while it owes nothing.
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE.silence)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE.interval)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE.count)?;
    #[cfg(target_os = "linux")]
    {
        let given_up = KEEPALIVE.silence + KEEPALIVE.interval * KEEPALIVE.count;
        sockopt::set_tcp_user_timeout(stream, u32::try_from(given_up.as_millis()).unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// Errors that belong to a connection that went away before it was accepted (accept(2)).
fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
