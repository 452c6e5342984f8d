//! A message: what was sent, how often it was received, and what else was done to it.

use super::fifo::Fifo;
use super::{MessageId, Outcome, QueueId, RemovalId};
use crate::world::Stamp;
use serde_json::Value;

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) body: String,
    /// As in the request, or null.
    pub(crate) attributes: Value,
    /// Milliseconds.
    pub(crate) delay: u64,
    pub(crate) sender: &'static str,
    /// In FIFO queues.
    pub(crate) fifo: Option<Fifo>,
    /// The group in standard queues, if there is one.
    pub(crate) fair_group: Option<String>,
}

/// What is known of the send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Pending,
    Acknowledged(Stamp),
    Refused,
    Unknown,
    /// Its outcome was unknown until somebody received the message, then.
    Found(Stamp),
    /// It was not sent again: that message has its deduplication id.
    Duplicate(MessageId),
}

/// That the message was handed to a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// From which queue: its own, or a dead-letter queue.
    pub(crate) queue: QueueId,
    pub(crate) life: u32,
    /// The how-manieth, as the receiver was told.
    pub(crate) count: u32,
    pub(crate) handle: String,
    pub(crate) served: Stamp,
    /// From when the message is surely hidden for the visibility timeout, milliseconds.
    pub(crate) hidden_from: u64,
    /// Milliseconds.
    pub(crate) visibility: u64,
}

impl Delivery {
    /// What rises from one delivery to the next of a message of this queue.
    fn key(&self, home: QueueId) -> (bool, u32, u32) {
        (self.queue != home, self.life, self.count)
    }
}

/// That somebody asked to hide the message for another time.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// With the handle of this delivery.
    pub(crate) delivery: usize,
    pub(crate) visibility: u64,
    pub(crate) arrived: Stamp,
    /// `None` as long as it runs.
    pub(crate) ended: Option<Stamp>,
    pub(crate) outcome: Option<Outcome>,
}

/// That something may have ended the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) removal: RemovalId,
    /// Whether it surely ended the message, once it is done.
    pub(crate) is_sure: bool,
    /// Whether it surely did not: the message was received after it was over.
    pub(crate) is_disproved: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) queue: QueueId,
    pub(crate) draft: Draft,
    pub(crate) arrived: Stamp,
    pub(crate) sent: Sent,
    pub(crate) id: Option<String>,
    pub(crate) md5: Option<String>,
    pub(crate) sequence: Option<String>,
    /// When it was sent, as receivers are told; the simulation's time.
    pub(crate) timestamp: Option<u64>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) changes: Vec<Change>,
    pub(crate) ends: Vec<End>,
}

impl Message {
    pub(crate) fn new(queue: QueueId, draft: Draft, arrived: Stamp) -> Self {
        Self {
            queue,
            draft,
            arrived,
            sent: Sent::Pending,
            id: None,
            md5: None,
            sequence: None,
            timestamp: None,
            deliveries: Vec::new(),
            changes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Whether something surely ended it.
    pub(crate) fn is_deleted(&self) -> bool {
        self.ends.iter().any(|end| end.is_sure)
    }

    /// Whether delivery `a` came after `b` in the same life.
    pub(crate) fn is_after(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.deliveries[a], &self.deliveries[b]);
        a.queue == b.queue && a.life == b.life && a.count > b.count
    }

    /// The dead-letter queue that it was received from, if it was.
    pub(crate) fn moved_to(&self) -> Option<QueueId> {
        let mut queues = self.deliveries.iter().map(|delivery| delivery.queue);
        queues.find(|queue| *queue != self.queue)
    }

    /// Whether nobody was handed the message after this delivery, as far as is known.
    pub(crate) fn is_latest(&self, delivery: usize) -> bool {
        let this = &self.deliveries[delivery];
        self.deliveries
            .iter()
            .all(|other| other.key(self.queue) <= this.key(self.queue))
    }

    /// Whether another change ran at the same time.
    fn is_alone(&self, change: &Change) -> bool {
        let Some(ended) = change.ended else { return false };
        self.changes.iter().all(|other| {
            std::ptr::eq(other, change)
                || other.arrived > ended
                || other.ended.is_some_and(|other| other < change.arrived)
        })
    }

    /// Until when a delivery surely hides the message from those who are answered at `before`, unless there is a crash.
    pub(crate) fn hidden_at_least(&self, delivery: usize, before: Stamp) -> u64 {
        let lease = &self.deliveries[delivery];
        let mut until = lease.hidden_from + lease.visibility;
        for change in &self.changes {
            if change.arrived > before || change.outcome == Some(Outcome::Refused) {
                continue;
            }
            let changed = change.arrived.at + change.visibility;
            let is_sure = change.outcome == Some(Outcome::Done)
                && change.delivery == delivery
                && change.ended.is_some_and(|ended| ended < before)
                && self.is_alone(change);
            until = if is_sure { changed } else { until.min(changed) };
        }
        until
    }

    /// Until when a delivery may hide the message; `None` while that is being changed.
    pub(crate) fn hidden_at_most(&self, delivery: usize) -> Option<u64> {
        let lease = &self.deliveries[delivery];
        let mut until = lease.served.at + lease.visibility;
        for change in &self.changes {
            let changed = change.ended?.at + change.visibility;
            match change.outcome? {
                Outcome::Refused => {}
                Outcome::Done if change.delivery == delivery && self.is_alone(change) => {
                    until = changed;
                }
                Outcome::Done | Outcome::Unknown => until = until.max(changed),
            }
        }
        Some(until)
    }
}
