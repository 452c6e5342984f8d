//! The index against a model that is slow and obvious, each rule of order in a sentence, and what it costs.

mod costs;
mod lists;
mod model;
mod ordering;
mod properties;

use super::{Arrival, GroupTag, Hand, Index, Moment, Monotonic, Order, Wanted};
use bulla_storage::Pos;
use std::time::Duration;

/// The wall clock when the monotonic one is zero.
const WALL: u64 = 1_000_000_000;

/// A queue whose visibility timeout is 30 ms, on a clock of its own.
struct Queue {
    index: Index,
    now: u64,
    last: u64,
}

impl Queue {
    fn new(order: Order) -> Self {
        let index = Index::new(order);
        Self {
            index,
            now: 0,
            last: 0,
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            monotonic: Monotonic(self.now),
            wall: WALL + self.now,
        }
    }

    fn arrival(&mut self, group: Option<GroupTag>, delay: u64) -> Arrival {
        self.last += 1;
        Arrival {
            position: Pos(self.last),
            sent: WALL + self.now,
            group,
            delayed_until: (delay > 0).then_some(Monotonic(self.now + delay)),
        }
    }

    /// Sends to a group by its name, `' '` for none.
    fn send(&mut self, group: char) {
        self.send_delayed(group, 0);
    }

    fn send_delayed(&mut self, group: char, delay: u64) {
        let arrival = self.arrival(tag(group), delay);
        self.index.insert(arrival);
    }

    fn hand(&mut self, max: usize, receives_max: Option<u32>, oldest_kept: u64) -> Hand {
        let wanted = Wanted {
            max,
            visibility: Duration::from_millis(30),
            receives_max,
            oldest_kept,
        };
        self.index.take(self.moment(), &wanted)
    }

    /// Receives, and answers positions.
    fn take(&mut self, max: usize) -> Vec<u64> {
        let hand = self.hand(max, None, 0);
        hand.taken.iter().map(|taken| taken.position.0).collect()
    }

    fn remove(&mut self, position: u64) {
        let now = Monotonic(self.now);
        self.index.begin_removal(now, Pos(position), u32::MAX);
        self.index.end_removal(Pos(position), true);
    }

    fn extend(&mut self, position: u64, millis: u64) {
        let (hide, total) = (Duration::from_millis(millis), Duration::from_hours(12));
        let changed = self
            .index
            .change_visibility(self.moment(), Pos(position), u32::MAX, hide, total);
        changed.unwrap();
    }
}

fn tag(group: char) -> Option<GroupTag> {
    let byte = u8::try_from(group).unwrap();
    (group != ' ').then_some(GroupTag([byte; 16]))
}
