//! What makes a queue first-in-first-out.
//!
//! Source: SQS API Reference, `CreateQueue` and `SetQueueAttributes`; the wording of refusals is that of recorded
//! answers (read 2026-11-21).

use super::{boolean, invalid};
use crate::sqs::errors::SqsError;
use std::collections::BTreeMap;

/// The attributes that only FIFO queues have. That a queue is one is in its name and never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fifo {
    /// Whether a message without a deduplication id gets the SHA-256 of its body.
    pub(crate) content_based_deduplication: bool,
    pub(crate) deduplication_scope: DeduplicationScope,
    pub(crate) throughput_limit: ThroughputLimit,
}

/// Among which messages a deduplication id is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeduplicationScope {
    #[default]
    Queue,
    MessageGroup,
}

/// What the throughput quota of FIFO queues applies to. Calls are not limited by rate here, so this is only a choice
/// that reads back and that must fit the scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ThroughputLimit {
    #[default]
    PerQueue,
    PerMessageGroupId,
}

impl DeduplicationScope {
    const fn text(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::MessageGroup => "messageGroup",
        }
    }
}

impl ThroughputLimit {
    const fn text(self) -> &'static str {
        match self {
            Self::PerQueue => "perQueue",
            Self::PerMessageGroupId => "perMessageGroupId",
        }
    }
}

impl Fifo {
    /// Changes one attribute. The combination is checked by [`Fifo::check`], when all are set.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        match name {
            "FifoQueue" if boolean(name, value)? => {}
            "FifoQueue" => {
                return Err(SqsError::InvalidAttributeValue(
                    "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.".into(),
                ));
            }
            "ContentBasedDeduplication" => self.content_based_deduplication = boolean(name, value)?,
            "DeduplicationScope" => {
                self.deduplication_scope = [DeduplicationScope::Queue, DeduplicationScope::MessageGroup]
                    .into_iter()
                    .find(|scope| scope.text() == value)
                    .ok_or_else(|| invalid(name))?;
            }
            "FifoThroughputLimit" => {
                self.throughput_limit = [ThroughputLimit::PerQueue, ThroughputLimit::PerMessageGroupId]
                    .into_iter()
                    .find(|limit| limit.text() == value)
                    .ok_or_else(|| invalid(name))?;
            }
            _ => return Err(SqsError::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    /// Whether scope and limit fit each other.
    pub(super) fn check(self) -> Result<(), SqsError> {
        match (self.throughput_limit, self.deduplication_scope) {
            (ThroughputLimit::PerMessageGroupId, DeduplicationScope::Queue) => {
                Err(SqsError::InvalidAttributeValue(
                    "Invalid value for the parameter FifoThroughputLimit. Reason: To set FifoThroughputLimit to \
                     perMessageGroupId, the DeduplicationScope must be messageGroup."
                        .into(),
                ))
            }
            (ThroughputLimit::PerMessageGroupId, DeduplicationScope::MessageGroup)
            | (ThroughputLimit::PerQueue, _) => Ok(()),
        }
    }

    pub(super) fn echo(self, echo: &mut BTreeMap<&'static str, String>) {
        echo.insert("FifoQueue", "true".to_owned());
        echo.insert(
            "ContentBasedDeduplication",
            self.content_based_deduplication.to_string(),
        );
        echo.insert("DeduplicationScope", self.deduplication_scope.text().to_owned());
        echo.insert("FifoThroughputLimit", self.throughput_limit.text().to_owned());
    }
}

/// What a standard queue answers to an attribute of FIFO queues.
pub(super) fn only_for_fifo(name: &str) -> SqsError {
    match name {
        "DeduplicationScope" | "FifoThroughputLimit" => SqsError::FifoAttribute(name.to_owned()),
        _ => SqsError::InvalidAttributeName(name.to_owned()),
    }
}
