//! Which attributes a receiver asked for.

use super::content::Opened;
use super::envelope::Stored;
use super::errors::SqsError;
use super::index::Taken;
use super::queue::Queue;
use super::sequence;

/// Attributes that SQS adds to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SystemAttribute {
    ApproximateFirstReceiveTimestamp,
    ApproximateReceiveCount,
    AwsTraceHeader,
    DeadLetterQueueSourceArn,
    MessageDeduplicationId,
    MessageGroupId,
    SenderId,
    SentTimestamp,
    SequenceNumber,
}

impl SystemAttribute {
    const ALL: [Self; 9] = [
        Self::ApproximateFirstReceiveTimestamp,
        Self::ApproximateReceiveCount,
        Self::AwsTraceHeader,
        Self::DeadLetterQueueSourceArn,
        Self::MessageDeduplicationId,
        Self::MessageGroupId,
        Self::SenderId,
        Self::SentTimestamp,
        Self::SequenceNumber,
    ];

    /// The attributes that these names select.
    ///
    /// # Errors
    /// `InvalidAttributeName` for a name that SQS does not know.
    pub(crate) fn select(names: impl Iterator<Item = String>) -> Result<Vec<Self>, SqsError> {
        let mut selected = Vec::new();
        for name in names {
            match Self::ALL.into_iter().find(|attribute| attribute.name() == name) {
                Some(attribute) => selected.push(attribute),
                None if name == "All" => selected.extend(Self::ALL),
                None => return Err(SqsError::InvalidAttributeName(name)),
            }
        }
        Ok(selected)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ApproximateFirstReceiveTimestamp => "ApproximateFirstReceiveTimestamp",
            Self::ApproximateReceiveCount => "ApproximateReceiveCount",
            Self::AwsTraceHeader => "AWSTraceHeader",
            Self::DeadLetterQueueSourceArn => "DeadLetterQueueSourceArn",
            Self::MessageDeduplicationId => "MessageDeduplicationId",
            Self::MessageGroupId => "MessageGroupId",
            Self::SenderId => "SenderId",
            Self::SentTimestamp => "SentTimestamp",
            Self::SequenceNumber => "SequenceNumber",
        }
    }

    /// The attribute of a message that was just taken; `None` when it has none.
    pub(crate) fn value(
        self,
        queue: &Queue,
        taken: &Taken,
        stored: &Stored,
        opened: &Opened<'_>,
    ) -> Option<String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        match self {
            Self::ApproximateFirstReceiveTimestamp => Some(taken.first_received.to_string()),
            Self::ApproximateReceiveCount => Some(taken.receives.to_string()),
            Self::AwsTraceHeader => text(opened.trace_header),
            Self::DeadLetterQueueSourceArn => text(stored.origin()?.dead_letter_of.as_deref()),
            Self::MessageDeduplicationId => text(opened.deduplication),
            Self::MessageGroupId => text(opened.group),
            Self::SenderId => text(Some(opened.sender)),
            Self::SentTimestamp => Some(stored.label.sent.to_string()),
            Self::SequenceNumber => queue.is_fifo().then(|| sequence::number(taken.position)),
        }
    }
}

/// Which message attributes to return.
#[derive(Debug)]
pub(crate) struct AttributeSelection {
    names: Vec<String>,
}

impl AttributeSelection {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the attribute was asked for: by name, by `prefix.*`, by `All` or `.*`.
    ///
    /// Source: SQS API Reference, `ReceiveMessage`, `MessageAttributeNames` (read 2026-11-21).
    pub(crate) fn includes(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| {
            wanted == name
                || wanted == "All"
                || wanted
                    .strip_suffix(".*")
                    .is_some_and(|prefix| prefix.is_empty() || name.starts_with(prefix))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::AttributeSelection;

    fn selection(names: &[&str]) -> AttributeSelection {
        AttributeSelection::new(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn all_selects_every_attribute() {
        assert!(selection(&["All"]).includes("a"));
        assert!(selection(&[".*"]).includes("a"));
    }

    #[test]
    fn a_prefix_selects_what_begins_so() {
        assert!(selection(&["bar.*"]).includes("bar.foo"));
        assert!(!selection(&["bar.*"]).includes("foo"));
    }

    #[test]
    fn no_names_select_nothing() {
        assert!(!selection(&[]).includes("a"));
    }
}
