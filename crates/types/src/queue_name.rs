//! Queue names.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

/// 1 to 80 letters, digits, hyphens and underscores; a FIFO queue's name ends in `.fifo`, which counts.
///
/// Source: SQS API Reference, `CreateQueue` (read 2026-11-21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName(Inline<80>);

impl QueueName {
    /// Parses a queue name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new(
            "queue name",
            "can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        );
        let stem = text.strip_suffix(".fifo").unwrap_or(text);
        let well_formed = !stem.is_empty()
            && stem
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !well_formed {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it names a FIFO queue.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.as_str().strip_suffix(".fifo").is_some()
    }
}

text_traits!(QueueName);

#[cfg(test)]
mod tests {
    use super::QueueName;

    #[test]
    fn names_of_up_to_eighty_characters_are_queue_names() {
        for text in ["a", "orders_2-b", "orders.fifo", &"x".repeat(80)] {
            assert_eq!(QueueName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            ".fifo",
            "a.b",
            "a b",
            "ü",
            &"x".repeat(81),
            &format!("{}.fifo", "x".repeat(76)),
        ] {
            assert!(QueueName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_suffix_makes_a_queue_fifo() {
        assert!(QueueName::parse("orders.fifo").unwrap().is_fifo());
        assert!(!QueueName::parse("orders_fifo").unwrap().is_fifo());
    }
}
