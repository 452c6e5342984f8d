//! Writing what still matters of some neighbouring files into one.

use super::catalog::Part;
use super::disk::DiskFile;
use super::file::{Sealed, read_catalog, segment_name};
use super::files::Listing;
use super::format::{HEADER_BYTES, Kind, Start, State, plain_frame};
use super::index::{FileRef, catalog_of};
use super::items::{Effect, FrameBuilder};
use super::log_file::Segment;
use super::read::{Located, Pick, Piece, read_bodies};
use super::run::{Metas, Place};
use super::shared::Shared;
use crate::contract::{Append, Error, Pos};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// Bytes of bodies read and written at once.
const CHUNK_BYTES: u64 = 1 << 20;
/// Records read and written at once.
const CHUNK_RECORDS: usize = 1_024;

/// How a rewriting ended.
pub(super) enum Rewrite {
    /// The new file stands in the place of its sources.
    Done,
    /// Given up, nothing changed: the log is closing, the disk is full, or a source is damaged.
    Given,
}

/// What is to be carried over.
struct Plan {
    sources: BTreeSet<u64>,
    names: Vec<Arc<str>>,
    first: u64,
    last: u64,
    states: Vec<State>,
    /// Live records, by partition, in order.
    records: BTreeMap<u32, Vec<Carried>>,
    /// Tombstones of records that lie in other files, and the ids of these.
    deletes: BTreeMap<u32, Vec<(Pos, Pos)>>,
    targets: BTreeSet<u64>,
    notes: BTreeMap<u32, Vec<(Pos, Bytes)>>,
}

/// Live records of one partition in one file.
struct Carried {
    at: FileRef,
    metas: Metas,
    records: Vec<(usize, Pos, Place)>,
}

/// Rewrites these files, given by their first numbers, into one.
///
/// # Errors
/// When it is not known any more which files stand in the folder: nothing may be collected then.
pub(super) fn rewrite(
    shared: &Shared,
    sources: &[u64],
    temporary: &str,
    is_closed: &dyn Fn() -> bool,
    listing: &mut Listing,
) -> Result<Rewrite, Error> {
    let Some(plan) = plan(shared, sources)? else {
        return Ok(Rewrite::Given);
    };
    let file = match shared.disk.create(temporary, 0) {
        Ok(file) => file,
        Err(error) => {
            tracing::warn!(%error, "cannot make a file to collect log files into");
            drop(shared.disk.remove(temporary));
            return Ok(Rewrite::Given);
        }
    };
    let name = segment_name(plan.first, plan.last);
    let at = FileRef {
        name: name.as_str().into(),
        file: Arc::clone(&file),
    };
    let mut copy = Copy {
        file: &file,
        last: plan.last,
        end: 0,
        buffer: Vec::new(),
        segment: Segment::new(shared.index_mut()?.mint_id(), plan.first, plan.last, at),
    };
    let written = copy.write(shared, &plan, is_closed);
    let Copy { segment, end, .. } = copy;
    if let Err(stop) = written {
        drop(shared.disk.remove(temporary));
        match stop {
            Stop::Closed => {}
            Stop::Io(error) => tracing::warn!(%error, "cannot rewrite log files; they stay as they are"),
            Stop::Damaged(error) => {
                tracing::error!(%error, "a log file is damaged; it stays as it is, as evidence");
                let mut index = shared.index_mut()?;
                for first in &plan.sources {
                    if let Some(segment) = index.segments.get_mut(first) {
                        segment.damaged = true;
                    }
                }
            }
        }
        return Ok(Rewrite::Given);
    }
    install(shared, temporary, &name, &plan, listing)?;
    shared.index_mut()?.replace(&plan.sources, segment, &plan.notes);
    tracing::debug!(file = %name, sources = plan.names.len(), bytes = end, "log files rewritten");
    Ok(Rewrite::Done)
}

