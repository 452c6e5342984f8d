//! Sequence numbers of FIFO queues: 20 digits, rising within a queue.
//!
//! They are the messages' places in the log, so nothing must be stored or counted, and no restart can repeat one.

use bulla_storage::Pos;

/// Makes every number 20 digits long, as those of AWS are (SQS Developer Guide, "FIFO queue key terms", read
/// 2026-11-21). With it the largest place fits into 64 bits for longer than any disk lives.
const FIRST: u64 = 10_000_000_000_000_000_000;

/// The sequence number of the message at this place.
pub(crate) fn number(position: Pos) -> String {
    FIRST.saturating_add(position.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::number;
    use bulla_storage::Pos;

    #[test]
    fn sequence_numbers_have_twenty_digits_and_rise_as_text() {
        let numbers = [1, 9, 10, u64::from(u32::MAX), 1 << 62].map(|place| number(Pos(place)));
        assert!(numbers.iter().all(|number| number.len() == 20));
        assert!(numbers.is_sorted());
    }
}
