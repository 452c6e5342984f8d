//! How much this server carries at once: requests, and the bytes that they hold.
//!
//! Why refuse instead of wait: a flood that waits grows, and a client that is told so tries again later, as AWS's
//! clients do. Bytes count when they arrive, not when they are announced, so that nobody reserves memory by promising
//! a body. What must stay true: whatever a client can make the server hold is counted here, bounded for each
//! connection, or both.

use crate::config_limits::LimitSettings;
use bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Answers up to this size, bytes, are not counted: connections bound them.
const ANSWER_BYTES_UNCOUNTED_MAX: usize = 16 * 1024;

/// What is carried now, and how much may be. Orderings are relaxed: the numbers guard no other memory.
#[derive(Debug)]
pub struct Load {
    requests: AtomicUsize,
    bytes: AtomicUsize,
    requests_max: usize,
    bytes_max: usize,
    refusals: Mutex<Refusals>,
}

/// What was turned away since it was said last.
#[derive(Debug, Default)]
struct Refusals {
    count: u64,
    said: Option<Duration>,
}

impl Load {
    /// Nothing yet, within these limits.
    pub(crate) fn new(limits: &LimitSettings) -> Arc<Self> {
        let to_usize = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            requests_max: to_usize(limits.max_requests),
            bytes_max: to_usize(limits.max_buffered_bytes),
            refusals: Mutex::default(),
        })
    }

    /// A place for one more request, if there is one.
    pub(crate) fn admit(load: &Arc<Self>) -> Option<Admitted> {
        if load.requests.fetch_add(1, Ordering::Relaxed) >= load.requests_max {
            load.requests.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Admitted(Held {
            load: Arc::clone(load),
            bytes: 0,
        }))
    }

    /// Counts a refusal; how many there were since it was said last, when `interval` has passed since then.
    pub(crate) fn refused(&self, now: Duration, interval: Duration) -> Option<u64> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.count += 1;
        if refusals
            .said
            .is_some_and(|said| now.saturating_sub(said) < interval)
        {
            return None;
        }
        refusals.said = Some(now);
        Some(std::mem::take(&mut refusals.count))
    }

    /// An answer counts until it is written or its connection ends. It is there already, so it is never refused; the
    /// requests after it are.
    pub(crate) fn count_answer(load: &Arc<Self>, answer: Bytes) -> Bytes {
        if answer.len() <= ANSWER_BYTES_UNCOUNTED_MAX {
            return answer;
        }
        load.bytes.fetch_add(answer.len(), Ordering::Relaxed);
        let held = Held {
            load: Arc::clone(load),
            bytes: answer.len(),
        };
        Bytes::from_owner(Counted {
            bytes: answer,
            _held: held,
        })
    }
}

/// Some of the bytes that may be held; they are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    load: Arc<Load>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn nothing(load: &Arc<Load>) -> Self {
        Self {
            load: Arc::clone(load),
            bytes: 0,
        }
    }

    /// Takes more; `false` when there are no more to be had.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let before = self.load.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.load.bytes_max {
            self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }

    /// Takes so many more that it is `bytes` altogether; `false` when there are no more to be had.
    #[must_use]
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        self.grow(bytes.saturating_sub(self.bytes))
    }

    /// Gives all back.
    pub(crate) fn clear(&mut self) {
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A request that was let in, with what it holds. It lives as long as the call, whatever becomes of its connection:
/// a client that goes away and comes again gets no more than one that stays.
#[derive(Debug)]
pub struct Admitted(Held);

impl Admitted {
    /// Takes more bytes; `false` when there are no more to be had.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        self.0.grow(bytes)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.load.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that count.
struct Counted {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{ANSWER_BYTES_UNCOUNTED_MAX, Held, Load};
    use bytes::Bytes;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    fn load(requests_max: usize, bytes_max: usize) -> Arc<Load> {
        Arc::new(Load {
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            requests_max,
            bytes_max,
            refusals: Mutex::default(),
        })
    }

    #[test]
    fn a_place_is_free_again_when_its_request_is_over() {
        let load = load(1, 0);
        let first = Load::admit(&load).unwrap();
        assert!(Load::admit(&load).is_none());
        drop(first);
        assert!(Load::admit(&load).is_some());
    }

    #[test]
    fn no_more_bytes_are_held_than_allowed_and_a_refusal_takes_none() {
        let load = load(9, 100);
        let (mut first, mut second) = (Held::nothing(&load), Held::nothing(&load));
        assert!(first.grow(60));
        assert!(!second.grow(41));
        assert!(second.grow(40));
        first.clear();
        assert!(second.grow(60));
        drop(second);
        assert_eq!(load.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn refusals_are_told_now_and_then_with_their_number() {
        let (load, second) = (load(0, 0), Duration::from_secs(1));
        let told: Vec<_> = (0..5)
            .map(|tenth| load.refused(second * tenth / 4, second))
            .collect();
        assert_eq!(told, [Some(1), None, None, None, Some(4)]);
    }

    #[test]
    fn a_large_answer_counts_until_its_last_handle_is_gone() {
        let load = load(9, 10);
        let answer = Bytes::from(vec![b'x'; ANSWER_BYTES_UNCOUNTED_MAX + 1]);
        let counted = Load::count_answer(&load, answer.clone());
        assert_eq!(counted, answer);
        let part = counted.slice(5..6);
        drop(counted);
        assert!(!Held::nothing(&load).grow(1));
        drop(part);
        assert!(Held::nothing(&load).grow(1));
    }
}
