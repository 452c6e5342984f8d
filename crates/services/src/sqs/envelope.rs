//! A message as the log stores it: the sealed content, the wrapped data key, and what may be read without a key.
//!
//! ```text
//! sealed content │ wrapped data key │ origin │ message id 16 │ sent 8 │ lengths of origin 2, of key 2 │ kind 1
//! ```
//!
//! The clear part lies behind the sealed one, so that sealing happens in place and the rest is appended. A message
//! that is moved to another queue keeps its envelope; what it was sealed as goes into the origin (SQS Developer Guide,
//! "Encryption at rest": moving a message to a dead-letter queue does not affect its encryption).
//!
//! Invariant: an [`Envelope`] is made of [`Sealed`] bytes or of an envelope that was stored.

use bulla_envelope::Sealed;
use bytes::Bytes;
use std::sync::Arc;

/// The high half of the last byte.
const VERSION: u8 = 0x20;
/// Everything behind the origin.
const TAIL_BYTES: usize = 16 + 8 + 2 + 2 + 1;

/// A sealed message with its wrapped data key: what the log stores.
#[derive(Clone, Debug)]
pub(crate) struct Envelope(Bytes);

/// Which key wrapped a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wrapper {
    /// The service's own.
    Service,
    /// A KMS key.
    Kms,
}

/// The message of a queue that an envelope was sealed as: it opens as that and as no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedAs {
    pub(crate) queue: u64,
    pub(crate) arn: Arc<str>,
    pub(crate) message: [u8; 16],
}

/// Where a message that was moved comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) sealed_as: SealedAs,
    /// The queue in which nobody wanted the message, when this is a dead letter.
    pub(crate) dead_letter_of: Option<Arc<str>>,
}

/// What every message says of itself without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) message: [u8; 16],
    /// Milliseconds since the epoch.
    pub(crate) sent: u64,
}

/// Bytes that follow the sealed content, for a wrapped key of this length.
pub(crate) const fn trailer_len(wrapped: usize) -> usize {
    wrapped + TAIL_BYTES
}

impl Envelope {
    /// Completes what was just sealed. `None` when the wrapped key is longer than 64 KiB.
    pub(crate) fn new(sealed: Sealed, kind: Wrapper, wrapped: &[u8], label: Label) -> Option<Self> {
        let mut bytes = sealed.into_bytes();
        bytes.extend_from_slice(wrapped);
        finish(bytes, kind, wrapped.len(), 0, label)
    }

    /// For the log, and for nothing else.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

fn finish(
    mut bytes: Vec<u8>,
    kind: Wrapper,
    wrapped: usize,
    origin: usize,
    label: Label,
) -> Option<Envelope> {
    bytes.extend_from_slice(&label.message);
    bytes.extend_from_slice(&label.sent.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(origin).ok()?.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(wrapped).ok()?.to_be_bytes());
    bytes.push(match kind {
        Wrapper::Service => VERSION,
        Wrapper::Kms => VERSION | 1,
    });
    Some(Envelope(Bytes::from(bytes)))
}

/// An envelope as it is read back.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    bytes: Bytes,
    pub(crate) label: Label,
    pub(crate) wrapper: Wrapper,
    sealed_len: usize,
    wrapped_len: usize,
    origin: Option<Box<Origin>>,
}

impl Stored {
    /// Takes stored bytes apart; `None` when they are not an envelope of this release.
    pub(crate) fn parse(bytes: Bytes) -> Option<Self> {
        let (rest, tail) = bytes.split_last_chunk::<TAIL_BYTES>()?;
        let (message, tail) = tail.split_first_chunk::<16>()?;
        let (sent, tail) = tail.split_first_chunk::<8>()?;
        let (origin_len, tail) = tail.split_first_chunk::<2>()?;
        let (wrapped_len, kind) = tail.split_first_chunk::<2>()?;
        let wrapper = match kind.first()? ^ VERSION {
            0 => Wrapper::Service,
            1 => Wrapper::Kms,
            _ => return None,
        };
        let origin_len = usize::from(u16::from_be_bytes(*origin_len));
        let wrapped_len = usize::from(u16::from_be_bytes(*wrapped_len));
        let (rest, origin) = rest.split_at_checked(rest.len().checked_sub(origin_len)?)?;
        let sealed_len = rest.len().checked_sub(wrapped_len)?;
        let origin = match origin {
            [] => None,
            origin => Some(Box::new(Origin::decode(origin)?)),
        };
        let label = Label {
            message: *message,
            sent: u64::from_be_bytes(*sent),
        };
        Some(Self {
            bytes,
            label,
            wrapper,
            sealed_len,
            wrapped_len,
            origin,
        })
    }

