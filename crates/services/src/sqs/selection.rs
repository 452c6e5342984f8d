//! Which attributes a receiver asked for.

use super::content::Content;
use super::errors::SqsError;
use super::index::Taken;

/// Attributes that SQS adds to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SystemAttribute {
    ApproximateFirstReceiveTimestamp,
    ApproximateReceiveCount,
    AwsTraceHeader,
    SenderId,
    SentTimestamp,
}

/// Attributes of AWS that messages of standard queues never carry.
const ABSENT: [&str; 4] = [
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SequenceNumber",
];

impl SystemAttribute {
    const ALL: [Self; 5] = [
        Self::ApproximateFirstReceiveTimestamp,
        Self::ApproximateReceiveCount,
        Self::AwsTraceHeader,
        Self::SenderId,
        Self::SentTimestamp,
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
                None if ABSENT.contains(&name.as_str()) => {}
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
            Self::SenderId => "SenderId",
            Self::SentTimestamp => "SentTimestamp",
        }
    }

    /// The attribute of a message that was just taken.
    pub(crate) fn value(self, taken: &Taken, content: &Content) -> Option<String> {
        match self {
            Self::ApproximateFirstReceiveTimestamp => Some(taken.first_received.to_string()),
            Self::ApproximateReceiveCount => Some(taken.receives.to_string()),
            Self::AwsTraceHeader => content.trace_header.clone(),
            Self::SenderId => Some(content.sender.clone()),
            Self::SentTimestamp => Some(taken.sent.to_string()),
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
