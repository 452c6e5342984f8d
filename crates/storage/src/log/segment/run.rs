//! The records of one partition in one file: nine bytes of memory each, and a bit for the deleted.
//!
//! Positions follow each other almost always, so only where they do not is kept. Metas are in memory while the
//! file is written to; afterwards they lie in its catalog, in blocks of [`BLOCK_RECORDS`] with a checksum each.

use super::format::{Input, length, put_varint};
use crate::contract::Pos;
use bytes::Bytes;
use std::sync::Arc;

/// Records whose metas are read together.
pub(super) const BLOCK_RECORDS: usize = 128;
/// Bytes that follow each body: its checksum.
pub(super) const BODY_CRC_BYTES: usize = 4;

/// Where a body is in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) body: u32,
    pub(super) body_bytes: u32,
}

impl Place {
    /// Where the body's checksum ends.
    pub(super) fn end(self) -> u64 {
        u64::from(self.body)
            .saturating_add(u64::from(self.body_bytes))
            .saturating_add(BODY_CRC_BYTES as u64)
    }
}

/// The checksum that follows a body. It says whose body it is, so that the body of another record is not taken for it.
pub(super) fn body_crc(partition: u32, pos: Pos, body: &[u8]) -> u32 {
    let mut whose = [0; 12];
    let (number, place) = whose.split_at_mut(4);
    number.copy_from_slice(&partition.to_le_bytes());
    place.copy_from_slice(&pos.0.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&whose), body)
}

/// How many of these bytes are the body, if they are one with the checksum that belongs to the record.
pub(super) fn sound_body(partition: u32, pos: Pos, stored: &[u8]) -> Option<usize> {
    let (body, crc) = stored.split_last_chunk()?;
    (u32::from_le_bytes(*crc) == body_crc(partition, pos, body)).then_some(body.len())
}

/// Positions that follow each other without gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    first: u64,
    /// Number of the first record in the run.
    at: u32,
}

/// A block of metas in a catalog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// Where it begins in the file; it ends where the next one begins.
    pub(super) at: u32,
    pub(super) crc: u32,
}

/// The metas of a run in the catalog of its file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct SealedMetas {
    pub(super) blocks: Vec<Block>,
    /// Where the last block ends in the file.
    pub(super) end: u32,
}

impl SealedMetas {
    /// Where a block lies, and its checksum.
    pub(super) fn block(&self, number: usize) -> Option<(u32, u32, u32)> {
        let block = self.blocks.get(number)?;
        let next = number.checked_add(1).and_then(|next| self.blocks.get(next));
        Some((block.at, next.map_or(self.end, |next| next.at), block.crc))
    }
}

/// Metas, each after its length; and where each block begins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct HeldMetas {
    pub(super) bytes: Vec<u8>,
    pub(super) starts: Vec<u32>,
}

impl HeldMetas {
    /// The bytes of these blocks.
    pub(super) fn blocks(&self, from: usize, to: usize) -> &[u8] {
        let start = |number: usize| {
            let start = self
                .starts
                .get(number)
                .and_then(|start| usize::try_from(*start).ok());
            start.unwrap_or(self.bytes.len())
        };
        self.bytes.get(start(from)..start(to)).unwrap_or_default()
    }
}

/// Where the metas of a run are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Metas {
    /// In memory: the file is written to.
    Held(HeldMetas),
    /// In the file's catalog.
    Sealed(Arc<SealedMetas>),
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Run {
    spans: Vec<Span>,
    places: Vec<Place>,
    dead: Vec<u64>,
    metas: Metas,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            spans: Vec::new(),
            places: Vec::new(),
            dead: Vec::new(),
            metas: Metas::Held(HeldMetas::default()),
        }
    }
}

impl Run {
    /// A run of a sealed file, from first position and count of each span; `None` when positions do not rise or
    /// the counts do not agree.
    pub(super) fn sealed(spans: &[(u64, u64)], places: Vec<Place>, metas: SealedMetas) -> Option<Self> {
        let mut run = Self {
            spans: Vec::with_capacity(spans.len()),
            dead: vec![0; places.len().div_ceil(64)],
            places,
            metas: Metas::Sealed(Arc::new(metas)),
        };
        let mut at = 0_u64;
        let mut last = None;
        for (first, count) in spans {
            if *count == 0 || last.is_some_and(|last| *first <= last) {
                return None;
            }
            run.spans.push(Span {
                first: *first,
                at: u32::try_from(at).ok()?,
            });
            at = at.checked_add(*count)?;
            last = Some(first.checked_add(*count - 1)?);
        }
        (at == run.places.len() as u64).then_some(run)
    }

