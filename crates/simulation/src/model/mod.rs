//! What SQS promises, as a judge of histories. It knows nothing of how the server works.
//!
//! Every operation has an arrival (the server may begin it), an end (the server answered, or the client lost it), and an
//! outcome. What is unknown is kept as unknown: each check holds only where every possible course of events breaks the
//! promise, so that a report is always a defect.
//!
//! The promises: what was acknowledged is received until it is deleted, expires, is purged, or its queue ends; nothing is
//! received that was not sent, or altered; what was received or delayed is hidden until its time, and seen at once after it,
//! also by those who wait; what was deleted does not return. A crash may end a time of hiding early, and nothing else.

mod change;
mod dead_letter;
mod fifo;
mod judge;
mod message;
mod queue;
mod receive;
mod removal;

pub(crate) use fifo::Fifo;
use message::Sent;
pub(crate) use message::{Delivery, Draft, Message};
pub(crate) use queue::{FifoSettings, Queue, QueueId};
pub(crate) use receive::Got;
pub(crate) use removal::{RemovalId, Scope};

use crate::world::Stamp;
use receive::{Receive, Suspicion};
use removal::Removal;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Nothing was done.
    Refused,
    /// It may have been done, be done yet, or show at the next start.
    Unknown,
}

/// Number of a message.
pub(crate) type MessageId = usize;

/// See the module.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) queues: Vec<Queue>,
    pub(crate) messages: Vec<Message>,
    receives: Vec<Receive>,
    suspicions: Vec<Suspicion>,
    removals: Vec<Removal>,
    /// Number of the server's life.
    pub(crate) life: u32,
    /// Whether the disk was made to fail in this life, so that errors are expected.
    pub(crate) trouble: bool,
    /// Whether it ever was.
    pub(crate) ever_trouble: bool,
    /// When the last life that had trouble ended.
    trouble_before: Stamp,
    /// The first broken promise.
    pub(crate) violation: Option<String>,
}

impl Model {
    /// Notes a broken promise.
    pub(crate) fn broken(&mut self, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    /// The disk fails from now on.
    pub(crate) fn has_trouble(&mut self) {
        self.trouble = true;
        self.ever_trouble = true;
    }

    /// The server's life has ended.
    pub(crate) fn crash(&mut self, now: Stamp) {
        self.life += 1;
        if std::mem::take(&mut self.trouble) {
            self.trouble_before = now;
        }
    }

    /// Whether the server had a reason to fail what it answered then.
    pub(crate) fn expects_failures(&self, served: Stamp) -> bool {
        self.trouble || served <= self.trouble_before
    }

    /// Notes an answer that the server had no reason to give.
    pub(crate) fn unexpected(&mut self, operation: &str, answer: &str) {
        self.broken(|| format!("{operation} was answered `{answer}` without a reason"));
    }

    /// Adds a message that is about to be sent.
    pub(crate) fn begin_send(&mut self, queue: QueueId, draft: Draft, now: Stamp) -> MessageId {
        let id = self.messages.len();
        let message = Message::new(queue, draft, now);
        self.messages.push(message);
        self.join_running_removals(id);
        id
    }

    /// The send has ended; `answer` is what the sender was told of it.
    pub(crate) fn end_send(
        &mut self,
        id: MessageId,
        outcome: Outcome,
        answer: &serde_json::Value,
        served: Stamp,
    ) {
        let message = &mut self.messages[id];
        match outcome {
            Outcome::Refused => {
                if message.sent == Sent::Pending && message.deliveries.is_empty() {
                    message.sent = Sent::Refused;
                } else {
                    self.broken(|| format!("message {id} was received and its sender was refused"));
                }
            }
            Outcome::Unknown => {
                if message.sent == Sent::Pending {
                    message.sent = Sent::Unknown;
                }
            }
            Outcome::Done => {
                if let Err(broken) = self.acknowledged(id, answer, served) {
                    self.broken(|| broken);
                }
            }
        }
    }

    /// The sender was told that the message is sent.
    fn acknowledged(
        &mut self,
        id: MessageId,
        answer: &serde_json::Value,
        served: Stamp,
    ) -> Result<(), String> {
        let told = answer["MessageId"].as_str().unwrap_or_default();
        let sequence = answer["SequenceNumber"].as_str();
        let original = self.check_duplicate(id, told, served)?;
        let message = &mut self.messages[id];
        message.md5 = answer["MD5OfMessageBody"].as_str().map(str::to_owned);
        if let Some(original) = original {
            message.sent = Sent::Duplicate(original);
            let theirs = &self.messages[original].sequence;
            return match (theirs, sequence) {
                (Some(theirs), Some(ours)) if theirs != ours => Err(format!(
                    "message {id} is a duplicate of message {original} and was told another sequence number, {ours}"
                )),
                _ => Ok(()),
            };
        }
        let seen = message.id.replace(told.to_owned());
        message.sent = Sent::Acknowledged(served);
        if told.is_empty() || seen.as_ref().is_some_and(|seen| seen != told) {
            return Err(format!(
                "the sender of message {id} was told the id `{told}`, its receiver {seen:?}"
            ));
        }
        if message.draft.fifo.is_some() {
            message.sequence = sequence.map(str::to_owned);
            self.check_sequence(id)?;
        }
        Ok(())
    }
}
