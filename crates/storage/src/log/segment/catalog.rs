//! The index that a sealed segment carries as its last frame: what it holds, so that a restart reads neither
//! bodies nor metas.
//!
//! ```text
//! states of the partitions after the segment
//! parts u32, then for each: partition u32
//!   · entries u32, each: pos u64 · head u32 · body u32 · bytes of body u32 · crc of body u32
//!   · deletes u32, each: pos u64
//!   · notes u32, each: pos u64 · bytes u16 · note
//! ```

use super::format::{Input, State, decode_states, encode_states, length};
use super::items::Entry;
use crate::contract::Pos;
use bytes::Bytes;

const ENTRY_BYTES: usize = 24;
/// Bytes that a record, a tombstone or a note of usual length adds, at most.
pub(super) const ITEM_BYTES: u64 = 64;

/// What a sealed segment holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Catalog {
    pub(super) states: Vec<State>,
    pub(super) parts: Vec<Part>,
}

/// What a sealed segment holds of one partition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Part {
    pub(super) partition: u32,
    /// In rising order of position.
    pub(super) entries: Vec<Entry>,
    /// Records that end here, wherever they are.
    pub(super) deletes: Vec<Pos>,
    /// The notes that were the latest of their record when the segment was sealed.
    pub(super) notes: Vec<(Pos, Bytes)>,
}

impl Catalog {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        encode_states(&self.states, &mut out);
        out.extend_from_slice(&length(self.parts.len()).to_le_bytes());
        for part in &self.parts {
            part.encode(&mut out);
        }
        out
    }

    pub(super) fn decode(meta: &[u8]) -> Option<Self> {
        let mut input = Input(meta);
        let states = decode_states(&mut input)?;
        let count = input.count(16)?;
        let parts = (0..count)
            .map(|_| Part::decode(&mut input))
            .collect::<Option<_>>()?;
        input.is_empty().then_some(Self { states, parts })
    }
}

impl Part {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.partition.to_le_bytes());
        out.extend_from_slice(&length(self.entries.len()).to_le_bytes());
        for entry in &self.entries {
            out.extend_from_slice(&entry.pos.0.to_le_bytes());
            for narrow in [entry.head, entry.body, entry.body_bytes, entry.body_crc] {
                out.extend_from_slice(&narrow.to_le_bytes());
            }
        }
        out.extend_from_slice(&length(self.deletes.len()).to_le_bytes());
        for pos in &self.deletes {
            out.extend_from_slice(&pos.0.to_le_bytes());
        }
        out.extend_from_slice(&length(self.notes.len()).to_le_bytes());
        for (pos, note) in &self.notes {
            out.extend_from_slice(&pos.0.to_le_bytes());
            out.extend_from_slice(&u16::try_from(note.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend_from_slice(note);
        }
    }

    fn decode(input: &mut Input<'_>) -> Option<Self> {
        let partition = input.u32()?;
        let count = input.count(ENTRY_BYTES)?;
        let entries = (0..count).map(|_| {
            Some(Entry {
                pos: Pos(input.u64()?),
                head: input.u32()?,
                body: input.u32()?,
                body_bytes: input.u32()?,
                body_crc: input.u32()?,
            })
        });
        let entries = entries.collect::<Option<Vec<_>>>()?;
        let count = input.count(8)?;
        let deletes = (0..count)
            .map(|_| input.u64().map(Pos))
            .collect::<Option<Vec<_>>>()?;
        let count = input.count(10)?;
        let notes = (0..count).map(|_| {
            let (pos, bytes) = (Pos(input.u64()?), input.u16()?);
            Some((pos, Bytes::copy_from_slice(input.take(usize::from(bytes))?)))
        });
        let notes = notes.collect::<Option<Vec<_>>>()?;
        Some(Self {
            partition,
            entries,
            deletes,
            notes,
        })
    }
}