    pub(super) fn push(&mut self, pos: Pos, place: Place, meta: &[u8]) {
        let at = self.places.len();
        if self.last().and_then(|last| last.0.checked_add(1)) != Some(pos.0) {
            self.spans.push(Span {
                first: pos.0,
                at: length(at),
            });
        }
        if at.is_multiple_of(64) {
            self.dead.push(0);
        }
        if let Metas::Held(HeldMetas { bytes, starts }) = &mut self.metas {
            if at.is_multiple_of(BLOCK_RECORDS) {
                starts.push(length(bytes.len()));
            }
            put_varint(bytes, meta.len() as u64);
            bytes.extend_from_slice(meta);
        }
        self.places.push(place);
    }

    /// The metas are in the catalog now.
    pub(super) fn seal(&mut self, metas: SealedMetas) {
        self.metas = Metas::Sealed(Arc::new(metas));
        self.spans.shrink_to_fit();
        self.places.shrink_to_fit();
        self.dead.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn metas(&self) -> &Metas {
        &self.metas
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// First position and count of each span.
    pub(super) fn spans(&self) -> impl Iterator<Item = (u64, u64)> {
        let ends = self.spans.iter().skip(1).map(|span| span.at);
        self.spans
            .iter()
            .zip(ends.chain([length(self.places.len())]))
            .map(|(span, end)| (span.first, u64::from(end.saturating_sub(span.at))))
    }

    pub(super) fn span_count(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn first(&self) -> Option<Pos> {
        self.spans.first().map(|span| Pos(span.first))
    }

    pub(super) fn last(&self) -> Option<Pos> {
        let span = self.spans.last()?;
        let more = length(self.places.len()).checked_sub(span.at)?.checked_sub(1)?;
        Some(Pos(span.first.saturating_add(u64::from(more))))
    }

    /// The number of the first record at or after a position.
    pub(super) fn lower_bound(&self, pos: Pos) -> usize {
        let after = self.spans.partition_point(|span| span.first <= pos.0);
        let Some(span) = after.checked_sub(1).and_then(|at| self.spans.get(at)) else {
            return 0;
        };
        let end = self
            .spans
            .get(after)
            .map_or(self.places.len(), |next| number(next.at));
        let within = usize::try_from(pos.0.saturating_sub(span.first)).unwrap_or(usize::MAX);
        number(span.at).saturating_add(within).min(end)
    }

    pub(super) fn find(&self, pos: Pos) -> Option<usize> {
        let at = self.lower_bound(pos);
        self.positions(at)
            .next()
            .filter(|(_, found)| *found == pos)
            .map(|(at, _)| at)
    }

    /// Numbers and positions of the records from this number on.
    pub(super) fn positions(&self, from: usize) -> impl Iterator<Item = (usize, Pos)> {
        let span = self
            .spans
            .partition_point(|span| number(span.at) <= from)
            .saturating_sub(1);
        let mut rest = self.spans.get(span..).unwrap_or_default();
        let count = self.places.len();
        let mut at = from;
        std::iter::from_fn(move || {
            let [span, after @ ..] = rest else { return None };
            let more = at.checked_sub(number(span.at)).filter(|_| at < count)?;
            let found = (at, Pos(span.first.saturating_add(more as u64)));
            at = at.saturating_add(1);
            if after.first().is_some_and(|next| number(next.at) <= at) {
                rest = after;
            }
            Some(found)
        })
    }

    /// Numbers and positions of the live records from this number on.
    pub(super) fn live(&self, from: usize) -> impl Iterator<Item = (usize, Pos)> {
        self.positions(from).filter(|(at, _)| self.is_live(*at))
    }

    pub(super) fn place(&self, at: usize) -> Option<Place> {
        self.places.get(at).copied()
    }

    pub(super) fn is_live(&self, at: usize) -> bool {
        self.dead
            .get(at / 64)
            .is_some_and(|word| word & (1 << (at % 64)) == 0)
    }

    /// Marks a record deleted; answers whether it was live.
    pub(super) fn kill(&mut self, at: usize) -> bool {
        let live = self.is_live(at);
        if let Some(word) = self.dead.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
        live
    }
}

fn number(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Picks metas out of the bytes of blocks that begin with record number `first`. `wanted` rises. `None` when the
/// bytes do not hold them.
pub(super) fn pick_metas(
    blocks: &Bytes,
    first: usize,
    wanted: impl Iterator<Item = usize>,
    mut found: impl FnMut(Bytes),
) -> Option<()> {
    let mut input = Input(blocks);
    let mut at = first;
    for wanted in wanted {
        loop {
            let meta = input.varint_bytes()?;
            at = at.checked_add(1)?;
            if at > wanted {
                let end = blocks.len().checked_sub(input.0.len())?;
                found(blocks.slice(end.checked_sub(meta.len())?..end));
                break;
            }
        }
    }
    Some(())
}
