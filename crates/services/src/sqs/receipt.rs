//! Receipt handles: which message of which queue, and by which receive.
//!
//! A handle is made by a receive and by nothing else: it carries a tag under a key of this instance, so that whoever
//! may delete but not receive cannot make handles up by counting.
//! Invariant: a handle of an older receive than the message's latest does not delete it (SQS API Reference,
//! `DeleteMessage`: "you must provide the most recently received `ReceiptHandle`").

use bulla_envelope::{InstanceKey, Purpose, SealError, TAG_BYTES, Tagger};
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
/// Version, queue, position, receive.
const CONTENT_BYTES: usize = 1 + 8 + 8 + 4;

/// Makes and reads receipt handles.
#[derive(Debug)]
pub(crate) struct Receipts(Tagger);

impl Receipts {
    /// With the instance's key for them.
    pub(crate) fn new(instance: &InstanceKey) -> Result<Self, SealError> {
        Ok(Self(Tagger::new(&instance.derive(Purpose::ReceiptHandles, &[])?)))
    }

    /// The text that clients keep.
    pub(crate) fn encode(&self, receipt: Receipt) -> String {
        use base64::Engine as _;
        let mut bytes = Vec::with_capacity(CONTENT_BYTES + TAG_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&receipt.queue.to_be_bytes());
        bytes.extend_from_slice(&receipt.position.0.to_be_bytes());
        bytes.extend_from_slice(&receipt.receive.to_be_bytes());
        let tag = self.0.tag(&bytes);
        bytes.extend_from_slice(&tag);
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    /// `None` when the text is not a receipt handle of this instance.
    pub(crate) fn decode(&self, text: &str) -> Option<Receipt> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        let (content, tag) = bytes.split_last_chunk::<TAG_BYTES>()?;
        if content.len() != CONTENT_BYTES || !self.0.matches(content, tag) {
            return None;
        }
        let (version, rest) = content.split_first()?;
        let (queue, rest) = rest.split_first_chunk::<8>()?;
        let (position, rest) = rest.split_first_chunk::<8>()?;
        let receive = rest.first_chunk::<4>()?;
        (*version == VERSION).then_some(Receipt {
            queue: u64::from_be_bytes(*queue),
            position: Pos(u64::from_be_bytes(*position)),
            receive: u32::from_be_bytes(*receive),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Receipt, Receipts};
    use bulla_envelope::{InstanceKey, MemoryRootKey};
    use bulla_runtime::SeededEntropy;
    use bulla_storage::Pos;
    use proptest::prelude::*;

    fn receipts(seed: u64) -> Receipts {
        let entropy = SeededEntropy::new(seed);
        let root = MemoryRootKey::generate(&entropy).unwrap();
        Receipts::new(&InstanceKey::create(&root, &entropy).unwrap().0).unwrap()
    }

    proptest! {
        #[test]
        fn a_receipt_handle_reads_back(queue: u64, position: u64, receive: u32) {
            let receipt = Receipt { queue, position: Pos(position), receive };
            let receipts = receipts(1);
            prop_assert_eq!(receipts.decode(&receipts.encode(receipt)), Some(receipt));
        }

        #[test]
        fn any_other_text_is_no_receipt_handle(text in "\\PC{0,60}") {
            prop_assert_eq!(receipts(1).decode(&text), None);
        }

        #[test]
        fn a_changed_bit_is_noticed(at in 0_usize..37, bit in 0_u8..8) {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::STANDARD;
            let receipts = receipts(1);
            let text = receipts.encode(Receipt { queue: 7, position: Pos(9), receive: 1 });
            let mut bytes = engine.decode(text).unwrap();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(receipts.decode(&engine.encode(bytes)), None);
        }
    }

    #[test]
    fn a_handle_of_another_instance_is_none() {
        let receipt = Receipt {
            queue: 7,
            position: Pos(9),
            receive: 1,
        };
        assert_eq!(receipts(1).decode(&receipts(2).encode(receipt)), None);
    }
}