    /// The sealed content.
    pub(crate) fn sealed(&self) -> &[u8] {
        self.bytes.get(..self.sealed_len).unwrap_or_default()
    }

    /// The wrapped data key.
    pub(crate) fn wrapped(&self) -> Bytes {
        let end = self.sealed_len.saturating_add(self.wrapped_len);
        self.bytes.slice(self.sealed_len..end)
    }

    /// Where the message comes from, when it was moved.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// The same sealed content as a message of another queue. `None` when the origin's ARNs are out of all bounds.
    pub(crate) fn moved(&self, label: Label, origin: &Origin) -> Option<Envelope> {
        let kept = self
            .bytes
            .get(..self.sealed_len.saturating_add(self.wrapped_len))?;
        let mut bytes = Vec::with_capacity(kept.len() + 256 + TAIL_BYTES);
        bytes.extend_from_slice(kept);
        origin.encode(&mut bytes)?;
        let origin_len = bytes.len() - kept.len();
        finish(bytes, self.wrapper, self.wrapped_len, origin_len, label)
    }
}

impl Origin {
    fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        let Self {
            sealed_as,
            dead_letter_of,
        } = self;
        out.extend_from_slice(&sealed_as.queue.to_be_bytes());
        out.extend_from_slice(&sealed_as.message);
        for arn in [Some(&sealed_as.arn), dead_letter_of.as_ref()]
            .into_iter()
            .flatten()
        {
            out.extend_from_slice(&u16::try_from(arn.len()).ok()?.to_be_bytes());
            out.extend_from_slice(arn.as_bytes());
        }
        Some(())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (queue, rest) = bytes.split_first_chunk::<8>()?;
        let (message, rest) = rest.split_first_chunk::<16>()?;
        let mut rest = rest;
        let arn = take_arn(&mut rest)?;
        let dead_letter_of = match rest {
            [] => None,
            _ => Some(take_arn(&mut rest)?),
        };
        rest.is_empty().then_some(Self {
            sealed_as: SealedAs {
                queue: u64::from_be_bytes(*queue),
                arn,
                message: *message,
            },
            dead_letter_of,
        })
    }
}

fn take_arn(rest: &mut &[u8]) -> Option<Arc<str>> {
    let (len, after) = rest.split_first_chunk::<2>()?;
    let (arn, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    *rest = after;
    std::str::from_utf8(arn).ok().map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Label, Origin, SealedAs, Stored, Wrapper};
    use bulla_envelope::{DataKey, SealBuffer, Sealer};
    use bulla_runtime::SeededEntropy;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn sealed() -> bulla_envelope::Sealed {
        let sealer = Sealer::new(DataKey::generate(&SeededEntropy::new(1))).unwrap();
        sealer.seal(SealBuffer::from(&b"content"[..]), b"").unwrap()
    }

    proptest! {
        #[test]
        fn an_envelope_reads_back_also_after_it_was_moved(
            message: [u8; 16], sent: u64, wrapped in proptest::collection::vec(any::<u8>(), 0..300), kms: bool,
            arn in "[a-z:]{1,100}", source in proptest::option::of("[a-z:]{0,100}"),
        ) {
            let wrapper = if kms { Wrapper::Kms } else { Wrapper::Service };
            let label = Label { message, sent };
            let sealed = sealed();
            let stored = Envelope::new(sealed.clone(), wrapper, &wrapped, label).unwrap();
            let stored = Stored::parse(stored.into_bytes()).unwrap();
            prop_assert_eq!(stored.sealed(), sealed.as_bytes());
            prop_assert_eq!(&stored.wrapped()[..], &wrapped[..]);
            prop_assert_eq!((stored.label, stored.wrapper, stored.origin()), (label, wrapper, None));
            let origin = Origin {
                sealed_as: SealedAs { queue: sent, arn: arn.into(), message },
                dead_letter_of: source.map(Into::into),
            };
            let later = Label { message: [9; 16], sent: 5 };
            let moved = Stored::parse(stored.moved(later, &origin).unwrap().into_bytes()).unwrap();
            prop_assert_eq!(moved.sealed(), sealed.as_bytes());
            prop_assert_eq!(&moved.wrapped()[..], &wrapped[..]);
            prop_assert_eq!((moved.label, moved.wrapper, moved.origin()), (later, wrapper, Some(&origin)));
        }

        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(stored) = Stored::parse(Bytes::from(bytes)) {
                let _ = (stored.sealed(), stored.wrapped());
            }
        }
    }
}