fn install(
    shared: &Shared,
    temporary: &str,
    name: &str,
    plan: &Plan,
    listing: &mut Listing,
) -> Result<(), Error> {
    let failed = |error: io::Error| {
        tracing::error!(%error, file = %shared.disk.path(name), "cannot put a rewritten log file in place");
        Error::Unknown
    };
    let place = || {
        shared.disk.rename(temporary, name)?;
        shared.disk.sync_folder()
    };
    place().map_err(failed)?;
    // Without room for the list it stays as it is, and true: the wider file covers what it names.
    listing.update(shared, |ranges| {
        ranges.retain(|(first, _)| !plan.sources.contains(first));
        ranges.insert((plan.first, plan.last));
    })?;
    let clear = || {
        for source in plan.names.iter().filter(|source| ***source != *name) {
            shared.disk.remove(source)?;
        }
        shared.disk.sync_folder()
    };
    clear().map_err(failed)
}

/// What to carry over; `None` when a source's index cannot be read any more.
fn plan(shared: &Shared, sources: &[u64]) -> Result<Option<Plan>, Error> {
    let mut plan = Plan {
        sources: sources.iter().copied().collect(),
        names: Vec::new(),
        first: u64::MAX,
        last: 0,
        states: Vec::new(),
        records: BTreeMap::new(),
        deletes: BTreeMap::new(),
        targets: BTreeSet::new(),
        notes: BTreeMap::new(),
    };
    let mut files = Vec::new();
    {
        let index = shared.index()?;
        let mut ids = BTreeSet::new();
        for segment in sources.iter().filter_map(|first| index.segments.get(first)) {
            ids.insert(segment.id);
            plan.names.push(Arc::clone(&segment.at.name));
            plan.first = plan.first.min(segment.first);
            plan.last = plan.last.max(segment.last);
            files.push((segment.first, segment.last, segment.at.clone()));
            for (partition, run) in &segment.runs {
                let live = run
                    .live(0)
                    .filter_map(|(at, pos)| Some((at, pos, run.place(at)?)));
                plan.records.entry(*partition).or_default().push(Carried {
                    at: segment.at.clone(),
                    metas: run.metas().clone(),
                    records: live.collect(),
                });
            }
        }
        plan.notes = index.notes_in(&ids);
    }
    for (first, last, at) in files {
        let catalog = match read_catalog(&at.file, last, false) {
            Ok(Sealed::Catalog(catalog, _)) => catalog,
            Ok(Sealed::No(why)) => return refuse(shared, first, &at, &why),
            Err(error) => return refuse(shared, first, &at, &error.to_string()),
        };
        plan.states = catalog.states;
        let index = shared.index()?;
        for Part {
            partition, deletes, ..
        } in catalog.parts
        {
            for (from, to) in deletes.ranges() {
                let mut needed = false;
                for holder in index.holders(partition, from, to) {
                    if !plan.sources.contains(&holder.first) {
                        plan.targets.insert(holder.id);
                        needed = true;
                    }
                }
                if needed {
                    plan.deletes.entry(partition).or_default().push((from, to));
                }
            }
        }
    }
    Ok(Some(plan))
}

fn refuse(shared: &Shared, first: u64, at: &FileRef, why: &str) -> Result<Option<Plan>, Error> {
    tracing::error!(file = %shared.disk.path(&at.name), why, "a log file is damaged; it stays as it is, as evidence");
    if let Some(segment) = shared.index_mut()?.segments.get_mut(&first) {
        segment.damaged = true;
    }
    Ok(None)
}

/// Why a copy was given up.
enum Stop {
    Closed,
    Io(io::Error),
    Damaged(Error),
}

/// A file being written.
struct Copy<'a> {
    file: &'a Arc<dyn DiskFile>,
    last: u64,
    end: u64,
    buffer: Vec<u8>,
    /// The new file as it will be known.
    segment: Segment,
}

