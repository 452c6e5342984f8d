//! Whether the client still waits for its answer.
//!
//! A call, once begun, runs to its end: a client that goes away must not leave a change that is durable but not
//! yet visible. So calls run in tasks of their own, and those that only wait (long polls) ask here.

use bulla_runtime::Shutdown;

/// The client of one request. The default is one that never goes away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client(Option<Shutdown>);

impl Client {
    /// A client who is gone when the other end of `presence` is dropped.
    pub(crate) fn new(presence: Shutdown) -> Self {
        Self(Some(presence))
    }

    /// Completes when the client has gone away.
    pub(crate) async fn gone(&self) {
        match &self.0 {
            Some(presence) => presence.wait().await,
            None => std::future::pending().await,
        }
    }
}
