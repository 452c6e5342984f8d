//! What one queue holds, in memory: which messages are ready, hidden or in flight, and since when.
//!
//! The log is the truth; this is rebuilt from it at start. It keeps no bodies.
//! Invariants: every entry that is not being deleted is either in `ready` or in `hidden`, never in both; `hidden` is ordered by the time at
//! which the entry becomes ready, so that receiving never looks at what is not due.

use bulla_storage::Pos;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A time on the process's monotonic clock, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Monotonic(pub(crate) u64);

impl Monotonic {
    pub(crate) fn from_duration(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    pub(crate) fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// For leases and delays.
    pub(crate) monotonic: Monotonic,
    /// For timestamps that clients see, milliseconds since the epoch.
    pub(crate) wall: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// Not yet delivered: a delay runs.
    Delayed(Monotonic),
    /// Delivered and not yet deleted.
    InFlight(Monotonic),
    /// Its deletion is on the way to the disk; nobody receives it, whatever comes of that.
    Deleting,
}

/// One message.
#[derive(Clone, Copy, Debug)]
struct Entry {
    message: [u8; 16],
    /// Milliseconds since the epoch.
    sent: u64,
    receives: u32,
    /// Milliseconds since the epoch; zero before the first receive.
    first_received: u64,
    /// When the latest receive was.
    leased: Monotonic,
    state: State,
}

/// A message as it enters the index, from a send or from the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) position: Pos,
    pub(crate) message: [u8; 16],
    /// Milliseconds since the epoch.
    pub(crate) sent: u64,
    /// Hidden until then.
    pub(crate) delayed_until: Option<Monotonic>,
}

/// What the log remembers of a message's receives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) receives: u32,
    /// Milliseconds since the epoch.
    pub(crate) first_received: u64,
    /// Hidden until then; `None` when that time has passed.
    pub(crate) until: Option<Monotonic>,
}

/// A message that was just handed to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) position: Pos,
    pub(crate) message: [u8; 16],
    pub(crate) sent: u64,
    pub(crate) receives: u32,
    pub(crate) first_received: u64,
}

/// How many messages are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) ready: usize,
    pub(crate) in_flight: usize,
    pub(crate) delayed: usize,
}

/// Why a lease could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseRefusal {
    /// The message is gone.
    Gone,
    /// The message is not in flight under this receipt.
    NotInFlight,
    /// The message would be hidden for longer than allowed since it was received.
    TooLong,
}

/// The messages of one queue.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<Pos, Entry>,
    ready: BTreeSet<Pos>,
    hidden: BTreeSet<(Monotonic, Pos)>,
    in_flight: usize,
}

impl Index {
    /// Adds a message.
    pub(crate) fn insert(&mut self, arrival: Arrival) {
        let state = arrival.delayed_until.map_or(State::Ready, State::Delayed);
        let entry = Entry {
            message: arrival.message,
            sent: arrival.sent,
            receives: 0,
            first_received: 0,
            leased: Monotonic(0),
            state,
        };
        self.entries.insert(arrival.position, entry);
        self.enter(arrival.position, state);
    }

    /// Restores what a lease note says of a message, at start.
    pub(crate) fn restore(&mut self, now: Monotonic, position: Pos, lease: Lease) {
        let Some(mut entry) = self.entries.get(&position).copied() else {
            return;
        };
        self.leave(position, entry.state);
        entry.receives = lease.receives;
        entry.first_received = lease.first_received;
        entry.leased = now;
        entry.state = lease.until.map_or(State::Ready, State::InFlight);
        self.entries.insert(position, entry);
        self.enter(position, entry.state);
    }

    /// Hands out up to `max` ready messages, oldest first, and hides them for `visibility`.
    pub(crate) fn take(&mut self, now: Moment, max: usize, visibility: Duration) -> Vec<Taken> {
        self.wake(now.monotonic);
        let positions: Vec<Pos> = self.ready.iter().take(max).copied().collect();
        let until = now.monotonic.after(visibility);
        positions
            .into_iter()
            .filter_map(|position| self.lease(position, now, until))
            .collect()
    }

    fn lease(&mut self, position: Pos, now: Moment, until: Monotonic) -> Option<Taken> {
        let entry = self.entries.get_mut(&position)?;
        entry.receives = entry.receives.saturating_add(1);
        if entry.first_received == 0 {
            entry.first_received = now.wall;
        }
        entry.leased = now.monotonic;
        let before = std::mem::replace(&mut entry.state, State::InFlight(until));
        let taken = Taken {
            position,
            message: entry.message,
            sent: entry.sent,
            receives: entry.receives,
            first_received: entry.first_received,
        };
        self.leave(position, before);
        self.enter(position, State::InFlight(until));
        Some(taken)
    }

    /// Takes a hand-out back as if it had not been: the receiver could not be given the message.
    pub(crate) fn put_back(&mut self, taken: &Taken) {
        let Some(mut entry) = self.entries.get(&taken.position).copied() else {
            return;
        };
        if entry.receives != taken.receives || !matches!(entry.state, State::InFlight(_)) {
            return;
        }
        self.leave(taken.position, entry.state);
        entry.receives -= 1;
        if entry.receives == 0 {
            entry.first_received = 0;
        }
        entry.state = State::Ready;
        self.entries.insert(taken.position, entry);
        self.enter(taken.position, State::Ready);
    }

