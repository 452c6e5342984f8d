//! What one queue holds, in memory: which messages are ready, hidden or in flight, and since when.
//!
//! The log is the truth; this is rebuilt from it at start. It keeps no bodies, does no IO and reads no clock.
//!
//! A message that is ready and was never received costs a few bytes: its position and sent time, as differences to the message
//! before, in a chunk (`chunk`, `backlog`). Only what is in flight, delayed, on its way out, or was received before has an entry
//! (`entry`), and there are never many of those: what was received before is handed out first. Whose turn it is, `groups`
//! knows. So what a receive costs depends neither on how much is there nor on what was there before.
//!
//! What must stay true:
//!
//! - a message is in one state only, and is handed to one receiver at a time;
//! - a message older than the queue keeps it is never handed out, whether it was swept away already or not;
//! - in a FIFO queue a group with a message in flight, moving or being deleted hands out nothing more, and its messages are
//!   handed out in order of position.

mod backlog;
mod chunk;
mod entry;
mod groups;
mod messages;
#[cfg(test)]
mod tests;
mod time;

use bulla_storage::Pos;
pub(crate) use messages::Index;
use std::time::Duration;
pub(crate) use time::{Moment, Monotonic};

/// In which order a queue hands out its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Oldest first, as far as messages are ready. With groups, the group with the fewest messages in flight first, ties by
    /// oldest message; messages without a group are a group of their own.
    Standard,
    /// Strictly by position within a group. A receive goes on within a group before it turns to the next, oldest first.
    Fifo,
}

/// A message group of this queue: a keyed tag of its name, so that the names lie sealed only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupTag(pub(crate) [u8; 16]);

/// A message as it enters the index, from a send or from the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) position: Pos,
    /// Milliseconds since the epoch.
    pub(crate) sent: u64,
    pub(crate) group: Option<GroupTag>,
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

/// What a receiver asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// At most so many messages.
    pub(crate) max: usize,
    /// How long they are hidden from others.
    pub(crate) visibility: Duration,
    /// Messages that were received so often are not handed out but put aside, to be moved to the dead-letter queue.
    pub(crate) receives_max: Option<u32>,
    /// Messages sent before are not handed out but dropped, milliseconds since the epoch.
    pub(crate) oldest_kept: u64,
}

/// A message that was just handed out, or put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) position: Pos,
    /// Milliseconds since the epoch.
    pub(crate) sent: u64,
    /// Receives of the message, this one included; of a dead message, those it had.
    pub(crate) receives: u32,
    /// Milliseconds since the epoch.
    pub(crate) first_received: u64,
    pub(crate) group: Option<GroupTag>,
}

/// What a receiver gets.
///
/// When `taken` is empty and something else is not, there may be more: see to the rest and take again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hand {
    /// For the receiver, in order.
    pub(crate) taken: Vec<Taken>,
    /// Received too often: nobody gets them, and their FIFO group waits, until `end_removal` says that they are durably in
    /// the dead-letter queue, or `put_back` makes them ready again.
    pub(crate) dead: Vec<Taken>,
    /// Too old, and no longer in the index: to be deleted from the log.
    pub(crate) expired: Vec<Pos>,
}

/// A `take` puts aside no more dead and expired messages than this, so that it ends soon.
pub(crate) const ASIDE_MAX: usize = 256;

/// Whether a message is being removed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Nobody receives it from now on; `end_removal` must follow.
    Begun,
    /// There is no such message.
    Gone,
    /// It was received again since, or never by this receipt.
    ReceivedAgain,
    /// FIFO: its visibility timeout is over.
    Expired,
}

/// How many messages are in which state. What is on the way to the dead-letter queue or out of the queue counts nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Visible, also when their FIFO group waits.
    pub(crate) ready: usize,
    pub(crate) in_flight: usize,
    pub(crate) delayed: usize,
}

/// Why a lease could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseRefusal {
    /// The message is gone, or nobody received it.
    Gone,
    /// The message is not in flight under this receipt.
    NotInFlight,
    /// The message would be hidden for longer than allowed since it was received.
    TooLong,
}

/// What a B-tree of so many elements of this size takes, about: its nodes are two thirds full.
#[cfg(test)]
fn tree_bytes(elements: usize, bytes: usize) -> usize {
    elements * (bytes + 2) * 3 / 2
}
