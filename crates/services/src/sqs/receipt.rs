//! Receipt handles: which message of which queue, and by which receive.
//!
//! A handle is no secret and no permission: whoever deletes a message needs `sqs:DeleteMessage` on the queue. It
//! must only be impossible to hit another message by accident, hence the checksum and the queue's id inside.
//! Invariant: a handle of an older receive than the message's latest does not delete it (SQS API Reference,
//! `DeleteMessage`: "you must provide the most recently received `ReceiptHandle`").

use bulla_storage::Pos;

/// What a receipt handle says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The queue's number.
    pub(crate) queue: u64,
    /// The message's place in the log.
    pub(crate) position: Pos,
    /// The how-manieth receive of the message this was.
    pub(crate) receive: u32,
}

const VERSION: u8 = 1;
/// Version, queue, position, receive, checksum.
const BYTES: usize = 1 + 8 + 8 + 4 + 4;

impl Receipt {
    /// The text that clients keep.
    pub(crate) fn encode(self) -> String {
        use base64::Engine as _;
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.queue.to_be_bytes());
        bytes.extend_from_slice(&self.position.0.to_be_bytes());
        bytes.extend_from_slice(&self.receive.to_be_bytes());
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    /// `None` when the text is not a receipt handle.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        let (content, sum) = bytes.split_last_chunk::<4>()?;
        if content.len() != BYTES - 4 || checksum(content) != u32::from_be_bytes(*sum) {
            return None;
        }
        let (version, rest) = content.split_first()?;
        let (queue, rest) = rest.split_first_chunk::<8>()?;
        let (position, rest) = rest.split_first_chunk::<8>()?;
        let receive = rest.first_chunk::<4>()?;
        (*version == VERSION).then_some(Self {
            queue: u64::from_be_bytes(*queue),
            position: Pos(u64::from_be_bytes(*position)),
            receive: u32::from_be_bytes(*receive),
        })
    }
}

/// FNV-1a, 32 bits: enough against typing errors, which is all it is for.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::Receipt;
    use bulla_storage::Pos;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_receipt_handle_reads_back(queue: u64, position: u64, receive: u32) {
            let receipt = Receipt { queue, position: Pos(position), receive };
            prop_assert_eq!(Receipt::decode(&receipt.encode()), Some(receipt));
        }

        #[test]
        fn any_other_text_is_no_receipt_handle(text in "\\PC{0,60}") {
            prop_assert_eq!(Receipt::decode(&text), None);
        }

        #[test]
        fn a_changed_byte_is_noticed(at in 0_usize..24, bit in 0_u8..8) {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::STANDARD;
            let text = Receipt { queue: 7, position: Pos(9), receive: 1 }.encode();
            let mut bytes = engine.decode(text).unwrap();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Receipt::decode(&engine.encode(bytes)), None);
        }
    }
}
