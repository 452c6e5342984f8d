//! A message that is more than ready and untouched: what is remembered of it.

use super::groups::Place;
use super::{GroupTag, Monotonic, Order, Taken};
use bulla_storage::Pos;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// Not yet delivered: a delay runs.
    Delayed(Monotonic),
    /// Delivered and not yet deleted.
    InFlight(Monotonic),
    /// On the way to the dead-letter queue.
    Moving,
    /// Its deletion is on the way to the disk; nobody receives it meanwhile. If that fails it is hidden until this time,
    /// as its receiver was promised.
    Deleting(Monotonic),
}

impl State {
    /// Until when its receiver may keep it; the beginning of time when nobody has it.
    pub(super) fn leased_until(self) -> Monotonic {
        match self {
            Self::InFlight(until) | Self::Deleting(until) => until,
            Self::Ready | Self::Delayed(_) | Self::Moving => Monotonic(0),
        }
    }

    /// Where a message in this state counts in its group.
    pub(super) fn place(self, order: Order) -> Place {
        match self {
            Self::Ready => Place::Kept { ready: true },
            Self::Delayed(_) if order == Order::Fifo => Place::Kept { ready: false },
            Self::Delayed(_) => Place::Away,
            Self::InFlight(_) | Self::Moving | Self::Deleting(_) => Place::Held,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Milliseconds since the epoch.
    pub(super) sent: u64,
    pub(super) group: Option<GroupTag>,
    /// Its move to the dead-letter queue was refused: it is handed out once more first.
    pub(super) spared: bool,
    pub(super) receives: u32,
    /// Milliseconds since the epoch; zero before the first receive.
    pub(super) first_received: u64,
    /// When the latest receive was.
    pub(super) leased: Monotonic,
    pub(super) state: State,
}

impl Entry {
    pub(super) fn new(sent: u64, group: Option<GroupTag>, state: State) -> Self {
        Self {
            sent,
            group,
            spared: false,
            receives: 0,
            first_received: 0,
            leased: Monotonic(0),
            state,
        }
    }

    pub(super) fn taken(&self, position: Pos) -> Taken {
        Taken {
            position,
            sent: self.sent,
            receives: self.receives,
            first_received: self.first_received,
            group: self.group,
        }
    }
}
