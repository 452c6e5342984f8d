//! `ReceiveRequestAttemptId`: a receiver that did not get the answer asks again and gets the same messages with the same
//! handles, hidden anew.
//!
//! An attempt can be repeated for five minutes, as long as its messages are still hidden by it: none was deleted, none
//! had its visibility changed, none became visible again. It lives in memory; after a restart a repeated attempt is a
//! new receive.
//!
//! Source: SQS API Reference, `ReceiveMessage`, `ReceiveRequestAttemptId` (read 2026-11-21).

use super::index::{Moment, Monotonic, Taken};
use bulla_storage::Pos;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// How long an attempt can be repeated.
const WINDOW: Duration = Duration::from_mins(5);
/// Attempts that a queue remembers; with more in five minutes the oldest are forgotten.
const ATTEMPTS_MAX: usize = 65_536;

/// One receive.
#[derive(Debug)]
struct Attempt {
    began: Monotonic,
    /// Until when its messages are hidden.
    hidden_until: Monotonic,
    taken: Vec<Taken>,
}

/// The receives of one queue that can be repeated.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    by_id: HashMap<String, Attempt>,
    by_position: BTreeMap<Pos, String>,
    /// Oldest first; some may be void by now.
    order: VecDeque<(Monotonic, String)>,
}

impl Attempts {
    /// Remembers a receive.
    pub(crate) fn remember(&mut self, id: String, now: Moment, visibility: Duration, taken: &[Taken]) {
        self.forget(now.monotonic);
        self.void_id(&id);
        for taken in taken {
            self.by_position.insert(taken.position, id.clone());
        }
        self.order.push_back((now.monotonic, id.clone()));
        let attempt = Attempt {
            began: now.monotonic,
            hidden_until: now.monotonic.after(visibility),
            taken: taken.to_vec(),
        };
        self.by_id.insert(id, attempt);
    }

    /// The messages of an attempt that can be repeated, which are hidden from now on for `visibility`.
    pub(crate) fn repeat(&mut self, id: &str, now: Moment, visibility: Duration) -> Option<Vec<Taken>> {
        let attempt = self.by_id.get_mut(id)?;
        let over = attempt.began.after(WINDOW) <= now.monotonic || attempt.hidden_until <= now.monotonic;
        if over {
            self.void_id(id);
            return None;
        }
        attempt.hidden_until = now.monotonic.after(visibility);
        Some(attempt.taken.clone())
    }

    /// Ends the attempt that received the message at this place: it was deleted, or its visibility was changed.
    pub(crate) fn void(&mut self, position: Pos) {
        if let Some(id) = self.by_position.get(&position).cloned() {
            self.void_id(&id);
        }
    }

    fn void_id(&mut self, id: &str) {
        let Some(attempt) = self.by_id.remove(id) else {
            return;
        };
        for taken in attempt.taken {
            if self
                .by_position
                .get(&taken.position)
                .is_some_and(|other| other == id)
            {
                self.by_position.remove(&taken.position);
            }
        }
    }

    /// Ends the attempts that can no longer be repeated.
    pub(crate) fn forget(&mut self, now: Monotonic) {
        while let Some((began, id)) = self.order.front() {
            if began.after(WINDOW) > now && self.order.len() < ATTEMPTS_MAX {
                return;
            }
            // The id may have been used again since.
            if self.by_id.get(id).is_some_and(|attempt| attempt.began == *began) {
                let id = id.clone();
                self.void_id(&id);
            }
            self.order.pop_front();
        }
    }
}
