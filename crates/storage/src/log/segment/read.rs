//! Reading records: positioned reads on the caller's thread, neighbours in one read, every byte verified.
//!
//! Reads do not go through another thread: what is read was written lately and is in the page cache as a rule,
//! where a read costs less than the hop.

use super::disk::read_exact;
use super::disk::read_full;
use super::index::{FileRef, Located};
use super::items::{APPEND_BYTES, AppendRead, Entry, read_append};
use super::shared::Shared;
use crate::contract::{Error, Page, Pos, Record, cursor_of};
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Bytes between two neighbours that are read and thrown away rather than read apart.
const GAP_BYTES_MAX: u64 = 4 << 10;
/// Bytes of one read, unless one record is larger.
const READ_BYTES_MAX: u64 = 4 << 20;
/// Bytes that an append item and its meta are expected to have at most; larger ones cost a second read.
const HEAD_BYTES_EXPECTED: u64 = 1 << 10;

/// A range of a file that is wanted.
struct Wanted {
    slot: usize,
    at: FileRef,
    from: u64,
    bytes: u64,
}

impl Wanted {
    fn end(&self) -> u64 {
        self.from.saturating_add(self.bytes)
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

/// Reads ranges, neighbours together; calls back with each. A range may come back short at the end of a file.
fn read_ranges(
    shared: &Shared,
    mut wanted: Vec<Wanted>,
    mut found: impl FnMut(usize, Bytes) -> Result<(), Error>,
) -> Result<(), Error> {
    let place = |wanted: &Wanted| (Arc::as_ptr(&wanted.at.file).cast::<()>(), wanted.from);
    wanted.sort_unstable_by_key(place);
    let together = |a: &Wanted, b: &Wanted| {
        Arc::ptr_eq(&a.at.file, &b.at.file) && b.from <= a.end().saturating_add(GAP_BYTES_MAX)
    };
    for near in wanted.chunk_by(together) {
        let mut rest = near;
        while let Some(first) = rest.first() {
            let fits = |wanted: &&Wanted| wanted.end().saturating_sub(first.from) <= READ_BYTES_MAX;
            let count = rest.iter().take_while(fits).count().max(1);
            let (batch, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = after;
            let end = batch.iter().map(Wanted::end).max().unwrap_or(first.from);
            let mut bytes = vec![0; usize::try_from(end.saturating_sub(first.from)).unwrap_or(0)];
            let filled = read_full(&*first.at.file, first.from, &mut bytes)
                .map_err(|error| unreadable(shared, &first.at, first.from, &error))?;
            bytes.truncate(filled);
            let bytes = Bytes::from(bytes);
            for wanted in batch {
                let from = usize::try_from(wanted.from.saturating_sub(first.from))
                    .unwrap_or(0)
                    .min(filled);
                let to = from
                    .saturating_add(usize::try_from(wanted.bytes).unwrap_or(0))
                    .min(filled);
                found(wanted.slot, bytes.slice(from..to))?;
            }
        }
    }
    Ok(())
}

/// The bodies of these records, in this order; `None` stays `None`.
pub(super) fn read_bodies(
    shared: &Shared,
    records: &[Option<(FileRef, Entry)>],
) -> Result<Vec<Option<Bytes>>, Error> {
    let mut bodies: Vec<Option<Bytes>> = vec![None; records.len()];
    let mut wanted = Vec::with_capacity(records.len());
    for (slot, record) in records.iter().enumerate() {
        if let Some((at, entry)) = record {
            let (from, bytes) = (u64::from(entry.body), u64::from(entry.body_bytes));
            wanted.push(Wanted {
                slot,
                at: at.clone(),
                from,
                bytes,
            });
        }
    }
    read_ranges(shared, wanted, |slot, body| {
        if let (Some(Some((at, entry))), Some(place)) = (records.get(slot), bodies.get_mut(slot)) {
            if body.len() as u64 != u64::from(entry.body_bytes) || crc32c::crc32c(&body) != entry.body_crc {
                return Err(damaged(shared, at, "body", entry.body));
            }
            *place = Some(body);
        }
        Ok(())
    })?;
    Ok(bodies)
}

/// The metas of these records of one partition, in this order.
pub(super) fn read_metas(
    shared: &Shared,
    partition: u32,
    records: &[(FileRef, Entry)],
) -> Result<Vec<Bytes>, Error> {
    let mut metas = vec![Bytes::new(); records.len()];
    let want = |(slot, (at, entry)): (usize, &(FileRef, Entry))| Wanted {
        slot,
        at: at.clone(),
        from: u64::from(entry.head),
        bytes: HEAD_BYTES_EXPECTED,
    };
    let wanted = records.iter().enumerate().map(want).collect();
    read_ranges(shared, wanted, |slot, bytes| {
        if let (Some((at, entry)), Some(place)) = (records.get(slot), metas.get_mut(slot)) {
            *place = meta_of(shared, partition, at, entry, &bytes)?;
        }
        Ok(())
    })?;
    Ok(metas)
}

fn meta_of(
    shared: &Shared,
    partition: u32,
    at: &FileRef,
    entry: &Entry,
    bytes: &Bytes,
) -> Result<Bytes, Error> {
    let damaged = || damaged(shared, at, "record", entry.head);
    match read_append(partition, bytes) {
        // A copy, so that a record kept for long does not hold on to all that was read with it.
        AppendRead::Item(item) if item.pos == entry.pos => Ok(Bytes::copy_from_slice(item.meta)),
        AppendRead::Item(_) | AppendRead::Damaged => Err(damaged()),
        AppendRead::Short(needed) => {
            let offset = u64::from(entry.head);
            let all = read_exact(&*at.file, offset, needed)
                .map_err(|error| unreadable(shared, at, offset, &error))?;
            let all = all.ok_or_else(damaged)?;
            match read_append(partition, &all) {
                AppendRead::Item(item) if item.pos == entry.pos => Ok(Bytes::from(all).slice(APPEND_BYTES..)),
                AppendRead::Short(more) if more > needed => {
                    let all = read_exact(&*at.file, offset, more);
                    let all = all.map_err(|error| unreadable(shared, at, offset, &error))?;
                    meta_of(
                        shared,
                        partition,
                        at,
                        entry,
                        &Bytes::from(all.ok_or_else(damaged)?),
                    )
                }
                AppendRead::Item(_) | AppendRead::Short(_) | AppendRead::Damaged => Err(damaged()),
            }
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
    let mut found = shared
        .index()?
        .live_after(partition, after, max.saturating_add(1));
    let more = found.len() > max;
    found.truncate(max);
    let records: Vec<(FileRef, Entry)> = found
        .iter()
        .map(|found| (found.at.clone(), found.entry))
        .collect();
    let metas = read_metas(shared, partition, &records)?;
    let record = |(Located { entry, note, .. }, meta)| Record {
        pos: entry.pos,
        meta,
        note,
    };
    let items: Vec<Record> = found.into_iter().zip(metas).map(record).collect();
    let next = items.last().filter(|_| more).map(|last| cursor_of(last.pos));
    Ok(Page { items, next })
}
