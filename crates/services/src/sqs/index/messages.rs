//! All messages of a queue: those that are ready and untouched in lists, all others as entries.
//!
//! Invariants: a message is in a list or has an entry, never both; an entry that is ready was received before, or was spared;
//! `hidden` has exactly the entries that a time will make ready.

use super::chunk::Item;
use super::entry::{Entry, State};
use super::groups::{Groups, Next, Place};
use super::{
    ASIDE_MAX, Arrival, Counts, GroupTag, Hand, Lease, LeaseRefusal, Moment, Monotonic, Order, Removal,
    Taken, Wanted,
};
use bulla_storage::Pos;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The messages of one queue.
#[derive(Debug)]
pub(crate) struct Index {
    order: Order,
    groups: Groups,
    entries: BTreeMap<Pos, Entry>,
    /// Delayed and in flight, by when they become ready.
    hidden: BTreeSet<(Monotonic, Pos)>,
    counts: Counts,
    /// The latest position that ever came.
    last: Pos,
    /// No message was sent before.
    oldest: u64,
    /// Messages up to here may have been received before the index was built, and the note of it lost; `None` before the
    /// first receive.
    forgotten: Option<Pos>,
}

impl Index {
    /// An empty one.
    pub(crate) fn new(order: Order) -> Self {
        Self {
            order,
            groups: Groups::new(order),
            entries: BTreeMap::new(),
            hidden: BTreeSet::new(),
            counts: Counts::default(),
            last: Pos(0),
            oldest: u64::MAX,
            forgotten: None,
        }
    }

    /// Adds a message. Its position may be lower than that of others, but was never in the index before.
    pub(crate) fn insert(&mut self, arrival: Arrival) {
        self.arrives(&arrival);
        match arrival.delayed_until {
            None => self.list(
                arrival.group,
                Item {
                    position: arrival.position,
                    sent: arrival.sent,
                },
            ),
            Some(until) => {
                let entry = Entry::new(arrival.sent, arrival.group, State::Delayed(until));
                self.enter(arrival.position, entry);
            }
        }
    }

    /// Adds a message of which the log says that it was received, at start.
    pub(crate) fn restore(&mut self, now: Monotonic, arrival: Arrival, lease: Lease) {
        if lease.receives == 0 {
            return self.insert(arrival);
        }
        self.arrives(&arrival);
        let state = lease.until.map_or(State::Ready, State::InFlight);
        let entry = Entry {
            receives: lease.receives,
            first_received: lease.first_received,
            leased: now,
            ..Entry::new(arrival.sent, arrival.group, state)
        };
        self.enter(arrival.position, entry);
    }

    fn arrives(&mut self, arrival: &Arrival) {
        self.last = self.last.max(arrival.position);
        self.oldest = self.oldest.min(arrival.sent);
    }

    /// Hands out ready messages and hides them.
    pub(crate) fn take(&mut self, now: Moment, wanted: &Wanted) -> Hand {
        self.wake(now.monotonic);
        self.forgotten.get_or_insert(self.last);
        let mut hand = Hand::default();
        let mut current = None;
        while hand.taken.len() < wanted.max && hand.dead.len() + hand.expired.len() < ASIDE_MAX {
            let Some(next) = self.groups.next(current.as_ref()) else {
                break;
            };
            let there = match next.fresh {
                Some(sent) => Some(Entry::new(sent, next.group, State::Ready)),
                None => self.entries.get(&next.position).copied(),
            };
            let Some(mut entry) = there else { break };
            if entry.sent < wanted.oldest_kept {
                self.drop_head(&next);
                hand.expired.push(next.position);
            } else if !entry.spared && wanted.receives_max.is_some_and(|max| entry.receives >= max) {
                entry.state = State::Moving;
                self.hold(&next, entry);
                hand.dead.push(entry.taken(next.position));
                current = None;
            } else {
                entry.receives = entry.receives.saturating_add(1);
                if entry.first_received == 0 {
                    entry.first_received = now.wall;
                }
                entry.leased = now.monotonic;
                entry.spared = false;
                entry.state = State::InFlight(now.monotonic.after(wanted.visibility));
                self.hold(&next, entry);
                hand.taken.push(entry.taken(next.position));
                current = Some(next);
            }
        }
        hand
    }