    /// Hides a message that is in flight for `visibility` from now on.
    pub(crate) fn change_visibility(
        &mut self,
        now: Moment,
        position: Pos,
        receive: u32,
        visibility: Duration,
        total_max: Duration,
    ) -> Result<Taken, LeaseRefusal> {
        self.wake(now.monotonic);
        let entry = self.entries.get(&position).copied().ok_or(LeaseRefusal::Gone)?;
        if !matches!(entry.state, State::InFlight(_)) || receive < entry.receives {
            return Err(LeaseRefusal::NotInFlight);
        }
        if entry.leased.until(now.monotonic) + visibility > total_max {
            return Err(LeaseRefusal::TooLong);
        }
        let until = now.monotonic.after(visibility);
        self.leave(position, entry.state);
        let entry = Entry {
            state: State::InFlight(until),
            ..entry
        };
        self.entries.insert(position, entry);
        self.enter(position, entry.state);
        self.wake(now.monotonic);
        Ok(Taken {
            position,
            message: entry.message,
            sent: entry.sent,
            receives: entry.receives,
            first_received: entry.first_received,
        })
    }

    /// Begins to remove a message, if `receive` is its latest receive: nobody receives it from now on. `None` when
    /// it is gone for good or was received again since. A message that is being removed already may be removed once
    /// more: whoever asks must not be answered before it is durable.
    ///
    /// After a crash the count may have fallen behind what receivers hold, so a later receive is accepted too.
    pub(crate) fn begin_removal(&mut self, position: Pos, receive: u32) -> Option<()> {
        let entry = self.entries.get_mut(&position)?;
        if receive < entry.receives {
            return None;
        }
        let before = std::mem::replace(&mut entry.state, State::Deleting);
        self.leave(position, before);
        Some(())
    }

    /// Ends a removal: it is durable, or the message is ready again.
    pub(crate) fn end_removal(&mut self, position: Pos, durable: bool) {
        let Some(entry) = self
            .entries
            .get_mut(&position)
            .filter(|entry| entry.state == State::Deleting)
        else {
            return;
        };
        if durable {
            self.entries.remove(&position);
        } else {
            entry.state = State::Ready;
            self.enter(position, State::Ready);
        }
    }

    fn forget(&mut self, position: Pos, entry: Entry) {
        self.entries.remove(&position);
        self.leave(position, entry.state);
    }

    /// Removes all messages sent before `wall` (milliseconds since the epoch), at most `max`, oldest first.
    pub(crate) fn expire(&mut self, wall: u64, max: usize) -> Vec<Pos> {
        let expired: Vec<(Pos, Entry)> = self
            .entries
            .iter()
            .take(max)
            .take_while(|(_, entry)| entry.sent < wall)
            .map(|(position, entry)| (*position, *entry))
            .collect();
        for (position, entry) in &expired {
            self.forget(*position, *entry);
        }
        expired.into_iter().map(|(position, _)| position).collect()
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) -> Vec<Pos> {
        let all = std::mem::take(self);
        all.entries.into_keys().collect()
    }

    /// Removes everything up to this position.
    pub(crate) fn clear_through(&mut self, last: Pos) -> Vec<Pos> {
        let gone: Vec<(Pos, Entry)> = self
            .entries
            .range(..=last)
            .map(|(position, entry)| (*position, *entry))
            .collect();
        for (position, entry) in &gone {
            self.forget(*position, *entry);
        }
        gone.into_iter().map(|(position, _)| position).collect()
    }

    /// The latest position; 0 when there is none.
    pub(crate) fn last(&self) -> Pos {
        self.entries
            .last_key_value()
            .map_or(Pos(0), |(position, _)| *position)
    }

    /// When the next hidden message becomes ready.
    pub(crate) fn next_due(&self) -> Option<Monotonic> {
        self.hidden.first().map(|(at, _)| *at)
    }

    /// How many messages are in flight.
    pub(crate) fn in_flight(&mut self, now: Monotonic) -> usize {
        self.wake(now);
        self.in_flight
    }

    /// How many messages are in which state.
    pub(crate) fn counts(&mut self, now: Monotonic) -> Counts {
        self.wake(now);
        Counts {
            ready: self.ready.len(),
            in_flight: self.in_flight,
            delayed: self.hidden.len() - self.in_flight,
        }
    }

    /// When the oldest message was sent, milliseconds since the epoch.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.entries.first_key_value().map(|(_, entry)| entry.sent)
    }

    /// Makes ready what is due.
    fn wake(&mut self, now: Monotonic) {
        while let Some((at, position)) = self.hidden.first().copied() {
            if at > now {
                return;
            }
            if let Some(entry) = self.entries.get_mut(&position) {
                let before = std::mem::replace(&mut entry.state, State::Ready);
                self.leave(position, before);
                self.enter(position, State::Ready);
            } else {
                self.hidden.pop_first();
            }
        }
    }

    fn enter(&mut self, position: Pos, state: State) {
        match state {
            State::Ready => {
                self.ready.insert(position);
            }
            State::Delayed(until) => {
                self.hidden.insert((until, position));
            }
            State::InFlight(until) => {
                self.hidden.insert((until, position));
                self.in_flight += 1;
            }
            State::Deleting => {}
        }
    }

    fn leave(&mut self, position: Pos, state: State) {
        match state {
            State::Ready => {
                self.ready.remove(&position);
            }
            State::Delayed(until) => {
                self.hidden.remove(&(until, position));
            }
            State::InFlight(until) => {
                self.hidden.remove(&(until, position));
                self.in_flight -= 1;
            }
            State::Deleting => {}
        }
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
