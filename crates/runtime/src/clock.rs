//! Time.

use crate::BoxFuture;
use bulla_types::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What time it is.
///
/// Two clocks: [`now`](Clock::now) is the wall clock, for what clients see and signatures state; it may be set
/// back. [`monotonic`](Clock::monotonic) never goes back, for leases and cache ages within one process.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary point in the life of this process; never decreases.
    fn monotonic(&self) -> Duration;

    /// Completes when this much monotonic time has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others use instead"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others use instead"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others use instead"
    )]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
