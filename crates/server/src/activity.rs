//! What a connection is doing, so that one timer can tell a slow client from a long poll.
//!
//! hyper's own timer for headers also runs while a kept-alive connection waits for its next request, and is made
//! anew for each request. Here a request costs two reads of the clock and no timer.

use crate::config::LimitSettings;
use bulla_runtime::Clock;
use http::Version;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The state of one connection. Orderings are relaxed: a timer that sees an older state looks again later.
pub(crate) struct Activity {
    clock: Arc<dyn Clock>,
    header_timeout: Duration,
    idle_timeout: Duration,
    /// Requests whose answer is being made.
    under_way: AtomicU32,
    /// Since when it has been as it is, milliseconds of the monotonic clock.
    since_millis: AtomicU64,
    /// Whether a request's head has begun to arrive.
    head_begun: AtomicBool,
    /// On HTTP/2 bytes arrive without a request; only idleness counts there.
    multiplexed: AtomicBool,
}

/// What the timer finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well for at least this long.
    Wait(Duration),
    /// A request's head takes too long.
    HeadTooSlow,
    /// Nothing was asked for too long, or an answer is not being read.
    Idle,
}

impl Activity {
    /// A connection that has just begun: its first request is awaited no longer than a head may take.
    pub(crate) fn new(clock: Arc<dyn Clock>, limits: &LimitSettings) -> Self {
        let now = millis(clock.monotonic());
        Self {
            clock,
            header_timeout: limits.header_timeout(),
            idle_timeout: limits.idle_timeout(),
            under_way: AtomicU32::new(0),
            since_millis: AtomicU64::new(now),
            head_begun: AtomicBool::new(true),
            multiplexed: AtomicBool::new(false),
        }
    }

    /// A request's head is here; its answer is under way until the value is dropped.
    pub(crate) fn begin(activity: &Arc<Self>, version: Version) -> UnderWay {
        if version == Version::HTTP_2 {
            activity.multiplexed.store(true, Ordering::Relaxed);
        }
        activity.under_way.fetch_add(1, Ordering::Relaxed);
        activity.head_begun.store(false, Ordering::Relaxed);
        UnderWay(Arc::clone(activity))
    }

    fn bytes_arrived(&self) {
        if self.under_way.load(Ordering::Relaxed) == 0 && !self.head_begun.load(Ordering::Relaxed) {
            self.since_millis
                .store(millis(self.clock.monotonic()), Ordering::Relaxed);
            self.head_begun.store(true, Ordering::Relaxed);
        }
    }

    fn in_head(&self) -> bool {
        self.head_begun.load(Ordering::Relaxed) && !self.multiplexed.load(Ordering::Relaxed)
    }

    /// When to look next.
    pub(crate) fn time_left(&self) -> Duration {
        if self.under_way.load(Ordering::Relaxed) > 0 {
            return self.header_timeout.min(self.idle_timeout);
        }
        let since = Duration::from_millis(self.since_millis.load(Ordering::Relaxed));
        let limit = if self.in_head() {
            self.header_timeout
        } else {
            self.idle_timeout
        };
        // A head may begin at any time, so the look is never further away than a head may take.
        (since + limit)
            .saturating_sub(self.clock.monotonic())
            .min(self.header_timeout)
    }

    /// What to do now.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.time_left() {
            Duration::ZERO if self.in_head() => Verdict::HeadTooSlow,
            Duration::ZERO => Verdict::Idle,
            time => Verdict::Wait(time),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An answer that is being made.
pub(crate) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let activity = &self.0;
        activity
            .since_millis
            .store(millis(activity.clock.monotonic()), Ordering::Relaxed);
        activity.head_begun.store(false, Ordering::Relaxed);
        activity.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that tells when bytes arrive.
pub(crate) struct Observed<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Observed<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_arrived();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
