//! Changes of how long a message is hidden.

use super::message::Change;
use super::{MessageId, Model, Outcome};
use crate::world::Stamp;

/// Longest time a message may be hidden after a receive, milliseconds.
const HIDDEN_MS_MAX: u64 = 43_200_000;

impl Model {
    pub(crate) fn begin_change(
        &mut self,
        id: MessageId,
        delivery: usize,
        visibility: u64,
        now: Stamp,
    ) -> usize {
        let changes = &mut self.messages[id].changes;
        changes.push(Change {
            delivery,
            visibility,
            arrived: now,
            ended: None,
            outcome: None,
        });
        changes.len() - 1
    }

    /// `answer` is what the client was told when it was refused.
    pub(crate) fn end_change(
        &mut self,
        id: MessageId,
        change: usize,
        outcome: Outcome,
        answer: &str,
        served: Stamp,
    ) {
        let message = &mut self.messages[id];
        message.changes[change].ended = Some(served);
        message.changes[change].outcome = Some(outcome);
        if outcome != Outcome::Refused || answer == "unreachable" {
            return;
        }
        let message = &self.messages[id];
        let Change {
            delivery, visibility, ..
        } = message.changes[change];
        let lease = &message.deliveries[delivery];
        let is_held = lease.life == self.life
            && message.is_latest(delivery)
            && served.at < message.hidden_at_least(delivery, served)
            && served.at - lease.served.at + visibility < HIDDEN_MS_MAX;
        if is_held && !self.may_be_gone(message, served) && !self.queues[message.queue].is_ending {
            self.unexpected("ChangeMessageVisibility", answer);
        }
    }
}
