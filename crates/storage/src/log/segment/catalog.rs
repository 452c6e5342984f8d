//! The index that a sealed segment carries as its last frame: what it holds, so that a restart reads this and
//! nothing else of the file, and not even the metas until somebody scans.
//!
//! ```text
//! meta: states of the partitions after the segment
//!   · parts, then for each: partition
//!     · spans, each: step from the end of the last to the first position · records
//!     · for each record: step from the end of the last body to this one · bytes of body
//!     · for each block of metas: bytes · crc u32
//!     · bytes of tombstones · tombstones
//!     · notes, each: step of position · bytes · note
//! bodies: the blocks, of all parts in order; a block is metas, each after its length
//! ```
//!
//! All numbers but checksums and states are of variable length.

use super::format::{Input, State, decode_states, encode_states, length, put_step, put_varint};
use super::run::{BLOCK_RECORDS, Block, HeldMetas, Metas, Place, Run, SealedMetas};
use super::tombstones::Tombstones;
use crate::contract::Pos;
use bytes::Bytes;

/// Bytes that a record, a range of tombstones or a note adds besides its meta and note, at most.
pub(super) const ITEM_BYTES: u64 = 32;
/// Bytes that a part adds besides, at most.
pub(super) const PART_BYTES: u64 = 64;

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
    pub(super) run: Run,
    /// Records that end here, wherever they are.
    pub(super) deletes: Tombstones,
    /// The notes that were the latest of their record when the segment was sealed.
    pub(super) notes: Vec<(Pos, Bytes)>,
}

/// A part as it is written, by reference.
pub(super) struct PartRef<'a> {
    pub(super) partition: u32,
    /// One whose metas are in memory.
    pub(super) run: Option<&'a Run>,
    pub(super) deletes: Option<&'a Tombstones>,
    pub(super) notes: Option<&'a [(Pos, Bytes)]>,
}

/// A catalog as it lies in a frame, and where the metas of each partition will then be, counted from the start of
/// the frame's bodies.
pub(super) struct Encoded {
    pub(super) meta: Vec<u8>,
    pub(super) blocks: Vec<u8>,
    pub(super) metas: Vec<(u32, SealedMetas)>,
}

impl Encoded {
    /// Where the metas will be, counted from the start of the file.
    pub(super) fn placed(self, bodies_at: u64) -> Option<Vec<(u32, SealedMetas)>> {
        let base = u32::try_from(bodies_at).ok()?;
        let mut metas = self.metas;
        for (_, metas) in &mut metas {
            metas.end = metas.end.checked_add(base)?;
            for block in &mut metas.blocks {
                block.at = block.at.checked_add(base)?;
            }
        }
        Some(metas)
    }
}

/// Writes a catalog.
pub(super) fn encode<'a>(states: &[State], parts: impl ExactSizeIterator<Item = PartRef<'a>>) -> Encoded {
    let mut out = Encoded {
        meta: Vec::new(),
        blocks: Vec::new(),
        metas: Vec::new(),
    };
    encode_states(states, &mut out.meta);
    put_varint(&mut out.meta, parts.len() as u64);
    let none = Run::default();
    for part in parts {
        put_varint(&mut out.meta, u64::from(part.partition));
        let run = part.run.unwrap_or(&none);
        encode_places(&mut out.meta, run);
        if let Metas::Held(held) = run.metas() {
            let metas = encode_blocks(&mut out, held);
            out.metas.push((part.partition, metas));
        }
        let deletes = part.deletes.map(Tombstones::encode).unwrap_or_default();
        put_varint(&mut out.meta, deletes.len() as u64);
        out.meta.extend_from_slice(&deletes);
        let notes = part.notes.unwrap_or_default();
        put_varint(&mut out.meta, notes.len() as u64);
        let mut last = 0;
        for (pos, note) in notes {
            put_step(&mut out.meta, last, pos.0);
            put_varint(&mut out.meta, note.len() as u64);
            out.meta.extend_from_slice(note);
            last = pos.0;
        }
    }
    out
}

