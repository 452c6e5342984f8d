//! Real time: what a benchmark measures. Nothing else here may read a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the time of this machine"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970, for signatures.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature carries the time of this machine"
)]
pub(crate) fn epoch_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Waits for the future, but not longer than this.
#[expect(
    clippy::disallowed_methods,
    reason = "a server that hangs must not hang the benchmark"
)]
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}

/// Waits between two looks at something that will come.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that starts says nothing when it is ready"
)]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
