//! Time and randomness under a test's control.

use crate::{BoxFuture, Clock, Entropy};
use bulla_types::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A clock that moves when told to. It starts at 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<ManualTime>,
}

#[derive(Debug)]
struct ManualTime {
    start: Timestamp,
    passed: Duration,
    /// Who waits until when; the number keeps equal times apart.
    sleepers: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
    next: u64,
}

impl Default for ManualClock {
    fn default() -> Self {
        let start = Timestamp::from_seconds(1_767_225_600);
        Self {
            state: Mutex::new(ManualTime {
                start,
                passed: Duration::ZERO,
                sleepers: BTreeMap::new(),
                next: 0,
            }),
        }
    }
}

impl ManualClock {
    /// Moves both clocks on and wakes everybody whose time has come, in order.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.lock();
        state.passed += duration;
        let later = (state.passed, u64::MAX);
        let still_asleep = state.sleepers.split_off(&later);
        let due = std::mem::replace(&mut state.sleepers, still_asleep);
        drop(state);
        for sleeper in due.into_values() {
            // Whoever gave up waiting need not be told.
            let _ = sleeper.send(());
        }
    }

    /// How many sleep now; a test advances when those it expects are asleep.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        let mut state = self.lock();
        state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
        state.sleepers.len()
    }

    fn lock(&self) -> MutexGuard<'_, ManualTime> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let state = self.lock();
        state.start.after(state.passed)
    }

    fn monotonic(&self) -> Duration {
        self.lock().passed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.lock();
        let (sender, receiver) = oneshot::channel();
        let until = (state.passed + duration, state.next);
        state.next += 1;
        if duration.is_zero() {
            drop(sender);
        } else {
            state.sleepers.insert(until, sender);
        }
        Box::pin(async move { drop(receiver.await) })
    }
}

/// Bytes that look random and repeat for the same seed. For tests and simulation, never for keys.
///
/// The generator is `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// Starts the sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            for (place, byte) in chunk.iter_mut().zip(mixed.to_le_bytes()) {
                *place = byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ManualClock, SeededEntropy};
    use crate::{Clock, Entropy};
    use std::time::Duration;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_come() {
        let clock = ManualClock::default();
        let sleep = clock.sleep(Duration::from_secs(30));
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(30));
        sleep.await;
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_sleeper_stays_asleep_before_its_time() {
        let clock = ManualClock::default();
        let _sleep = clock.sleep(Duration::from_secs(30));
        clock.advance(Duration::from_secs(29));
        assert_eq!(clock.sleepers(), 1);
    }

    #[test]
    fn both_clocks_move_together() {
        let clock = ManualClock::default();
        let before = clock.now();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().since(before), Duration::from_millis(1500));
        assert_eq!(clock.monotonic(), Duration::from_millis(1500));
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (mut first, mut second) = ([0; 20], [0; 20]);
        SeededEntropy::new(7).fill(&mut first);
        SeededEntropy::new(7).fill(&mut second);
        assert_eq!(first, second);
        assert_ne!(first, [0; 20]);
    }
}
