//! What a connection is doing, so that one timer can tell a slow client from a long poll.
//!
//! hyper's own timer for headers also runs while a kept-alive connection waits for its next request, and is made
//! anew for each request. Here a request costs two reads of the clock and no timer.
//!
//! hyper keeps what it has read of a head until the head is whole; what many connections keep together counts too.

use crate::config_limits::LimitSettings;
use crate::load::{Held, Load};
use bulla_runtime::Clock;
use http::Version;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A head may have this many bytes before they are counted; connections bound what is below.
const HEAD_BYTES_UNCOUNTED_MAX: usize = 16 * 1024;
/// No write is waiting for the client to read.
const NOT_BLOCKED: u64 = u64::MAX;

/// The state of one connection. Orderings are relaxed: a timer that sees an older state looks again later.
pub(crate) struct Activity {
    clock: Arc<dyn Clock>,
    header_timeout: Duration,
    idle_timeout: Duration,
    write_timeout: Duration,
    /// Requests whose answer is being made.
    under_way: AtomicU32,
    /// Since when it has been as it is, milliseconds of the monotonic clock.
    since_millis: AtomicU64,
    /// Whether a request's head has begun to arrive.
    head_begun: AtomicBool,
    /// On HTTP/2 bytes arrive without a request; only idleness counts there.
    multiplexed: AtomicBool,
    /// Since when a write waits for the client to read, milliseconds of the monotonic clock.
    blocked_since_millis: AtomicU64,
}

/// What the timer finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well for at least this long.
    Wait(Duration),
    /// A request's head takes too long.
    HeadTooSlow,
    /// The client does not read what is sent to it.
    NotReading,
    /// Nothing was asked for too long, or an answer is read too slowly.
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
            write_timeout: limits.write_timeout(),
            under_way: AtomicU32::new(0),
            since_millis: AtomicU64::new(now),
            head_begun: AtomicBool::new(true),
            multiplexed: AtomicBool::new(false),
            blocked_since_millis: AtomicU64::new(NOT_BLOCKED),
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

    /// Answers whether they are the first of a request.
    fn bytes_arrived(&self) -> bool {
        let first = self.under_way.load(Ordering::Relaxed) == 0 && !self.head_begun.load(Ordering::Relaxed);
        if first {
            self.since_millis
                .store(millis(self.clock.monotonic()), Ordering::Relaxed);
            self.head_begun.store(true, Ordering::Relaxed);
        }
        first
    }

    fn in_head(&self) -> bool {
        self.head_begun.load(Ordering::Relaxed) && !self.multiplexed.load(Ordering::Relaxed)
    }

    fn wrote<T>(&self, polled: &Poll<T>) {
        let blocked = self.blocked_since_millis.load(Ordering::Relaxed) != NOT_BLOCKED;
        if polled.is_pending() != blocked {
            let since = if blocked {
                NOT_BLOCKED
            } else {
                millis(self.clock.monotonic())
            };
            self.blocked_since_millis.store(since, Ordering::Relaxed);
        }
    }

    /// How much longer the client may leave unread what is sent to it.
    fn time_to_read(&self, now: Duration) -> Duration {
        match self.blocked_since_millis.load(Ordering::Relaxed) {
            NOT_BLOCKED => self.write_timeout,
            since => (Duration::from_millis(since) + self.write_timeout).saturating_sub(now),
        }
    }

    /// How much longer it may stay as it is, as far as requests are concerned.
    fn time_to_ask(&self, now: Duration) -> Duration {
        if self.under_way.load(Ordering::Relaxed) > 0 {
            return self.header_timeout.min(self.idle_timeout);
        }
        let since = Duration::from_millis(self.since_millis.load(Ordering::Relaxed));
        let limit = if self.in_head() {
            self.header_timeout
        } else {
            self.idle_timeout
        };
        (since + limit).saturating_sub(now)
    }

    /// When to look next. A head may begin and a write may block at any time, so the look is never further away than
    /// a head may take.
    pub(crate) fn time_left(&self) -> Duration {
        let now = self.clock.monotonic();
        self.time_to_ask(now)
            .min(self.time_to_read(now))
            .min(self.header_timeout)
    }

    /// What to do now.
    pub(crate) fn verdict(&self) -> Verdict {
        let now = self.clock.monotonic();
        if self.time_to_read(now).is_zero() {
            return Verdict::NotReading;
        }
        match self.time_to_ask(now) {
            Duration::ZERO if self.in_head() => Verdict::HeadTooSlow,
            Duration::ZERO => Verdict::Idle,
            _ => Verdict::Wait(self.time_left()),
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

/// A stream that tells when bytes arrive and when they cannot leave.
pub(crate) struct Observed<S> {
    stream: S,
    activity: Arc<Activity>,
    /// Bytes of the head that is arriving.
    head_bytes: usize,
    /// Its share of the memory.
    held: Held,
    /// Whether it was a flush that had to wait; a plain socket's flush is done at once, whatever its writes do.
    flush_blocked: bool,
}

impl<S> Observed<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, load: &Arc<Load>) -> Self {
        Self {
            stream,
            activity,
            head_bytes: 0,
            held: Held::nothing(load),
            flush_blocked: false,
        }
    }

    /// Counts what arrived; `false` when there is no memory for it.
    fn count(&mut self, bytes: usize) -> bool {
        let first = self.activity.bytes_arrived();
        let in_head = self.activity.in_head();
        // A request that arrives whole ends the head before it without a read of its own.
        if first || !in_head {
            if self.head_bytes > HEAD_BYTES_UNCOUNTED_MAX {
                self.held.clear();
            }
            self.head_bytes = 0;
        }
        if !in_head {
            return true;
        }
        self.head_bytes += bytes;
        self.head_bytes <= HEAD_BYTES_UNCOUNTED_MAX || self.held.grow_to(self.head_bytes)
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
        let arrived = buffer.filled().len().saturating_sub(before);
        if arrived > 0 && !self.count(arrived) {
            return Poll::Ready(Err(std::io::ErrorKind::OutOfMemory.into()));
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
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.wrote(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        if polled.is_pending() || self.flush_blocked {
            self.flush_blocked = polled.is_pending();
            self.activity.wrote(&polled);
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.activity.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