impl Copy<'_> {
    fn write(&mut self, shared: &Shared, plan: &Plan, is_closed: &dyn Fn() -> bool) -> Result<(), Stop> {
        let start = Start {
            first: plan.first,
            last: plan.last,
            states: plan.states.clone(),
        };
        self.put(&frame(Kind::Start, plan.last, 0, &start.encode(), &[])?)?;
        for (partition, carried) in &plan.records {
            for carried in carried {
                let mut rest = carried.records.as_slice();
                while !rest.is_empty() {
                    if is_closed() {
                        return Err(Stop::Closed);
                    }
                    let (chunk, after) = rest.split_at_checked(chunk_records(rest)).unwrap_or((rest, &[]));
                    rest = after;
                    self.copy_records(shared, *partition, carried, chunk)?;
                }
            }
        }
        let mut marks = FrameBuilder::default();
        for (partition, deletes) in &plan.deletes {
            for (first, last) in deletes {
                marks.delete(*partition, *first, *last);
                self.segment.bury(*partition, *first, *last);
            }
        }
        for (partition, notes) in &plan.notes {
            marks.notes(*partition, notes.clone());
        }
        self.put_group(marks)?;
        self.segment.targets.clone_from(&plan.targets);
        let catalog = catalog_of(&plan.states, &self.segment, &plan.notes);
        let index = frame(Kind::Index, plan.last, self.end, &catalog.meta, &catalog.blocks)?;
        let metas_at = self
            .end
            .saturating_add((HEADER_BYTES + catalog.meta.len()) as u64);
        let metas = catalog.placed(metas_at).ok_or(Stop::Damaged(Error::TooLarge))?;
        self.put(&index)?;
        self.segment.seal(self.end, metas);
        self.file.sync_all().map_err(Stop::Io)
    }

    fn copy_records(
        &mut self,
        shared: &Shared,
        partition: u32,
        carried: &Carried,
        chunk: &[(usize, Pos, Place)],
    ) -> Result<(), Stop> {
        let pick = |(number, pos, _): &(usize, Pos, Place)| Pick {
            number: *number,
            pos: *pos,
            note: None,
        };
        let picks = chunk.iter().map(pick).collect();
        let metas = Piece::new(carried.at.clone(), &carried.metas, picks)
            .read(shared)
            .map_err(Stop::Damaged)?;
        let mut located = Located::default();
        for (_, pos, place) in chunk {
            located.push(&carried.at, *pos, *place);
        }
        let bodies = read_bodies(shared, partition, located).map_err(Stop::Damaged)?;
        let mut group = FrameBuilder::default();
        for (((_, pos, _), meta), body) in chunk.iter().zip(metas).zip(bodies) {
            group.append(
                partition,
                Append {
                    pos: *pos,
                    meta,
                    body: body.unwrap_or_default(),
                },
            );
        }
        self.put_group(group)
    }

    fn put_group(&mut self, group: FrameBuilder) -> Result<(), Stop> {
        if group.is_empty() {
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let frame = group
            .finish(self.last, self.end, 0, &mut buffer)
            .map_err(Stop::Damaged)?;
        self.put(&buffer)?;
        self.buffer = buffer;
        for effect in frame.effects {
            if let Effect::Append {
                partition,
                pos,
                place,
                meta,
            } = effect
            {
                self.segment.push(partition, pos, place, meta.of(&frame.meta));
            }
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.file.write_all_at(bytes, self.end).map_err(Stop::Io)?;
        self.end = self.end.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

fn frame(kind: Kind, segment: u64, offset: u64, meta: &[u8], bodies: &[u8]) -> Result<Vec<u8>, Stop> {
    plain_frame(kind, segment, offset, 0, meta, bodies).map_err(Stop::Damaged)
}

/// How many of these records to copy at once; at least one.
fn chunk_records(records: &[(usize, Pos, Place)]) -> usize {
    let mut bytes = 0_u64;
    let fits = |(_, _, place): &&(usize, Pos, Place)| {
        bytes = bytes.saturating_add(u64::from(place.body_bytes));
        bytes <= CHUNK_BYTES
    };
    records.iter().take(CHUNK_RECORDS).take_while(fits).count().max(1)
}
