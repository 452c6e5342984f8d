//! What FIFO queues promise on top: order within a group, one consumer of a group at a time, and that what is sent twice
//! within five minutes is there once.

use super::message::{Message, Sent};
use super::receive::ReceiveId;
use super::{MessageId, Model};
use crate::world::Stamp;
use serde_json::Value;

/// How long a deduplication id is remembered, milliseconds.
pub(crate) const WINDOW_MS: u64 = 300_000;

/// What a FIFO message carries.
#[derive(Clone, Debug)]
pub(crate) struct Fifo {
    pub(crate) group: String,
    /// As sent; with none the body itself counts.
    pub(crate) deduplication: Option<String>,
    /// What the message is a duplicate of others by: the id or the body, and the group where that is the scope.
    pub(crate) tag: String,
}

impl Message {
    /// The group's name, in FIFO queues.
    fn group(&self) -> Option<&str> {
        Some(self.draft.fifo.as_ref()?.group.as_str())
    }

    fn is_sibling(&self, other: &Self) -> bool {
        self.queue == other.queue && self.group().is_some() && self.group() == other.group()
    }

    /// Whether both are one.
    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// Whether both have one deduplication id.
    fn is_twin(&self, other: &Self) -> bool {
        let tag = |message: &Self| message.draft.fifo.as_ref().map(|fifo| fifo.tag.clone());
        !std::ptr::eq(self, other)
            && self.queue == other.queue
            && tag(self).is_some()
            && tag(self) == tag(other)
    }

    /// Whether it may be a message of its own: sent, and not found to be a duplicate.
    pub(crate) fn is_possible(&self) -> bool {
        !matches!(self.sent, Sent::Refused | Sent::Duplicate(_))
    }
}

impl Model {
    /// A sender was told this id: was it right to send, or not to send?
    ///
    /// Answers the message that it is a duplicate of, if it is one.
    pub(super) fn check_duplicate(
        &self,
        id: MessageId,
        told: &str,
        served: Stamp,
    ) -> Result<Option<MessageId>, String> {
        let message = &self.messages[id];
        for (number, other) in self.messages.iter().enumerate() {
            if !other.is_twin(message) || !other.is_possible() {
                continue;
            }
            if other.id.as_deref() == Some(told) {
                let latest = other
                    .sent_by()
                    .map_or(u64::MAX, |sent| sent.at.saturating_add(WINDOW_MS));
                if message.arrived.at >= latest {
                    return Err(format!(
                        "message {id} was taken for a duplicate of message {number} after five minutes"
                    ));
                }
                return Ok(Some(number));
            }
            let must_be = other.sent_by().is_some_and(|sent| sent < message.arrived)
                && served.at < other.arrived.at + WINDOW_MS
                && !self.is_ambiguous(other)
                && !self.may_be_forgotten(other, served);
            if must_be {
                return Err(format!(
                    "message {id} was sent although it is a duplicate of message {number}: it was told the id {told}"
                ));
            }
        }
        Ok(None)
    }

    /// Whether the id that the sender was told may be that of another message of the same deduplication id, of whose send
    /// nothing is known, or which was sent at the same time.
    pub(crate) fn is_ambiguous(&self, message: &Message) -> bool {
        message.deliveries.is_empty()
            && message.draft.fifo.is_some()
            && self.messages.iter().any(|other| {
                let unknown = matches!(other.sent, Sent::Pending | Sent::Unknown);
                let joined = match other.sent {
                    Sent::Duplicate(original) => self.messages[original].is(message),
                    Sent::Pending
                    | Sent::Unknown
                    | Sent::Refused
                    | Sent::Acknowledged(_)
                    | Sent::Found(_) => false,
                };
                (unknown || joined) && other.is_twin(message)
            })
    }

    /// A message was received under this id. When its sender was told that it is a duplicate, or nothing, and another of
    /// the same deduplication id was told this id, then this one is the original and that one the duplicate.
    pub(super) fn find_original(&mut self, id: MessageId, told: &str) {
        let message = &self.messages[id];
        if message.id.as_deref() == Some(told) || message.draft.fifo.is_none() {
            return;
        }
        let has = |other: &Message| {
            other.id.as_deref() == Some(told)
                && other.deliveries.is_empty()
                && other.is_twin(message)
                && other.sent_by().is_some_and(|sent| message.arrived < sent)
        };
        let Some(holder) = self.messages.iter().position(has) else {
            return;
        };
        let (sent, sequence) = (self.messages[holder].sent, self.messages[holder].sequence.clone());
        self.messages[holder].sent = Sent::Duplicate(id);
        self.messages[holder].id = None;
        let message = &mut self.messages[id];
        (message.sent, message.id, message.sequence) = (sent, Some(told.to_owned()), sequence);
    }

    /// Whether the message may have ended otherwise than by a delete: then its id may be free again.
    fn may_be_forgotten(&self, message: &Message, now: Stamp) -> bool {
        let is_delete = |end: &super::message::End| self.is_delete(end.removal);
        !message.ends.iter().all(is_delete)
            || now.at >= message.arrived.at + self.queues[message.queue].retention
    }

