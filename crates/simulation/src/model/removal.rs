//! What ends messages: deletes, purges, the deletion of their queue.

use super::message::{Delivery, End};
use super::{MessageId, Model, Outcome, QueueId};
use crate::world::Stamp;

/// Number of a removal.
pub(crate) type RemovalId = usize;

/// What a removal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One message, with the handle of one of its deliveries.
    Message(MessageId, usize),
    /// Everything that was sent to the queue before.
    Purge(QueueId),
    /// The queue itself.
    Queue(QueueId),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    pub(crate) scope: Scope,
    pub(crate) life: u32,
    pub(crate) arrived: Stamp,
    pub(crate) ended: Option<Stamp>,
    pub(crate) outcome: Option<Outcome>,
}

impl Removal {
    /// Whether nothing can come of it any more that has not: it was answered, or the server that did it is gone.
    pub(crate) fn is_over(&self, life: u32, before: Stamp) -> bool {
        let ended = self.ended.is_some_and(|ended| ended < before);
        ended && (self.life < life || self.outcome == Some(Outcome::Done))
    }
}

impl Model {
    /// Whether it is a delete, which leaves the deduplication id known.
    pub(super) fn is_delete(&self, id: RemovalId) -> bool {
        matches!(self.removals[id].scope, Scope::Message(..))
    }

    /// When it was over.
    pub(super) fn ended_at(&self, id: RemovalId) -> Option<u64> {
        Some(self.removals[id].ended?.at)
    }

    /// A delete of a FIFO message was refused: was its time over?
    pub(crate) fn refused_delete(&mut self, held: (MessageId, usize), why: &str, served: Stamp) {
        let message = &self.messages[held.0];
        let lease = &message.deliveries[held.1];
        let is_held = lease.life == self.life
            && message.is_latest(held.1)
            && served.at < message.hidden_at_least(held.1, served);
        let others = message.ends.len() > 1 && self.may_be_gone(message, served);
        if is_held && !others && !self.queues[message.queue].is_ending {
            self.unexpected("DeleteMessage", why);
        }
    }

    /// A delete of a FIFO message was done: was its time not over yet?
    fn check_expired(&mut self, id: MessageId, delivery: usize, arrived: Stamp) {
        let message = &self.messages[id];
        let lease = &message.deliveries[delivery];
        if message.draft.fifo.is_none() || lease.life != self.life || message.ends.len() > 1 {
            return;
        }
        if let Some(hidden) = message.hidden_at_most(delivery)
            && hidden < arrived.at
            && arrived.at < message.arrived.at + self.queues[message.queue].retention
        {
            self.broken(|| {
                format!(
                    "message {id} was deleted at {arrived:?} with a handle that had expired at {hidden} ms"
                )
            });
        }
    }

    /// Whether the removal behind this end was acknowledged.
    pub(crate) fn is_done(&self, end: &End) -> bool {
        self.removals[end.removal].outcome == Some(Outcome::Done)
    }

    pub(crate) fn begin_removal(&mut self, scope: Scope, now: Stamp) -> RemovalId {
        let removal = self.removals.len();
        self.removals.push(Removal {
            scope,
            life: self.life,
            arrived: now,
            ended: None,
            outcome: None,
        });
        let end = End {
            removal,
            is_sure: false,
            is_disproved: false,
        };
        match scope {
            Scope::Message(message, _) => self.messages[message].ends.push(end),
            Scope::Purge(queue) | Scope::Queue(queue) => {
                if matches!(scope, Scope::Queue(_)) {
                    self.queues[queue].is_ending = true;
                }
                for id in 0..self.messages.len() {
                    if self.is_related(self.messages[id].queue, queue) {
                        self.messages[id].ends.push(end);
                    }
                }
            }
        }
        removal
    }

    /// A purge or a deletion that runs may also end what is sent meanwhile.
    pub(super) fn join_running_removals(&mut self, id: MessageId) {
        let home = self.messages[id].queue;
        let target = self.queues[home].redrive.map(|(target, _)| target);
        let message = &mut self.messages[id];
        for (number, removal) in self.removals.iter().enumerate() {
            let (Scope::Purge(queue) | Scope::Queue(queue)) = removal.scope else {
                continue;
            };
            let may_act = removal.ended.is_none() || removal.outcome == Some(Outcome::Unknown);
            if (queue == home || target == Some(queue))
                && may_act
                && removal.outcome != Some(Outcome::Refused)
            {
                message.ends.push(End {
                    removal: number,
                    is_sure: false,
                    is_disproved: false,
                });
            }
        }
    }

    pub(crate) fn end_removal(&mut self, id: RemovalId, outcome: Outcome, served: Stamp) {
        let removal = &mut self.removals[id];
        removal.ended = Some(served);
        removal.outcome = Some(outcome);
        let removal = removal.clone();
        if outcome != Outcome::Done {
            return;
        }
        if let Scope::Message(message, delivery) = removal.scope {
            self.check_expired(message, delivery, removal.arrived);
        }
        for number in 0..self.messages.len() {
            let Some(at) = self.messages[number]
                .ends
                .iter()
                .position(|end| end.removal == id)
            else {
                continue;
            };
            let is_sure = match removal.scope {
                Scope::Queue(_) => true,
                Scope::Purge(queue) => {
                    let message = &self.messages[number];
                    let sent = message.present_since();
                    let there =
                        |delivery: &Delivery| delivery.queue == queue && delivery.served < removal.arrived;
                    let is_there = match self.queues[message.queue].redrive {
                        None => true,
                        Some(_) => queue != message.queue && message.deliveries.iter().any(there),
                    };
                    is_there && sent.is_some_and(|sent| sent < removal.arrived)
                }
                Scope::Message(_, delivery) => self.is_effective(number, delivery, served),
            };
            self.messages[number].ends[at].is_sure = is_sure;
        }
    }

    /// Whether a delete with the handle of this delivery surely ended the message: nobody can have received it since.
    fn is_effective(&self, id: MessageId, delivery: usize, served: Stamp) -> bool {
        let message = &self.messages[id];
        if !message.is_latest(delivery) {
            return false;
        }
        let lease = &message.deliveries[delivery];
        let is_held = lease.life == self.life && served.at < message.hidden_at_least(delivery, served);
        let may_move = lease.queue == message.queue && self.queues[message.queue].redrive.is_some();
        is_held || !(may_move || self.may_be_taken_since(lease.queue, lease.served))
    }
}
