//! Whether the client still waits for its answer.
//!
//! A call, once begun, runs to its end: a client that goes away must not leave a change that is durable but not
//! yet visible. So what is left of a call goes on in a task of its own, and those that only wait (long polls) ask here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// The client of one request. The default is one that never goes away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client(Option<Arc<Presence>>);

#[derive(Debug, Default)]
struct Presence {
    gone: AtomicBool,
    left: Notify,
}

/// The other end: when it is dropped, the client is gone.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Presence>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Release);
        self.0.left.notify_waiters();
    }
}

impl Client {
    /// A client, and what is held as long as it waits for its answer.
    pub(crate) fn connected() -> (Connected, Self) {
        let presence = Arc::new(Presence::default());
        (Connected(Arc::clone(&presence)), Self(Some(presence)))
    }

    /// Completes when the client has gone away.
    pub(crate) async fn gone(&self) {
        let Some(presence) = &self.0 else {
            return std::future::pending().await;
        };
        // A waiter is one from here on, so that it misses nothing that happens after the look.
        let left = presence.left.notified();
        if !presence.gone.load(Ordering::Acquire) {
            left.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Client;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn is_gone(gone: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        gone.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn a_client_is_gone_once_its_other_end_is() {
        let (connected, client) = Client::connected();
        let mut asked_before = pin!(client.gone());
        assert!(!is_gone(asked_before.as_mut()));
        drop(connected);
        assert!(is_gone(asked_before.as_mut()));
        assert!(is_gone(pin!(client.gone())));
    }
}
