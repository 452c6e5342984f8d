//! Reading records: positioned reads on the caller's thread, neighbours in one read, every byte verified.
//!
//! Reads do not go through another thread: what is read was written lately and is in the page cache as a rule,
//! where a read costs less than the hop.

use super::disk::read_full;
use super::index::{FileRef, Index};
use super::run::{BLOCK_RECORDS, HeldMetas, Metas, Place, SealedMetas, pick_metas, sound_body};
use super::shared::Shared;
use crate::contract::{Error, Page, Pos, Record, cursor_of};
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Bytes between two neighbours that are read and thrown away rather than read apart.
const GAP_BYTES_MAX: u64 = 4 << 10;
/// Bytes of one read, unless one record is larger.
const READ_BYTES_MAX: u64 = 4 << 20;
/// Bytes of metas of one page, about; what does not fit is in the next.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// Records that are to be read, and the files they are in.
#[derive(Default)]
pub(super) struct Located {
    files: Vec<FileRef>,
    wanted: Vec<Wanted>,
    slots: usize,
}

/// A body that is wanted.
#[derive(Clone, Copy)]
struct Wanted {
    /// Of the answer.
    slot: usize,
    pos: Pos,
    /// Of the list.
    file: usize,
    place: Place,
}

impl Located {
    /// Finds these records; those that are not live have a place in the answer only.
    pub(super) fn find(index: &Index, partition: u32, at: &[Pos]) -> Self {
        let mut located = Self {
            wanted: Vec::with_capacity(at.len()),
            ..Self::default()
        };
        for pos in at {
            match index.locate(partition, *pos) {
                Some((file, place)) => located.push(file, *pos, place),
                None => located.slots = located.slots.saturating_add(1),
            }
        }
        located
    }

    /// Adds a record.
    pub(super) fn push(&mut self, at: &FileRef, pos: Pos, place: Place) {
        let same = |file: &FileRef| Arc::ptr_eq(&file.file, &at.file);
        let file = self.files.iter().rposition(same).unwrap_or_else(|| {
            self.files.push(at.clone());
            self.files.len().saturating_sub(1)
        });
        self.wanted.push(Wanted {
            slot: self.slots,
            pos,
            file,
            place,
        });
        self.slots = self.slots.saturating_add(1);
    }
}

fn unreadable(shared: &Shared, at: &FileRef, offset: u64, error: &io::Error) -> Error {
    let path = shared.disk.path(&at.name);
    tracing::error!(%error, file = path, offset, "the log cannot be read");
    Error::Corrupt(format!("`{path}` cannot be read at offset {offset}: {error}"))
}

fn damaged(shared: &Shared, at: &FileRef, what: &str, offset: u32) -> Error {
    let path = shared.disk.path(&at.name);
    tracing::error!(file = path, offset, what, "the log is damaged");
    Error::Corrupt(format!("`{path}`: a damaged {what} at offset {offset}"))
}

/// The bytes of a file from one offset to another; fewer at its end.
fn read_range(shared: &Shared, at: &FileRef, from: u64, to: u64) -> Result<Bytes, Error> {
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
    let filled =
        read_full(&*at.file, from, &mut bytes).map_err(|error| unreadable(shared, at, from, &error))?;
    bytes.truncate(filled);
    Ok(Bytes::from(bytes))
}

