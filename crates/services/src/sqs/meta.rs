//! The clear part of a log record, all that a restart reads of it. Ten million of them are read at a start, so they
//! are small.
//!
//! The first byte is the version and the kind, the second says which fields follow the queue's number and the time of
//! sending. Numbers are big-endian, times are milliseconds since the epoch.

use super::deduplication::DeduplicationTag;
use super::index::GroupTag;
use bulla_storage::Pos;
use bytes::Bytes;

const MESSAGE: u8 = 0x20;
const DEDUPLICATION: u8 = 0x21;

const DELAYED: u8 = 1;
const GROUPED: u8 = 2;
const DEDUPLICATED: u8 = 4;
const MOVED: u8 = 8;

/// Longest meta, bytes.
const META_BYTES_MAX: usize = 2 + 8 + 8 + 8 + 16 + 32 + 16;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meta {
    /// A message.
    Message(MessageMeta),
    /// What remains of a deleted FIFO message while its deduplication id must be known. It has no body.
    Deduplication(DeduplicationMeta),
}

/// What a restart must know of a message without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageMeta {
    pub(crate) queue: u64,
    /// Milliseconds since the epoch.
    pub(crate) sent: u64,
    /// Hidden until then, milliseconds since the epoch.
    pub(crate) available: Option<u64>,
    pub(crate) group: Option<GroupTag>,
    pub(crate) deduplication: Option<Deduplicated>,
    /// The record that this one replaces: it was moved here from there.
    pub(crate) moved_from: Option<MovedFrom>,
}

/// Under which tag a message was deduplicated, and its id, to be told to whoever sends it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deduplicated {
    pub(crate) tag: DeduplicationTag,
    pub(crate) message: [u8; 16],
}

/// Where a moved message was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MovedFrom {
    pub(crate) queue: u64,
    pub(crate) position: Pos,
}

/// A message that is gone and whose duplicates are still to be recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeduplicationMeta {
    pub(crate) queue: u64,
    /// When the message was sent, milliseconds since the epoch.
    pub(crate) sent: u64,
    pub(crate) deduplicated: Deduplicated,
    /// Where the message was.
    pub(crate) position: Pos,
}

impl Meta {
    /// The queue it belongs to.
    pub(crate) fn queue(&self) -> u64 {
        match self {
            Self::Message(message) => message.queue,
            Self::Deduplication(record) => record.queue,
        }
    }

    /// Appends the bytes to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Message(message) => message.encode(out),
            Self::Deduplication(record) => {
                out.push(DEDUPLICATION);
                out.push(DEDUPLICATED | MOVED);
                out.extend_from_slice(&record.queue.to_be_bytes());
                out.extend_from_slice(&record.sent.to_be_bytes());
                record.deduplicated.encode(out);
                out.extend_from_slice(&record.position.0.to_be_bytes());
            }
        }
    }

    /// Reads a meta; `None` when it is not one of this release.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (fields, rest) = rest.split_first()?;
        let mut rest = rest;
        let queue = take_number(&mut rest)?;
        let sent = take_number(&mut rest)?;
        let meta = match *kind {
            MESSAGE => Self::Message(MessageMeta::decode(*fields, queue, sent, &mut rest)?),
            DEDUPLICATION => Self::Deduplication(DeduplicationMeta {
                queue,
                sent,
                deduplicated: Deduplicated::decode(&mut rest)?,
                position: Pos(take_number(&mut rest)?),
            }),
            _ => return None,
        };
        rest.is_empty().then_some(meta)
    }

    /// The bytes of all these, each a part of one buffer.
    pub(crate) fn encode_all(metas: impl ExactSizeIterator<Item = Self>) -> Vec<Bytes> {
        let mut buffer = Vec::with_capacity(metas.len() * META_BYTES_MAX);
        let ends: Vec<usize> = metas
            .map(|meta| {
                meta.encode(&mut buffer);
                buffer.len()
            })
            .collect();
        let buffer = Bytes::from(buffer);
        let mut start = 0;
        ends.into_iter()
            .map(|end| {
                let part = buffer.slice(start..end);
                start = end;
                part
            })
            .collect()
    }
}

