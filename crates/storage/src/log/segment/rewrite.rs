//! Writing what still matters of some neighbouring files into one.

use super::catalog::{Catalog, Part};
use super::disk::DiskFile;
use super::file::{Sealed, read_catalog, segment_name};
use super::files::Listing;
use super::format::{Kind, Start, State, plain_frame};
use super::index::{FileRef, Segment};
use super::items::{Effect, Entry, FrameBuilder};
use super::read::{read_bodies, read_metas};
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
    records: BTreeMap<u32, Vec<(FileRef, Entry)>>,
    /// Tombstones of records that lie in other files, and the ids of these.
    deletes: BTreeMap<u32, Vec<Pos>>,
    targets: BTreeSet<u64>,
    notes: BTreeMap<u32, Vec<(Pos, Bytes)>>,
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
    let mut copy = Copy {
        file: &file,
        last: plan.last,
        end: 0,
        entries: BTreeMap::new(),
    };
    let written = copy.write(shared, &plan, is_closed);
    let Copy { end, entries, .. } = copy;
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
    let name = segment_name(plan.first, plan.last);
    install(shared, temporary, &name, &plan, listing)?;
    swap(
        shared,
        &plan,
        FileRef {
            name: name.as_str().into(),
            file,
        },
        end,
        entries,
    )?;
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

fn swap(
    shared: &Shared,
    plan: &Plan,
    at: FileRef,
    bytes: u64,
    entries: BTreeMap<u32, Vec<Entry>>,
) -> Result<(), Error> {
    let mut index = shared.index_mut()?;
    let mut segment = Segment::new(index.mint_id(), plan.first, plan.last, at);
    segment.bytes = bytes;
    segment.sealed = true;
    segment.targets.clone_from(&plan.targets);
    for (partition, entries) in entries {
        for entry in entries {
            segment.push(partition, entry);
        }
    }
    index.replace(&plan.sources, segment, &plan.notes);
    Ok(())
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
                let live = run.live().map(|entry| (segment.at.clone(), entry));
                plan.records.entry(*partition).or_default().extend(live);
            }
        }
        plan.notes = index.notes_in(&ids);
    }
    for (first, last, at) in files {
        let catalog = match read_catalog(&at.file, last) {
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
            for pos in deletes {
                let holder = index
                    .holder(partition, pos)
                    .filter(|holder| !plan.sources.contains(&holder.first));
                if let Some(holder) = holder {
                    plan.targets.insert(holder.id);
                    plan.deletes.entry(partition).or_default().push(pos);
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
    entries: BTreeMap<u32, Vec<Entry>>,
}

impl Copy<'_> {
    fn write(&mut self, shared: &Shared, plan: &Plan, is_closed: &dyn Fn() -> bool) -> Result<(), Stop> {
        let start = Start {
            first: plan.first,
            last: plan.last,
            states: plan.states.clone(),
        };
        self.put(&frame(Kind::Start, plan.last, 0, &start.encode())?)?;
        for (partition, records) in &plan.records {
            let mut rest = records.as_slice();
            while !rest.is_empty() {
                if is_closed() {
                    return Err(Stop::Closed);
                }
                let (chunk, after) = rest.split_at_checked(chunk_records(rest)).unwrap_or((rest, &[]));
                rest = after;
                self.copy_records(shared, *partition, chunk)?;
            }
        }
        let mut marks = FrameBuilder::default();
        for (partition, deletes) in &plan.deletes {
            for pos in deletes {
                marks.delete(*partition, *pos);
            }
        }
        for (partition, notes) in &plan.notes {
            marks.notes(*partition, notes.clone());
        }
        self.put_group(marks)?;
        let catalog = self.catalog(plan).encode();
        self.put(&frame(Kind::Index, plan.last, self.end, &catalog)?)?;
        self.file.sync_all().map_err(Stop::Io)
    }

    fn copy_records(
        &mut self,
        shared: &Shared,
        partition: u32,
        chunk: &[(FileRef, Entry)],
    ) -> Result<(), Stop> {
        let metas = read_metas(shared, partition, chunk).map_err(Stop::Damaged)?;
        let wanted: Vec<_> = chunk.iter().cloned().map(Some).collect();
        let bodies = read_bodies(shared, &wanted).map_err(Stop::Damaged)?;
        let mut group = FrameBuilder::default();
        for (((_, entry), meta), body) in chunk.iter().zip(metas).zip(bodies) {
            group.append(
                partition,
                Append {
                    pos: entry.pos,
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
        let frame = group.finish(self.last, self.end, 0).map_err(Stop::Damaged)?;
        self.put(&frame.bytes)?;
        for effect in frame.effects {
            if let Effect::Append { partition, entry } = effect {
                self.entries.entry(partition).or_default().push(entry);
            }
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.file.write_all_at(bytes, self.end).map_err(Stop::Io)?;
        self.end = self.end.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn catalog(&self, plan: &Plan) -> Catalog {
        let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
        for (partition, entries) in &self.entries {
            parts.entry(*partition).or_default().entries.clone_from(entries);
        }
        for (partition, deletes) in &plan.deletes {
            parts.entry(*partition).or_default().deletes.clone_from(deletes);
        }
        for (partition, notes) in &plan.notes {
            parts.entry(*partition).or_default().notes.clone_from(notes);
        }
        let parts = parts
            .into_iter()
            .map(|(partition, part)| Part { partition, ..part })
            .collect();
        Catalog {
            states: plan.states.clone(),
            parts,
        }
    }
}

fn frame(kind: Kind, segment: u64, offset: u64, meta: &[u8]) -> Result<Vec<u8>, Stop> {
    plain_frame(kind, segment, offset, 0, meta).map_err(Stop::Damaged)
}

/// How many of these records to copy at once; at least one.
fn chunk_records(records: &[(FileRef, Entry)]) -> usize {
    let mut bytes = 0_u64;
    let fits = |(_, entry): &&(FileRef, Entry)| {
        bytes = bytes.saturating_add(u64::from(entry.body_bytes));
        bytes <= CHUNK_BYTES
    };
    records.iter().take(CHUNK_RECORDS).take_while(fits).count().max(1)
}
