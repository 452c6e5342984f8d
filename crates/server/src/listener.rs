//! Accepting connections.

use crate::connection;
use crate::handler::Handler;
use crate::operator_error::OperatorError;
use crate::server::Server;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

/// How long accepting rests after an error that will not go away at once, such as no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is said that all connections are taken.
const FULL_WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// An address that is listened on; connections wait until they are accepted.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes an address.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn bind(address: SocketAddr) -> Result<Self, OperatorError> {
        let failed = |error: std::io::Error| {
            OperatorError::failed(format!("cannot listen on `{address}`"))
                .why(error)
                .fix("stop what listens there, or choose another address with `--listen`")
        };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
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
            () = self.accept_forever(server) => {}
        }
    }

    async fn accept_forever<H: Handler + ?Sized + 'static>(&self, server: Arc<Server<H>>) {
        let mut warned = None;
        loop {
            let Some(permit) = permit(&server, &mut warned).await else {
                return;
            };
            match self.socket.accept().await {
                Ok((stream, remote)) => start(&server, stream, remote, permit),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::error!(address = %self.address, %error, "a connection could not be accepted");
                    server.runtime.clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn permit<H: ?Sized>(
    server: &Server<H>,
    warned: &mut Option<Duration>,
) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(&server.connections).try_acquire_owned() {
        return Some(permit);
    }
    let now = server.runtime.clock.monotonic();
    if warned.is_none_or(|last| now.saturating_sub(last) >= FULL_WARNING_INTERVAL) {
        *warned = Some(now);
        tracing::warn!(
            max_connections = server.limits.max_connections,
            "as many connections are open as may be; new ones wait"
        );
    }
    Arc::clone(&server.connections).acquire_owned().await.ok()
}

fn start<H: Handler + ?Sized + 'static>(
    server: &Arc<Server<H>>,
    stream: TcpStream,
    remote: SocketAddr,
    permit: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let connection = connection::serve(Arc::clone(server), stream, remote);
    server.runtime.tasks.spawn(Box::pin(async move {
        connection.await;
        drop(permit);
    }));
}

/// Errors that belong to a connection that went away before it was accepted (accept(2)).
fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