    /// Two messages of one deduplication id that are both there must have been sent five minutes apart.
    pub(super) fn check_twins(&self, id: MessageId) -> Result<(), String> {
        let message = &self.messages[id];
        let Some(sent) = message.timestamp else {
            return Ok(());
        };
        for (number, other) in self.messages.iter().enumerate() {
            let Some(at) = other.timestamp.filter(|_| other.is_twin(message)) else {
                continue;
            };
            let now = Stamp {
                order: u64::MAX,
                at: at.max(sent),
            };
            let forgotten = self.may_be_forgotten(if at < sent { other } else { message }, now);
            if at.abs_diff(sent) < WINDOW_MS && !forgotten {
                return Err(format!(
                    "messages {id} and {number} have one deduplication id, were sent at {sent} and {at} ms, and are both there"
                ));
            }
        }
        Ok(())
    }

    /// Sequence numbers rise from one send to the next.
    pub(super) fn check_sequence(&self, id: MessageId) -> Result<(), String> {
        let message = &self.messages[id];
        let Some(sequence) = &message.sequence else {
            return Err(format!("message {id} of a FIFO queue has no sequence number"));
        };
        let Some(sent) = message.sent_by() else {
            return Ok(());
        };
        for (number, other) in self.messages.iter().enumerate() {
            let (Some(theirs), Some(their_sent)) = (&other.sequence, other.sent_by()) else {
                continue;
            };
            if number == id
                || other.queue != message.queue
                || !other.is_possible()
                || self.is_ambiguous(other)
                || self.is_ambiguous(message)
            {
                continue;
            }
            let wrong = (their_sent < message.arrived && theirs >= sequence)
                || (sent < other.arrived && theirs <= sequence)
                || theirs == sequence;
            if wrong {
                return Err(format!(
                    "messages {number} and {id} have the sequence numbers {theirs} and {sequence}"
                ));
            }
        }
        Ok(())
    }

    /// Whether this message may be handed out now, given the others of its group. `before` are those that the same receive
    /// brought before it.
    pub(super) fn check_order(
        &self,
        id: MessageId,
        receive: ReceiveId,
        before: &[MessageId],
        served: Stamp,
    ) -> Result<(), String> {
        let message = &self.messages[id];
        let life = self.life_of(receive);
        for (number, other) in self.messages.iter().enumerate() {
            if number == id
                || !other.is_sibling(message)
                || !other.is_possible()
                || self.may_be_gone(other, served)
            {
                continue;
            }
            let is_first = other.present_since().is_some()
                && other.sequence.is_some()
                && other.sequence < message.sequence
                && !self.is_ambiguous(other);
            if before.contains(&number) {
                if other.sequence > message.sequence {
                    return Err(format!(
                        "one receive brought message {number} before message {id}"
                    ));
                }
                continue;
            }
            if is_first {
                return Err(format!(
                    "message {id} was received at {served:?} although message {number} of its group comes first and is not \
                     deleted"
                ));
            }
            let held = (0..other.deliveries.len()).find(|delivery| {
                other.deliveries[*delivery].life == life
                    && other.is_latest(*delivery)
                    && other.deliveries[*delivery].served < served
                    && served.at < other.hidden_at_least(*delivery, served)
            });
            if held.is_some() {
                return Err(format!(
                    "message {id} was received at {served:?} although message {number} of its group is in flight"
                ));
            }
        }
        Ok(())
    }

    /// Since when the message's group surely lets it out; `None` when it may not.
    pub(super) fn group_ready_since(&self, message: &Message) -> Option<u64> {
        if message.group().is_none() {
            return Some(0);
        }
        let mut since = 0;
        for other in &self.messages {
            if std::ptr::eq(other, message) || !other.is_sibling(message) || !other.is_possible() {
                continue;
            }
            let ended = other.ends.iter().find(|end| end.is_sure);
            if let Some(ended) = ended {
                since = since.max(self.ended_at(ended.removal)?);
                continue;
            }
            let is_later = other.sequence.is_some() && other.sequence > message.sequence;
            if !is_later {
                return None;
            }
            for delivery in 0..other.deliveries.len() {
                since = since.max(other.hidden_at_most(delivery)?);
            }
            if !other.ends.is_empty() {
                return None;
            }
        }
        Some(since)
    }

    /// Whether what a receiver was told of a FIFO message is what was sent.
    pub(super) fn check_fifo_content(&mut self, id: MessageId, json: &Value) -> Result<(), String> {
        let message = &mut self.messages[id];
        let attributes = &json["Attributes"];
        let Some(fifo) = &message.draft.fifo else {
            return Ok(());
        };
        if attributes["MessageGroupId"] != fifo.group.as_str() {
            return Err(format!("message {id} came with another group: {json}"));
        }
        if let Some(deduplication) = &fifo.deduplication
            && attributes["MessageDeduplicationId"] != deduplication.as_str()
        {
            return Err(format!("message {id} came with another deduplication id: {json}"));
        }
        let told = attributes["SequenceNumber"].as_str().unwrap_or_default();
        if message.sequence.get_or_insert_with(|| told.to_owned()) != told {
            return Err(format!(
                "message {id} has the sequence number {:?} and came as {told}",
                message.sequence
            ));
        }
        Ok(())
    }
}