    /// Removes the message that is next.
    fn drop_head(&mut self, next: &Next) {
        if next.fresh.is_some() {
            self.groups.pop(next.group, Place::Away);
            self.counts.ready -= 1;
        } else {
            self.forget(next.position);
        }
    }

    /// The message that is next becomes this entry, which is held.
    fn hold(&mut self, next: &Next, entry: Entry) {
        self.counts.ready -= 1;
        if next.fresh.is_some() {
            self.groups.pop(next.group, Place::Held);
        } else {
            let from = State::Ready.place(self.order);
            self.groups.shift(next.group, next.position, from, Place::Held);
        }
        self.entries.insert(next.position, entry);
        self.count(next.position, entry.state);
    }

    /// Takes a hand-out back as if it had not been, or a message that cannot be moved to the dead-letter queue: that one is
    /// handed out once more before the next try.
    pub(crate) fn put_back(&mut self, taken: &Taken) {
        let entry = self.entries.get_mut(&taken.position);
        let Some(entry) = entry.filter(|entry| entry.receives == taken.receives) else {
            return;
        };
        match entry.state {
            State::InFlight(_) => {
                entry.receives = entry.receives.saturating_sub(1);
                if entry.receives == 0 {
                    entry.first_received = 0;
                }
            }
            State::Moving => entry.spared = true,
            State::Ready | State::Delayed(_) | State::Deleting(_) => return,
        }
        self.change(taken.position, State::Ready);
    }

