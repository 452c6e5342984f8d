//! Time that passes when the simulation says so: one true time, and for each life of the server the two clocks that a
//! process sees.

use bulla_runtime::{BoxFuture, Clock};
use bulla_types::Timestamp;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// 2026-01-01T00:00:00Z, where the true time begins; milliseconds since the epoch.
pub(crate) const EPOCH_MS: u64 = 1_767_225_600_000;

#[derive(Debug, Default)]
struct State {
    now: u64,
    next: u64,
    /// Those who wait and were not woken yet.
    sleepers: BTreeMap<(u64, u64), Waker>,
}

/// The true time, in milliseconds since the beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Time(Arc<Mutex<State>>);

impl Time {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn now(&self) -> u64 {
        self.state().now
    }

    /// When the next sleeper wakes.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.state().sleepers.keys().next().map(|(due, _)| *due)
    }

    /// Moves on to `now`, which is not in the past, and wakes everybody whose time has come.
    pub(crate) fn advance_to(&self, now: u64) {
        let mut state = self.state();
        state.now = state.now.max(now);
        let later = (state.now, u64::MAX);
        let asleep = state.sleepers.split_off(&later);
        let due = std::mem::replace(&mut state.sleepers, asleep);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    /// Completes after so many milliseconds.
    pub(crate) fn sleep(&self, milliseconds: u64) -> Sleep {
        let mut state = self.state();
        let key = (state.now.saturating_add(milliseconds), state.next);
        state.next += 1;
        drop(state);
        Sleep {
            time: self.clone(),
            key,
        }
    }
}

/// See [`Time::sleep`].
pub(crate) struct Sleep {
    time: Time,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.time.state();
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.time.state().sleepers.remove(&self.key);
        drop(waker);
    }
}

/// The clocks of one life of the server.
pub(crate) struct ProcessClock {
    time: Time,
    /// The true time at which the process started.
    started: u64,
}

impl ProcessClock {
    pub(crate) fn start(time: &Time) -> Self {
        Self {
            time: time.clone(),
            started: time.now(),
        }
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(EPOCH_MS + self.time.now())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.time.now() - self.started)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let whole = duration.as_nanos().div_ceil(1_000_000);
        Box::pin(self.time.sleep(u64::try_from(whole).unwrap()))
    }
}