/// A part of the bytes that were read from `base` on, given by offsets in the file.
fn part(bytes: &Bytes, base: u64, from: u64, to: u64) -> Option<Bytes> {
    let from = usize::try_from(from.checked_sub(base)?).ok()?;
    let to = usize::try_from(to.checked_sub(base)?).ok()?;
    (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
}

/// The bodies of these records of one partition, in the order they were asked for; `None` for those not found.
pub(super) fn read_bodies(
    shared: &Shared,
    partition: u32,
    located: Located,
) -> Result<Vec<Option<Bytes>>, Error> {
    let Located {
        files,
        mut wanted,
        slots,
    } = located;
    let mut bodies: Vec<Option<Bytes>> = vec![None; slots];
    let from = |wanted: &Wanted| u64::from(wanted.place.body);
    wanted.sort_unstable_by_key(|wanted| (wanted.file, wanted.place.body));
    let together =
        |a: &Wanted, b: &Wanted| a.file == b.file && from(b) <= a.place.end().saturating_add(GAP_BYTES_MAX);
    for near in wanted.chunk_by(together) {
        let mut rest = near;
        while let Some(first) = rest.first() {
            let fits = |wanted: &&Wanted| wanted.place.end().saturating_sub(from(first)) <= READ_BYTES_MAX;
            let count = rest.iter().take_while(fits).count().max(1);
            let (batch, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = after;
            let Some(at) = files.get(first.file) else { continue };
            let end = batch.iter().map(|wanted| wanted.place.end()).max().unwrap_or(0);
            let bytes = read_range(shared, at, from(first), end)?;
            for wanted in batch {
                let Wanted { pos, place, .. } = *wanted;
                let stored = part(&bytes, from(first), u64::from(place.body), place.end());
                let body = stored.and_then(|stored| {
                    let length = sound_body(partition, pos, &stored)?;
                    Some(stored.slice(..length))
                });
                let body = body.ok_or_else(|| damaged(shared, at, "body", place.body))?;
                if let Some(slot) = bodies.get_mut(wanted.slot) {
                    *slot = Some(body);
                }
            }
        }
    }
    Ok(bodies)
}

/// Records of one file whose metas are wanted.
pub(super) struct Piece {
    at: FileRef,
    metas: PieceMetas,
    /// Number in the run, in order, and what else is known.
    pub(super) picks: Vec<Pick>,
}

/// A record whose meta is wanted.
pub(super) struct Pick {
    pub(super) number: usize,
    pub(super) pos: Pos,
    pub(super) note: Option<Bytes>,
}

/// Where the metas of a piece are.
pub(super) enum PieceMetas {
    Sealed(Arc<SealedMetas>),
    /// A copy of the blocks from this one on.
    Held(usize, Bytes),
}

impl Piece {
    pub(super) fn new(at: FileRef, metas: &Metas, picks: Vec<Pick>) -> Self {
        let block = |pick: Option<&Pick>| pick.map_or(0, |pick| pick.number / BLOCK_RECORDS);
        let (first, last) = (block(picks.first()), block(picks.last()));
        let metas = match metas {
            Metas::Sealed(metas) => PieceMetas::Sealed(Arc::clone(metas)),
            Metas::Held(held) => {
                let blocks = held.blocks(first, last.saturating_add(1));
                PieceMetas::Held(first, Bytes::copy_from_slice(blocks))
            }
        };
        Self { at, metas, picks }
    }

    /// The metas of the picked records, in order.
    pub(super) fn read(&self, shared: &Shared) -> Result<Vec<Bytes>, Error> {
        let mut found = Vec::with_capacity(self.picks.len());
        match &self.metas {
            PieceMetas::Held(first, blocks) => {
                let numbers = self.picks.iter().map(|pick| pick.number);
                pick_metas(blocks, first.saturating_mul(BLOCK_RECORDS), numbers, |meta| {
                    found.push(meta);
                })
                .ok_or(Error::Misuse("a run without its metas"))?;
            }
            PieceMetas::Sealed(metas) => self.read_sealed(shared, metas, &mut found)?,
        }
        Ok(found)
    }

    /// Reads blocks that follow each other at once.
    fn read_sealed(&self, shared: &Shared, metas: &SealedMetas, found: &mut Vec<Bytes>) -> Result<(), Error> {
        let number = |pick: &Pick| pick.number / BLOCK_RECORDS;
        let together = |a: &Pick, b: &Pick| number(b).saturating_sub(number(a)) <= 1;
        for near in self.picks.chunk_by(together) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else {
                continue;
            };
            let no_block = || damaged(shared, &self.at, "index", metas.end);
            let (from, ..) = metas.block(number(first)).ok_or_else(no_block)?;
            let (_, to, _) = metas.block(number(last)).ok_or_else(no_block)?;
            let bytes = read_range(shared, &self.at, u64::from(from), u64::from(to))?;
            for block in number(first)..=number(last) {
                let (at, end, crc) = metas.block(block).ok_or_else(no_block)?;
                let block = part(&bytes, u64::from(from), u64::from(at), u64::from(end));
                if block.is_none_or(|block| crc32c::crc32c(&block) != crc) {
                    return Err(damaged(shared, &self.at, "block of metas", at));
                }
            }
            let start = number(first).saturating_mul(BLOCK_RECORDS);
            let numbers = near.iter().map(|pick| pick.number);
            pick_metas(&bytes, start, numbers, |meta| found.push(meta))
                .ok_or_else(|| damaged(shared, &self.at, "block of metas", from))?;
        }
        Ok(())
    }
}

/// The first `max` live records after a position, or fewer if their metas are large; and whether there are more.
fn pieces_after(index: &Index, number: u32, after: Pos, max: usize) -> (Vec<Piece>, bool) {
    let mut pieces = Vec::new();
    let (mut count, mut bytes) = (0_usize, 0_usize);
    let from = Pos(after.0.saturating_add(1));
    let Some(partition) = index.partition(number).filter(|_| after.0 < u64::MAX) else {
        return (pieces, false);
    };
    for first in partition.segments(from, Pos(u64::MAX)) {
        let Some(segment) = index.segments.get(&first) else {
            continue;
        };
        let Some(run) = segment.runs.get(&number) else {
            continue;
        };
        let mut picks = Vec::new();
        let mut block = None;
        let mut full = false;
        for (at, pos) in run.live(run.lower_bound(from)) {
            if block != Some(at / BLOCK_RECORDS) {
                block = Some(at / BLOCK_RECORDS);
                full = bytes >= PAGE_BYTES_MAX;
                bytes = bytes.saturating_add(block_bytes(run.metas(), at / BLOCK_RECORDS));
            }
            full = full || count >= max;
            if full {
                break;
            }
            count = count.saturating_add(1);
            picks.push(Pick {
                number: at,
                pos,
                note: partition.note_of(pos),
            });
        }
        if !picks.is_empty() {
            pieces.push(Piece::new(segment.at.clone(), run.metas(), picks));
        }
        if full {
            return (pieces, true);
        }
    }
    (pieces, false)
}

fn block_bytes(metas: &Metas, number: usize) -> usize {
    match metas {
        Metas::Held(held) => HeldMetas::blocks(held, number, number.saturating_add(1)).len(),
        Metas::Sealed(metas) => {
            let bytes = metas
                .block(number)
                .map_or(0, |(at, end, _)| end.saturating_sub(at));
            usize::try_from(bytes).unwrap_or(usize::MAX)
        }
    }
}

/// A page of live records after a position.
pub(super) fn read_page(
    shared: &Shared,
    partition: u32,
    after: Pos,
    max: usize,
) -> Result<Page<Record>, Error> {
    let (pieces, more) = pieces_after(&*shared.index()?, partition, after, max);
    let mut items = Vec::with_capacity(pieces.iter().map(|piece| piece.picks.len()).sum());
    for piece in pieces {
        let metas = piece.read(shared)?;
        let record = |(Pick { pos, note, .. }, meta)| Record { pos, meta, note };
        items.extend(piece.picks.into_iter().zip(metas).map(record));
    }
    let next = items
        .last()
        .filter(|_| more)
        .map(|last: &Record| cursor_of(last.pos));
    Ok(Page { items, next })
}
