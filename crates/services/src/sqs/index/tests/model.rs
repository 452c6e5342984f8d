//! An index as it should be, slow and obvious: all messages in one list in order of position, and every question answered by looking
//! through it.

use crate::sqs::index::{
    ASIDE_MAX, Arrival, Counts, GroupTag, Hand, Lease, LeaseRefusal, Moment, Monotonic, Order, Removal,
    Taken, Wanted,
};
use bulla_storage::Pos;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// Not yet delivered: a delay runs.
    Delayed(Monotonic),
    /// Delivered and not yet deleted.
    InFlight(Monotonic),
    /// On the way to the dead-letter queue.
    Moving,
    /// Its deletion is on the way to the disk; its receiver has time until then.
    Deleting(Monotonic),
}

impl State {
    /// Whether the message keeps its FIFO group waiting.
    fn is_held(self) -> bool {
        match self {
            Self::InFlight(_) | Self::Moving | Self::Deleting(_) => true,
            Self::Ready | Self::Delayed(_) => false,
        }
    }

    fn until(self) -> Option<Monotonic> {
        match self {
            Self::Delayed(until) | Self::InFlight(until) => Some(until),
            Self::Ready | Self::Moving | Self::Deleting(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    sent: u64,
    group: Option<GroupTag>,
    receives: u32,
    /// Zero before the first receive.
    first_received: u64,
    /// When the latest receive was.
    leased: Monotonic,
    /// Its move to the dead-letter queue was refused: it is delivered once more first.
    spared: bool,
    state: State,
}

impl Entry {
    fn taken(&self, position: Pos) -> Taken {
        Taken {
            position,
            sent: self.sent,
            receives: self.receives,
            first_received: self.first_received,
            group: self.group,
        }
    }
}

/// A queue's messages in order of position.
#[derive(Debug)]
pub(super) struct Model {
    order: Order,
    entries: BTreeMap<Pos, Entry>,
    last: Pos,
    /// Messages up to here may have been received before the index was built.
    forgotten: Option<Pos>,
}

impl Model {
    /// An empty one.
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            entries: BTreeMap::new(),
            last: Pos(0),
            forgotten: None,
        }
    }

    /// Adds a message.
    pub(super) fn insert(&mut self, arrival: Arrival) {
        self.last = self.last.max(arrival.position);
        let entry = Entry {
            sent: arrival.sent,
            group: arrival.group,
            receives: 0,
            first_received: 0,
            leased: Monotonic(0),
            spared: false,
            state: arrival.delayed_until.map_or(State::Ready, State::Delayed),
        };
        self.entries.insert(arrival.position, entry);
    }

    /// Adds a message of which the log says that it was received, at start.
    pub(super) fn restore(&mut self, now: Monotonic, arrival: Arrival, lease: Lease) {
        self.insert(arrival);
        if lease.receives == 0 {
            return;
        }
        if let Some(entry) = self.entries.get_mut(&arrival.position) {
            entry.receives = lease.receives;
            entry.first_received = lease.first_received;
            entry.leased = now;
            entry.state = lease.until.map_or(State::Ready, State::InFlight);
        }
    }

    /// Hands out ready messages and hides them.
    pub(super) fn take(&mut self, now: Moment, wanted: &Wanted) -> Hand {
        self.wake(now.monotonic);
        self.forgotten.get_or_insert(self.last);
        let mut hand = Hand::default();
        let mut current = None;
        while hand.taken.len() < wanted.max && hand.dead.len() + hand.expired.len() < ASIDE_MAX {
            let next = match self.order {
                Order::Standard => self.next_standard(),
                Order::Fifo => self.next_fifo(current),
            };
            let Some(position) = next else { break };
            let Some(entry) = self.entries.get_mut(&position) else {
                break;
            };
            if entry.sent < wanted.oldest_kept {
                self.entries.remove(&position);
                hand.expired.push(position);
                continue;
            }
            if !entry.spared && wanted.receives_max.is_some_and(|max| entry.receives >= max) {
                entry.state = State::Moving;
                hand.dead.push(entry.taken(position));
                current = None;
                continue;
            }
            entry.receives = entry.receives.saturating_add(1);
            if entry.first_received == 0 {
                entry.first_received = now.wall;
            }
            entry.leased = now.monotonic;
            entry.spared = false;
            entry.state = State::InFlight(now.monotonic.after(wanted.visibility));
            hand.taken.push(entry.taken(position));
            current = Some(position);
        }
        hand
    }

    /// The oldest ready message of the group with the fewest messages in flight.
    fn next_standard(&self) -> Option<Pos> {
        let mut held: BTreeMap<Option<GroupTag>, usize> = BTreeMap::new();
        for entry in self.entries.values().filter(|entry| entry.state.is_held()) {
            *held.entry(entry.group).or_default() += 1;
        }
        self.entries
            .iter()
            .filter(|(_, entry)| entry.state == State::Ready)
            .min_by_key(|(position, entry)| (held.get(&entry.group).copied().unwrap_or(0), **position))
            .map(|(position, _)| *position)
    }

    /// The next message of the group that `current`, just handed out, belongs to, or else of the group whose first message is
    /// oldest, among the groups that do not wait.
    fn next_fifo(&self, current: Option<Pos>) -> Option<Pos> {
        let first = |group: Option<GroupTag>| {
            let mut rest = self
                .entries
                .iter()
                .filter(|(_, entry)| entry.group == group && !entry.state.is_held());
            rest.next()
                .filter(|(_, entry)| entry.state == State::Ready)
                .map(|(position, _)| *position)
        };
        let current = current.and_then(|position| self.entries.get(&position));
        if let Some(position) = current.and_then(|entry| first(entry.group)) {
            return Some(position);
        }
        let waits = |group: Option<GroupTag>| {
            let mut all = self.entries.values();
            all.any(|entry| entry.group == group && entry.state.is_held())
        };
        self.entries
            .iter()
            .find(|(position, entry)| !waits(entry.group) && first(entry.group) == Some(**position))
            .map(|(position, _)| *position)
    }

    /// Takes a hand-out back as if it had not been, or a message that cannot be moved to the dead-letter queue: that one is
    /// handed out once more before the next try.
    pub(super) fn put_back(&mut self, taken: &Taken) {
        let Some(entry) = self.entries.get_mut(&taken.position) else {
            return;
        };
        if entry.receives != taken.receives {
            return;
        }
        match entry.state {
            State::InFlight(_) => {
                entry.receives = entry.receives.saturating_sub(1);
                if entry.receives == 0 {
                    entry.first_received = 0;
                }
                entry.state = State::Ready;
            }
            State::Moving => {
                entry.spared = true;
                entry.state = State::Ready;
            }
            State::Ready | State::Delayed(_) | State::Deleting(_) => {}
        }
    }

    /// Hides a message that is in flight for `visibility` from now on.
    pub(super) fn change_visibility(
        &mut self,
        now: Moment,
        position: Pos,
        receive: u32,
        visibility: Duration,
        total_max: Duration,
    ) -> Result<Taken, LeaseRefusal> {
        self.wake(now.monotonic);
        let entry = self.entries.get_mut(&position);
        let entry = entry
            .filter(|entry| entry.receives > 0 || entry.state != State::Ready)
            .ok_or(LeaseRefusal::Gone)?;
        if !matches!(entry.state, State::InFlight(_)) || receive < entry.receives {
            return Err(LeaseRefusal::NotInFlight);
        }
        if entry.leased.until(now.monotonic) + visibility > total_max {
            return Err(LeaseRefusal::TooLong);
        }
        entry.state = State::InFlight(now.monotonic.after(visibility));
        let taken = entry.taken(position);
        self.wake(now.monotonic);
        Ok(taken)
    }

    /// Begins to remove a message, if `receive` is its latest receive: nobody receives it from now on. A message that is
    /// being removed already may be removed once more: whoever asks must not be answered before it is durable.
    ///
    /// After a crash the count may have fallen behind what receivers hold, so a later receive is accepted too.
    pub(super) fn begin_removal(&mut self, now: Monotonic, position: Pos, receive: u32) -> Removal {
        self.wake(now);
        let Some(entry) = self.entries.get_mut(&position) else {
            return Removal::Gone;
        };
        if receive < entry.receives {
            return Removal::ReceivedAgain;
        }
        if entry.receives == 0
            && self.forgotten.is_some_and(|last| position > last)
            && !matches!(entry.state, State::Deleting(_))
        {
            return Removal::Gone;
        }
        match entry.state {
            State::Ready if receive == entry.receives && self.order == Order::Fifo => {
                return Removal::Expired;
            }
            State::Moving => return Removal::Expired,
            State::Ready | State::Delayed(_) | State::InFlight(_) | State::Deleting(_) => {}
        }
        entry.state = State::Deleting(match entry.state {
            State::InFlight(until) | State::Deleting(until) => until,
            State::Ready | State::Delayed(_) | State::Moving => Monotonic(0),
        });
        Removal::Begun
    }

    /// Ends a removal or a move: it is durable, or the message is ready again. Answers whether a message may have become
    /// ready by it.
    pub(super) fn end_removal(&mut self, position: Pos, durable: bool) -> bool {
        if durable {
            return self.entries.remove(&position).is_some() && self.order == Order::Fifo;
        }
        let Some(entry) = self.entries.get_mut(&position) else {
            return false;
        };
        entry.state = match entry.state {
            State::Moving => {
                entry.spared = true;
                State::Ready
            }
            State::Deleting(until) => State::InFlight(until),
            State::Ready | State::Delayed(_) | State::InFlight(_) => return false,
        };
        true
    }

    /// Messages sent before `oldest_kept`.
    pub(super) fn expired(&self, oldest_kept: u64) -> Vec<Pos> {
        let expired = self.entries.iter().filter(|(_, entry)| entry.sent < oldest_kept);
        expired.map(|(position, _)| *position).collect()
    }

    /// Removes these.
    pub(super) fn remove(&mut self, gone: &[Pos]) {
        self.entries.retain(|position, _| !gone.contains(position));
    }

    /// Removes everything up to this position.
    pub(super) fn clear_through(&mut self, last: Pos) -> Vec<Pos> {
        let gone: Vec<Pos> = self
            .entries
            .range(..=last)
            .map(|(position, _)| *position)
            .collect();
        self.remove(&gone);
        gone
    }

    /// The latest position that ever was in the index; 0 when there was none.
    pub(super) fn last(&self) -> Pos {
        self.last
    }

    /// When the next hidden message becomes ready.
    pub(super) fn next_due(&self) -> Option<Monotonic> {
        self.entries
            .values()
            .filter_map(|entry| entry.state.until())
            .min()
    }

    /// How many messages are in which state.
    pub(super) fn counts(&mut self, now: Monotonic) -> Counts {
        self.wake(now);
        let mut counts = Counts::default();
        for entry in self.entries.values() {
            match entry.state {
                State::Ready => counts.ready += 1,
                State::Delayed(_) => counts.delayed += 1,
                State::InFlight(_) => counts.in_flight += 1,
                State::Moving | State::Deleting(_) => {}
            }
        }
        counts
    }

    /// Makes ready what is due.
    fn wake(&mut self, now: Monotonic) {
        for entry in self.entries.values_mut() {
            if entry.state.until().is_some_and(|until| until <= now) {
                entry.state = State::Ready;
            }
        }
    }
}
