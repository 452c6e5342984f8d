//! Dead-letter queues: a message goes there after as many receives as its queue allows, once, as it is, and not before.

use super::message::{Delivery, Message};
use super::receive::ReceiveId;
use super::{MessageId, Model, QueueId};
use serde_json::Value;

impl Model {
    /// Whether the message may be in the dead-letter queue although nobody has received it there.
    pub(super) fn may_have_moved(&self, message: &Message) -> bool {
        let Some((_, max)) = self.queues[message.queue].redrive else {
            return false;
        };
        message.moved_to().is_none() && self.receives_at_most(message) >= max
    }

    /// How often the message may have been received from its own queue.
    fn receives_at_most(&self, message: &Message) -> u32 {
        let own = message
            .deliveries
            .iter()
            .filter(|delivery| delivery.queue == message.queue);
        let seen = own.map(|delivery| delivery.count).max().unwrap_or(0);
        // After a crash a count may begin at an older number, never at a higher one.
        seen.saturating_add(self.unseen_receives(message.queue))
    }

    /// Whether a message may come from this queue, and what the answer must say of it then.
    pub(super) fn check_place(&self, id: MessageId, receive: ReceiveId, json: &Value) -> Result<(), String> {
        let message = &self.messages[id];
        let from = self.queue_of(receive);
        let source = json["Attributes"]["DeadLetterQueueSourceArn"].as_str();
        if from == message.queue {
            let arrived = self.arrival_of(receive);
            let elsewhere = |delivery: &&Delivery| delivery.queue != from && delivery.served < arrived;
            if let Some(Delivery { queue, .. }) = message.deliveries.iter().find(elsewhere) {
                return Err(format!(
                    "message {id} was moved to queue {queue} and came back from queue {from}"
                ));
            }
            let count = super::receive::number(json, "ApproximateReceiveCount").unwrap_or(0);
            if let Some((_, max)) = self.queues[from].redrive
                && count > u64::from(max)
                && !self.ever_trouble
            {
                return Err(format!(
                    "message {id} was received {count} times, {max} are allowed"
                ));
            }
            return match source {
                Some(source) => Err(format!(
                    "message {id} says that it came from `{source}`, and was never moved"
                )),
                None => Ok(()),
            };
        }
        let Some((_, max)) = self.queues[message.queue]
            .redrive
            .filter(|(target, _)| *target == from)
        else {
            return Err(format!(
                "message {id} of queue {} came from queue {from}",
                message.queue
            ));
        };
        if self.receives_at_most(message) < max {
            return Err(format!(
                "message {id} was moved to queue {from} after fewer than {max} receives"
            ));
        }
        let home = &self.queues[message.queue].name;
        if source.is_none_or(|source| !source.ends_with(&format!(":{home}"))) {
            return Err(format!(
                "message {id} of `{home}` says that it came from {source:?}"
            ));
        }
        Ok(())
    }

    /// Whether it is another queue's dead-letter queue.
    pub(crate) fn takes_dead_letters(&self, queue: QueueId) -> bool {
        let is_target = |redrive: (QueueId, u32)| redrive.0 == queue;
        self.queues
            .iter()
            .any(|other| other.redrive.is_some_and(is_target))
    }

    /// Whether messages of one queue may be in the other.
    pub(crate) fn is_related(&self, message: QueueId, queue: QueueId) -> bool {
        let target = self.queues[message].redrive.map(|(target, _)| target);
        message == queue || target == Some(queue)
    }
}