    /// Hides a message that is in flight for `visibility` from now on; for no time makes it ready.
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
        self.change(position, State::InFlight(now.monotonic.after(visibility)));
        self.wake(now.monotonic);
        Ok(entry.taken(position))
    }

    /// Begins to remove a message, if `receive` is its latest receive: nobody receives it from now on. A message that is
    /// being removed already may be removed once more: whoever asks must not be answered before it is durable.
    ///
    /// After a crash the count may have fallen behind what receivers hold, so a later receive is accepted too.
    pub(crate) fn begin_removal(&mut self, now: Monotonic, position: Pos, receive: u32) -> Removal {
        self.wake(now);
        let Some(entry) = self.entries.get(&position).copied() else {
            return self.begin_forgotten_removal(position);
        };
        if receive < entry.receives {
            return Removal::ReceivedAgain;
        }
        match entry.state {
            State::Delayed(_) if self.is_known(position) => return Removal::Gone,
            State::Ready if receive == entry.receives && self.order == Order::Fifo => {
                return Removal::Expired;
            }
            // Whether it stays is not decided yet, so its removal cannot be promised.
            State::Moving => return Removal::Expired,
            State::Ready | State::Delayed(_) | State::InFlight(_) | State::Deleting(_) => {}
        }
        self.change(position, State::Deleting(entry.state.leased_until()));
        Removal::Begun
    }

    /// Removes a message that was never received and is known to be in this group, at start. Answers whether it was there.
    pub(crate) fn remove_restored(&mut self, position: Pos, group: Option<GroupTag>) -> bool {
        if self.entries.contains_key(&position) {
            self.forget(position);
            return true;
        }
        let was_there = self.groups.remove(position, group);
        if was_there {
            self.counts.ready -= 1;
        }
        was_there
    }

    /// Hides a message that is on its way to another queue until the next start: it has arrived there, but it could
    /// not be deleted here.
    pub(crate) fn keep_aside(&mut self, position: Pos) {
        let moving = |entry: &Entry| entry.state == State::Moving;
        if self.entries.get(&position).is_some_and(moving) {
            self.change(position, State::Deleting(Monotonic(0)));
        }
    }

    /// Whether all receives of the message happened under the eyes of this index.
    fn is_known(&self, position: Pos) -> bool {
        self.forgotten.is_some_and(|last| position > last)
    }

    /// The message seems never to have been received; that may be forgotten, but only of messages from before the start.
    fn begin_forgotten_removal(&mut self, position: Pos) -> Removal {
        if self.is_known(position) {
            return Removal::Gone;
        }
        let Some((group, item)) = self.groups.find(position) else {
            return Removal::Gone;
        };
        self.counts.ready -= 1;
        self.enter(
            position,
            Entry::new(item.sent, group, State::Deleting(Monotonic(0))),
        );
        Removal::Begun
    }

    /// Ends a removal or a move: it is durable, or it has failed. Then the message is ready again, unless its receiver
    /// still has time. Answers whether a message may have become ready by it.
    pub(crate) fn end_removal(&mut self, position: Pos, durable: bool) -> bool {
        if durable {
            return self.remove(position) && self.order == Order::Fifo;
        }
        let Some(entry) = self.entries.get_mut(&position) else {
            return false;
        };
        let after = match entry.state {
            State::Moving => {
                entry.spared = true;
                State::Ready
            }
            // What is due already becomes ready when the index is next asked.
            State::Deleting(until) => State::InFlight(until),
            State::Ready | State::Delayed(_) | State::InFlight(_) => return false,
        };
        self.change(position, after);
        true
    }

    fn remove(&mut self, position: Pos) -> bool {
        if self.entries.contains_key(&position) {
            self.forget(position);
            return true;
        }
        // A removal may have failed while another of the same message went on.
        if self.groups.find(position).is_none() {
            return false;
        }
        self.counts.ready -= 1;
        true
    }

    /// Removes messages sent before `oldest_kept` (milliseconds since the epoch), whatever their state, at most `max` of
    /// them, in no particular order. Costs nothing when there are none; otherwise looks through all that is in memory.
    pub(crate) fn expire(&mut self, oldest_kept: u64, max: usize) -> Vec<Pos> {
        if self.oldest >= oldest_kept {
            return Vec::new();
        }
        let mut gone = self.forget_where(max, |_, entry| entry.sent < oldest_kept);
        self.clear_lists(&mut gone, |groups, gone| groups.expire(oldest_kept, max, gone));
        if gone.len() < max {
            let entries = self.entries.values().map(|entry| entry.sent).min();
            self.oldest = entries.unwrap_or(u64::MAX).min(self.groups.oldest());
        }
        gone
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) -> Vec<Pos> {
        self.clear_through(Pos(u64::MAX))
    }

    /// Removes everything up to this position.
    pub(crate) fn clear_through(&mut self, last: Pos) -> Vec<Pos> {
        let mut gone = self.forget_where(usize::MAX, |position, _| position <= last);
        if last >= self.last {
            gone.reserve_exact(self.counts.ready);
        }
        self.clear_lists(&mut gone, |groups, gone| groups.clear_through(last, gone));
        gone
    }

    fn forget_where(&mut self, max: usize, gone: impl Fn(Pos, &Entry) -> bool) -> Vec<Pos> {
        let gone: Vec<Pos> = self
            .entries
            .iter()
            .filter(|(position, entry)| gone(**position, entry))
            .map(|(position, _)| *position)
            .take(max)
            .collect();
        for position in &gone {
            self.forget(*position);
        }
        gone
    }

    fn clear_lists(&mut self, gone: &mut Vec<Pos>, clear: impl FnOnce(&mut Groups, &mut Vec<Pos>)) {
        let entries = gone.len();
        clear(&mut self.groups, gone);
        self.counts.ready -= gone.len() - entries;
    }

    /// The latest position that ever was in the index; 0 when there was none.
    pub(crate) fn last(&self) -> Pos {
        self.last
    }

    /// When the next hidden message becomes ready.
    pub(crate) fn next_due(&self) -> Option<Monotonic> {
        self.hidden.first().map(|(at, _)| *at)
    }

    /// How many messages are in flight.
    pub(crate) fn in_flight(&mut self, now: Monotonic) -> usize {
        self.counts(now).in_flight
    }

    /// How many messages are in which state.
    pub(crate) fn counts(&mut self, now: Monotonic) -> Counts {
        self.wake(now);
        self.counts
    }

    /// Makes ready what is due.
    fn wake(&mut self, now: Monotonic) {
        while let Some((at, position)) = self.hidden.first().copied() {
            if at > now {
                return;
            }
            self.change(position, State::Ready);
        }
    }

    /// A message that is ready and untouched goes to its list.
    fn list(&mut self, group: Option<super::GroupTag>, item: Item) {
        self.groups.push(group, item);
        self.counts.ready += 1;
    }

    fn enter(&mut self, position: Pos, entry: Entry) {
        self.entries.insert(position, entry);
        self.count(position, entry.state);
        let place = entry.state.place(self.order);
        self.groups.shift(entry.group, position, Place::Away, place);
    }

    /// Removes an entry.
    fn forget(&mut self, position: Pos) {
        let Some(entry) = self.entries.remove(&position) else {
            return;
        };
        self.uncount(position, entry.state);
        let place = entry.state.place(self.order);
        self.groups.shift(entry.group, position, place, Place::Away);
    }

    /// An entry's state changes; a message that becomes ready untouched needs no entry any more.
    fn change(&mut self, position: Pos, to: State) {
        let Some(entry) = self.entries.get_mut(&position) else {
            return;
        };
        let from = std::mem::replace(&mut entry.state, to);
        let entry = *entry;
        self.uncount(position, from);
        let from = from.place(self.order);
        if to == State::Ready && entry.receives == 0 && !entry.spared {
            self.entries.remove(&position);
            self.groups.shift(entry.group, position, from, Place::Away);
            let sent = entry.sent;
            self.list(entry.group, Item { position, sent });
        } else {
            self.count(position, to);
            let to = to.place(self.order);
            self.groups.shift(entry.group, position, from, to);
        }
    }

    fn count(&mut self, position: Pos, state: State) {
        match state {
            State::Ready => self.counts.ready += 1,
            State::Delayed(until) => {
                self.counts.delayed += 1;
                self.hidden.insert((until, position));
            }
            State::InFlight(until) => {
                self.counts.in_flight += 1;
                self.hidden.insert((until, position));
            }
            State::Moving | State::Deleting(_) => {}
        }
    }

    fn uncount(&mut self, position: Pos, state: State) {
        match state {
            State::Ready => self.counts.ready -= 1,
            State::Delayed(until) => {
                self.counts.delayed -= 1;
                self.hidden.remove(&(until, position));
            }
            State::InFlight(until) => {
                self.counts.in_flight -= 1;
                self.hidden.remove(&(until, position));
            }
            State::Moving | State::Deleting(_) => {}
        }
    }

    /// Asserts what must hold between the parts.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let hidden = |entry: &&Entry| matches!(entry.state, State::Delayed(_) | State::InFlight(_));
        let returned = |entry: &&Entry| entry.state == State::Ready;
        assert_eq!(self.hidden.len(), self.entries.values().filter(hidden).count());
        let returned = self.entries.values().filter(returned).count();
        assert_eq!(self.counts.ready, returned + self.groups.check());
    }

    /// Whether nothing is left of any message.
    #[cfg(test)]
    pub(super) fn is_forgotten(&self) -> bool {
        self.entries.is_empty() && self.hidden.is_empty() && self.groups.is_forgotten()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.groups.heap_bytes()
            + super::tree_bytes(self.entries.len(), size_of::<(Pos, Entry)>())
            + super::tree_bytes(self.hidden.len(), size_of::<(Monotonic, Pos)>())
    }
}