impl MessageMeta {
    fn encode(&self, out: &mut Vec<u8>) {
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        out.push(MESSAGE);
        out.push(
            flag(self.available.is_some(), DELAYED)
                | flag(self.group.is_some(), GROUPED)
                | flag(self.deduplication.is_some(), DEDUPLICATED)
                | flag(self.moved_from.is_some(), MOVED),
        );
        out.extend_from_slice(&self.queue.to_be_bytes());
        out.extend_from_slice(&self.sent.to_be_bytes());
        if let Some(available) = self.available {
            out.extend_from_slice(&available.to_be_bytes());
        }
        if let Some(group) = self.group {
            out.extend_from_slice(&group.0);
        }
        if let Some(deduplication) = &self.deduplication {
            deduplication.encode(out);
        }
        if let Some(from) = self.moved_from {
            out.extend_from_slice(&from.queue.to_be_bytes());
            out.extend_from_slice(&from.position.0.to_be_bytes());
        }
    }

    fn decode(fields: u8, queue: u64, sent: u64, rest: &mut &[u8]) -> Option<Self> {
        if fields & !(DELAYED | GROUPED | DEDUPLICATED | MOVED) != 0 {
            return None;
        }
        let mut meta = Self {
            queue,
            sent,
            available: None,
            group: None,
            deduplication: None,
            moved_from: None,
        };
        if fields & DELAYED != 0 {
            meta.available = Some(take_number(rest)?);
        }
        if fields & GROUPED != 0 {
            meta.group = Some(GroupTag(take_tag(rest)?));
        }
        if fields & DEDUPLICATED != 0 {
            meta.deduplication = Some(Deduplicated::decode(rest)?);
        }
        if fields & MOVED != 0 {
            meta.moved_from = Some(MovedFrom::decode(rest)?);
        }
        Some(meta)
    }
}

impl Deduplicated {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tag.0);
        out.extend_from_slice(&self.message);
    }

    fn decode(rest: &mut &[u8]) -> Option<Self> {
        Some(Self {
            tag: DeduplicationTag(take_tag(rest)?),
            message: take_tag(rest)?,
        })
    }
}

impl MovedFrom {
    fn decode(rest: &mut &[u8]) -> Option<Self> {
        Some(Self {
            queue: take_number(rest)?,
            position: Pos(take_number(rest)?),
        })
    }
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_be_bytes(*bytes))
}

fn take_tag(rest: &mut &[u8]) -> Option<[u8; 16]> {
    let (bytes, after) = rest.split_first_chunk::<16>()?;
    *rest = after;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use super::{Deduplicated, DeduplicationMeta, META_BYTES_MAX, MessageMeta, Meta, MovedFrom};
    use crate::sqs::deduplication::DeduplicationTag;
    use crate::sqs::index::GroupTag;
    use bulla_storage::Pos;
    use proptest::option::of;
    use proptest::prelude::*;

    fn deduplicated() -> impl Strategy<Value = Deduplicated> {
        any::<([u8; 16], [u8; 16])>().prop_map(|(tag, message)| Deduplicated {
            tag: DeduplicationTag(tag),
            message,
        })
    }

    prop_compose! {
        fn message()(
            queue: u64, sent: u64, available in of(any::<u64>()), group in of(any::<[u8; 16]>()),
            deduplication in of(deduplicated()), from in of(any::<(u64, u64)>()),
        ) -> Meta {
            Meta::Message(MessageMeta {
                queue, sent, available, group: group.map(GroupTag), deduplication,
                moved_from: from.map(|(queue, position)| MovedFrom { queue, position: Pos(position) }),
            })
        }
    }

    prop_compose! {
        fn record()(queue: u64, sent: u64, position: u64, deduplicated in deduplicated()) -> Meta {
            Meta::Deduplication(DeduplicationMeta { queue, sent, deduplicated, position: Pos(position) })
        }
    }

    proptest! {
        #[test]
        fn a_meta_reads_back(metas in proptest::collection::vec(prop_oneof![message(), record()], 0..4)) {
            let encoded = Meta::encode_all(metas.iter().copied());
            prop_assert!(encoded.iter().all(|bytes| bytes.len() <= META_BYTES_MAX));
            let decoded: Vec<_> = encoded.iter().map(|bytes| Meta::decode(bytes).unwrap()).collect();
            prop_assert_eq!(decoded, metas);
        }

        #[test]
        fn bytes_of_another_length_are_no_meta(meta in message(), extra in 1_usize..4) {
            let mut bytes = Vec::new();
            meta.encode(&mut bytes);
            let shorter = &bytes[..bytes.len() - extra];
            prop_assert_eq!(Meta::decode(shorter), None);
            bytes.resize(bytes.len() + extra, 0);
            prop_assert_eq!(Meta::decode(&bytes), None);
        }

        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Meta::decode(&bytes);
        }
    }
}