fn encode_places(out: &mut Vec<u8>, run: &Run) {
    put_varint(out, run.span_count() as u64);
    let mut end = 0_u64;
    for (first, count) in run.spans() {
        put_step(out, end, first);
        put_varint(out, count);
        end = first.wrapping_add(count);
    }
    let mut end = 0;
    for place in run.places() {
        put_step(out, end, u64::from(place.body));
        put_varint(out, u64::from(place.body_bytes));
        end = place.end();
    }
}

fn encode_blocks(out: &mut Encoded, held: &HeldMetas) -> SealedMetas {
    let mut metas = SealedMetas::default();
    for number in 0..held.starts.len() {
        let block = held.blocks(number, number.saturating_add(1));
        let crc = crc32c::crc32c(block);
        put_varint(&mut out.meta, block.len() as u64);
        out.meta.extend_from_slice(&crc.to_le_bytes());
        metas.blocks.push(Block {
            at: length(out.blocks.len()),
            crc,
        });
        out.blocks.extend_from_slice(block);
    }
    metas.end = length(out.blocks.len());
    metas
}

impl Catalog {
    /// Reads the metadata of an index frame whose bodies begin at `bodies_at` in the file and have so many bytes.
    pub(super) fn decode(meta: &[u8], bodies_at: u64, body_bytes: u32) -> Option<Self> {
        let mut input = Input(meta);
        let states = decode_states(&mut input)?;
        let count = input.varint_count()?;
        let mut at = u32::try_from(bodies_at).ok()?;
        let end = at.checked_add(body_bytes)?;
        let parts = (0..count)
            .map(|_| Part::decode(&mut input, &mut at))
            .collect::<Option<_>>()?;
        (input.is_empty() && at == end).then_some(Self { states, parts })
    }
}

impl Part {
    fn decode(input: &mut Input<'_>, block_at: &mut u32) -> Option<Self> {
        let partition = input.varint_u32()?;
        let spans = decode_spans(input)?;
        let mut records = 0_u64;
        for (_, count) in &spans {
            records = records.checked_add(*count)?;
        }
        // Two bytes each at least.
        let records = usize::try_from(records)
            .ok()
            .filter(|records| *records <= input.0.len() / 2)?;
        let mut places = Vec::with_capacity(records);
        let mut end = 0;
        for _ in 0..records {
            let place = Place {
                body: u32::try_from(input.step(end)?).ok()?,
                body_bytes: input.varint_u32()?,
            };
            end = place.end();
            places.push(place);
        }
        let mut metas = SealedMetas::default();
        for _ in 0..records.div_ceil(BLOCK_RECORDS) {
            let bytes = input.varint_u32()?;
            let crc = input.u32()?;
            metas.blocks.push(Block { at: *block_at, crc });
            *block_at = block_at.checked_add(bytes)?;
        }
        metas.end = *block_at;
        let run = Run::sealed(&spans, places, metas)?;
        let deletes = Tombstones::decode(input.varint_bytes()?)?;
        let count = input.varint_count()?;
        let mut last = 0;
        let notes = (0..count).map(|_| {
            last = input.step(last)?;
            Some((Pos(last), Bytes::copy_from_slice(input.varint_bytes()?)))
        });
        let notes = notes.collect::<Option<Vec<_>>>()?;
        Some(Self {
            partition,
            run,
            deletes,
            notes,
        })
    }
}

fn decode_spans(input: &mut Input<'_>) -> Option<Vec<(u64, u64)>> {
    let mut end = 0_u64;
    let count = input.varint_count()?;
    let spans = (0..count).map(|_| {
        let first = input.step(end)?;
        let count = input.varint()?;
        end = first.wrapping_add(count);
        Some((first, count))
    });
    spans.collect()
}
