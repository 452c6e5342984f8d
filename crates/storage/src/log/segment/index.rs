//! What is in the log, in memory: where each record is, which are deleted, and what each file still matters for.
//!
//! Positions rise in a partition, so that what a file holds of a partition is one run, and the runs of all files
//! do not overlap: finding a record is two binary searches. A deleted record is a bit.
//!
//! A file may go when it holds no live record, no live note, and no tombstone of a record that still lies in
//! another file; else a restart would bring back what was deleted.

use super::catalog::{Encoded, ITEM_BYTES, PART_BYTES, PartRef, encode};
use super::disk::DiskFile;
use super::format::State;
use super::items::Effect;
use super::log_file::{NOTE_WEIGHT, Segment};
use super::run::{Metas, Place, Run, SealedMetas};
use super::tombstones::Tombstones;
use crate::contract::Pos;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which file this is.
#[derive(Clone)]
pub(super) struct FileRef {
    pub(super) name: Arc<str>,
    pub(super) file: Arc<dyn DiskFile>,
}

#[derive(Default)]
pub(super) struct Partition {
    state: State,
    /// The latest note of each live record that has one, and the id of the segment it is in. Sorted, because what is
    /// noted and deleted together are neighbours.
    notes: BTreeMap<Pos, (u64, Bytes)>,
    /// The first position of each run, and the first number of the segment it is in.
    runs: BTreeMap<Pos, u64>,
}

impl Partition {
    pub(super) fn note_of(&self, pos: Pos) -> Option<Bytes> {
        if self.notes.is_empty() {
            return None;
        }
        self.notes.get(&pos).map(|(_, note)| note.clone())
    }

    /// The first numbers of the segments whose runs may hold positions from `first` to `last`, in order.
    pub(super) fn segments(&self, first: Pos, last: Pos) -> impl Iterator<Item = u64> {
        segments_of(&self.runs, first, last)
    }
}

fn segments_of(runs: &BTreeMap<Pos, u64>, first: Pos, last: Pos) -> impl Iterator<Item = u64> {
    let before = runs.range(..=first).next_back();
    let from = before.map_or(first, |(start, _)| *start);
    let rest = (from <= last).then(|| runs.range(from..=last));
    rest.into_iter().flatten().map(|(_, segment)| *segment)
}

/// All files and partitions.
pub(super) struct Index {
    partitions: Vec<Partition>,
    pub(super) segments: BTreeMap<u64, Segment>,
    /// The first number of the segment with this id.
    by_id: BTreeMap<u64, u64>,
    next_id: u64,
    /// Bytes of records deleted since the collector last looked.
    freed: u64,
    pub(super) poisoned: bool,
}

impl Index {
    pub(super) fn new(partitions: u32) -> Self {
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        Self {
            partitions,
            segments: BTreeMap::new(),
            by_id: BTreeMap::new(),
            next_id: 0,
            freed: 0,
            poisoned: false,
        }
    }

    pub(super) fn partition(&self, partition: u32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(partition).ok()?)
    }

    fn partition_mut(&mut self, partition: u32) -> Option<&mut Partition> {
        self.partitions.get_mut(usize::try_from(partition).ok()?)
    }

    pub(super) fn states(&self) -> Vec<State> {
        self.partitions.iter().map(|partition| partition.state).collect()
    }

    pub(super) fn state(&self, partition: u32) -> Option<State> {
        self.partition(partition).map(|partition| partition.state)
    }

    /// Takes over states from a file. Their number is that of the partitions.
    pub(super) fn restore(&mut self, states: &[State]) -> bool {
        for (partition, state) in self.partitions.iter_mut().zip(states) {
            partition.state = *state;
        }
        states.len() == self.partitions.len()
    }

    pub(super) fn mint_id(&mut self) -> u64 {
        self.next_id = self.next_id.saturating_add(1);
        self.next_id
    }

    /// Adds the newest file; what is applied next is in it.
    pub(super) fn push_segment(&mut self, first: u64, last: u64, at: FileRef) {
        let id = self.mint_id();
        self.by_id.insert(id, first);
        self.segments.insert(first, Segment::new(id, first, last, at));
    }

    pub(super) fn newest(&self) -> Option<&Segment> {
        self.segments.last_key_value().map(|(_, segment)| segment)
    }

    fn newest_mut(&mut self) -> Option<&mut Segment> {
        self.segments
            .last_entry()
            .map(std::collections::btree_map::OccupiedEntry::into_mut)
    }

    /// The newest file gets no more frames; its metas are in its catalog from now on.
    pub(super) fn seal_newest(&mut self, bytes: u64, metas: Vec<(u32, SealedMetas)>) {
        if let Some(segment) = self.newest_mut() {
            segment.seal(bytes, metas);
        }
    }

    /// The newest file has tombstones of about so many bytes.
    pub(super) fn weigh_deletes(&mut self, bytes: u64) {
        if let Some(newest) = self.newest_mut() {
            newest.delete_weight = bytes;
        }
    }

    /// Applies what a frame of the newest file does; `meta` is its metadata. Refuses what cannot be, telling why.
    pub(super) fn apply(&mut self, effects: Vec<Effect>, meta: &[u8]) -> Result<(), &'static str> {
        for effect in effects {
            match effect {
                Effect::Claim { partition, token } => {
                    self.partition_mut(partition)
                        .ok_or("an unknown partition")?
                        .state
                        .token = token;
                }
                Effect::Commit { partition, token, n } => {
                    let partition = self.partition_mut(partition).ok_or("an unknown partition")?;
                    partition.state.last_commit = (token, n);
                }
                Effect::Append {
                    partition,
                    pos,
                    place,
                    meta: slice,
                } => self.append(partition, pos, place, slice.of(meta))?,
                Effect::Delete {
                    partition,
                    first,
                    last,
                } => {
                    if let Some(newest) = self.newest_mut() {
                        newest.bury(partition, first, last);
                    }
                    self.delete(partition, first, last);
                }
                Effect::Note { partition, pos, note } => self.note(partition, pos, note),
            }
        }
        Ok(())
    }

    /// Whether so much was deleted that looking for files to collect is worth it; counts anew if so.
    pub(super) fn take_freed(&mut self, enough: u64) -> bool {
        let reached = self.freed >= enough.max(1);
        if reached {
            self.freed = 0;
        }
        reached
    }

    fn append(&mut self, partition: u32, pos: Pos, place: Place, meta: &[u8]) -> Result<(), &'static str> {
        let newest = self.newest_mut().ok_or("a record outside any segment")?;
        let first = newest.first;
        let last = newest.runs.get(&partition).and_then(Run::last);
        newest.push(partition, pos, place, meta);
        match last {
            Some(last) if last >= pos => return Err("positions that do not rise"),
            Some(_) => {}
            None => self.start_run(partition, pos, first)?,
        }
        let partition = self.partition_mut(partition).ok_or("an unknown partition")?;
        partition.state.last_pos = partition.state.last_pos.max(pos);
        Ok(())
    }

    /// Adds a whole run to the newest file.
    pub(super) fn append_run(&mut self, partition: u32, run: Run) -> Result<(), &'static str> {
        let Some(first) = run.first() else { return Ok(()) };
        let newest = self.newest_mut().ok_or("a record outside any segment")?;
        let number = newest.first;
        if !newest.push_run(partition, run) {
            return Err("a partition that is named twice");
        }
        self.start_run(partition, first, number)
    }

    fn start_run(&mut self, partition: u32, pos: Pos, segment: u64) -> Result<(), &'static str> {
        let number = partition;
        let partition = self.partition(partition).ok_or("an unknown partition")?;
        let before = partition.runs.last_key_value().and_then(|(_, first)| {
            let run = self.segments.get(first)?.runs.get(&number)?;
            run.last()
        });
        if before.is_some_and(|before| before >= pos) {
            return Err("positions that do not rise");
        }
        if let Some(partition) = self.partition_mut(number) {
            partition.runs.insert(pos, segment);
        }
        Ok(())
    }

    /// Deletes all records from the first to the last, by a tombstone in the newest file.
    pub(super) fn delete(&mut self, partition: u32, first: Pos, last: Pos) {
        let own = self.newest().map(|newest| newest.id);
        let held = usize::try_from(partition).ok();
        let Some(Partition { runs, notes, .. }) = held.and_then(|at| self.partitions.get_mut(at)) else {
            return;
        };
        let mut forgotten = Vec::new();
        let mut hit = Vec::new();
        for start in segments_of(runs, first, last) {
            let Some(segment) = self.segments.get_mut(&start) else {
                continue;
            };
            let freed = segment.kill(partition, first, last, |pos| {
                if !notes.is_empty() {
                    forgotten.extend(notes.remove(&pos).map(|(id, _)| id));
                }
            });
            if let Some(freed) = freed {
                self.freed = self.freed.saturating_add(freed);
                hit.extend(Some(segment.id).filter(|id| Some(*id) != own));
            }
        }
        for id in forgotten {
            self.forget_note(id);
        }
        if !hit.is_empty()
            && let Some(newest) = self.newest_mut()
        {
            newest.targets.extend(hit);
        }
    }

    pub(super) fn note(&mut self, partition: u32, pos: Pos, note: Bytes) {
        if self.find(partition, pos).is_none_or(|(run, at)| !run.is_live(at)) {
            return;
        }
        let Some(newest) = self.newest_mut() else { return };
        newest.notes = newest.notes.saturating_add(1);
        newest.mark_weight = newest.mark_weight.saturating_add(NOTE_WEIGHT);
        let id = newest.id;
        let before = self
            .partition_mut(partition)
            .and_then(|partition| partition.notes.insert(pos, (id, note)));
        if let Some((note_id, _)) = before {
            self.forget_note(note_id);
        }
    }

    fn forget_note(&mut self, id: u64) {
        if let Some(segment) = self.by_id.get(&id).and_then(|first| self.segments.get_mut(first)) {
            segment.notes = segment.notes.saturating_sub(1);
        }
    }

    /// The segment whose run would hold the position.
    fn segment_of(&self, partition: u32, pos: Pos) -> Option<&Segment> {
        let (_, first) = self.partition(partition)?.runs.range(..=pos).next_back()?;
        self.segments.get(first)
    }

    /// The files that physically hold records from the first to the last, live or not.
    pub(super) fn holders(&self, partition: u32, first: Pos, last: Pos) -> impl Iterator<Item = &Segment> {
        let runs = self.partition(partition).into_iter();
        let near = runs.flat_map(move |partition| partition.segments(first, last));
        near.filter_map(|number| self.segments.get(&number))
            .filter(move |segment| {
                let run = segment.runs.get(&partition);
                run.is_some_and(|run| {
                    let next = run.positions(run.lower_bound(first)).next();
                    next.is_some_and(|(_, pos)| pos <= last)
                })
            })
    }

    fn find(&self, partition: u32, pos: Pos) -> Option<(&Run, usize)> {
        let run = self.segment_of(partition, pos)?.runs.get(&partition)?;
        run.find(pos).map(|at| (run, at))
    }

    /// Where a live record is.
    pub(super) fn locate(&self, partition: u32, pos: Pos) -> Option<(&FileRef, Place)> {
        let segment = self.segment_of(partition, pos)?;
        let run = segment.runs.get(&partition)?;
        let at = run.find(pos).filter(|at| run.is_live(*at))?;
        run.place(at).map(|place| (&segment.at, place))
    }

    /// The notes that are in these segments and still the latest of a live record.
    pub(super) fn notes_in(&self, ids: &BTreeSet<u64>) -> BTreeMap<u32, Vec<(Pos, Bytes)>> {
        let mut found: BTreeMap<u32, Vec<(Pos, Bytes)>> = BTreeMap::new();
        for (number, partition) in (0_u32..).zip(&self.partitions) {
            let here = partition.notes.iter().filter(|(_, (id, _))| ids.contains(id));
            let notes: Vec<_> = here.map(|(pos, (_, note))| (*pos, note.clone())).collect();
            if !notes.is_empty() {
                found.insert(number, notes);
            }
        }
        found
    }

    /// Bytes of the frame that would seal the newest file, about.
    pub(super) fn seal_bytes(&self) -> u64 {
        let Some(newest) = self.newest() else { return 0 };
        let run = |run: &Run| {
            let metas = match run.metas() {
                Metas::Held(held) => held.bytes.len() as u64,
                Metas::Sealed(_) => 0,
            };
            let spans = (run.span_count() as u64).saturating_mul(16);
            let places = (run.len() as u64).saturating_mul(8);
            metas.saturating_add(spans).saturating_add(places)
        };
        let runs: u64 = newest.runs.values().map(run).sum();
        let deletes: usize = newest.deletes.values().map(Tombstones::bytes).sum();
        let notes = (newest.notes as u64).saturating_mul(ITEM_BYTES + NOTE_WEIGHT);
        let fixed = (self.partitions.len() as u64).saturating_mul(48 + PART_BYTES);
        runs.saturating_add(deletes as u64)
            .saturating_add(notes)
            .saturating_add(fixed)
            .saturating_add(128)
    }

    /// The catalog of the newest file, to seal it with.
    pub(super) fn catalog(&self) -> Encoded {
        let Some(newest) = self.newest() else {
            return encode(&[], [].into_iter());
        };
        let notes = if newest.notes > 0 {
            self.notes_in(&BTreeSet::from([newest.id]))
        } else {
            BTreeMap::new()
        };
        catalog_of(&self.states(), newest, &notes)
    }

    /// Puts a rewritten file in the place of its sources. `notes` are those it carries. What was deleted or
    /// noted while it was being written stays so.
    pub(super) fn replace(
        &mut self,
        sources: &BTreeSet<u64>,
        mut segment: Segment,
        notes: &BTreeMap<u32, Vec<(Pos, Bytes)>>,
    ) {
        let id = segment.id;
        let raced = self.kill_deleted_since(&mut segment);
        let old_ids: BTreeSet<u64> = sources
            .iter()
            .filter_map(|first| self.segments.remove(first))
            .map(|source| source.id)
            .collect();
        self.by_id.retain(|id, _| !old_ids.contains(id));
        self.by_id.insert(id, segment.first);
        for other in self.segments.values_mut() {
            let before = other.targets.len();
            other.targets.retain(|target| !old_ids.contains(target));
            if raced && other.targets.len() != before {
                other.targets.insert(id);
            }
        }
        for (number, partition) in (0_u32..).zip(&mut self.partitions) {
            partition.runs.retain(|_, first| !sources.contains(first));
            if let Some(start) = segment.runs.get(&number).and_then(Run::first) {
                partition.runs.insert(start, segment.first);
            }
            for (pos, _) in notes.get(&number).into_iter().flatten() {
                if let Some(note) = partition
                    .notes
                    .get_mut(pos)
                    .filter(|(old, _)| old_ids.contains(old))
                {
                    note.0 = id;
                    segment.notes = segment.notes.saturating_add(1);
                }
            }
        }
        self.segments.insert(segment.first, segment);
    }

    /// Marks deleted in the new file what is deleted in its sources by now; answers whether there was any.
    fn kill_deleted_since(&self, segment: &mut Segment) -> bool {
        let mut gone = Vec::new();
        for (partition, run) in &segment.runs {
            for (_, pos) in run.positions(0) {
                if self
                    .find(*partition, pos)
                    .is_none_or(|(old, at)| !old.is_live(at))
                {
                    gone.push((*partition, pos));
                }
            }
        }
        for (partition, pos) in &gone {
            segment.kill(*partition, *pos, *pos, |_| {});
        }
        !gone.is_empty()
    }

    /// Forgets a file that was removed.
    pub(super) fn drop_segment(&mut self, first: u64) {
        let Some(gone) = self.segments.remove(&first) else {
            return;
        };
        self.by_id.remove(&gone.id);
        for other in self.segments.values_mut() {
            other.targets.remove(&gone.id);
        }
        for partition in &mut self.partitions {
            partition.runs.retain(|_, at| *at != first);
        }
    }
}

/// The catalog of a file whose metas are in memory.
pub(super) fn catalog_of(
    states: &[State],
    segment: &Segment,
    notes: &BTreeMap<u32, Vec<(Pos, Bytes)>>,
) -> Encoded {
    let partitions: BTreeSet<u32> = segment
        .runs
        .keys()
        .chain(segment.deletes.keys())
        .chain(notes.keys())
        .copied()
        .collect();
    let part = |partition: u32| PartRef {
        partition,
        run: segment.runs.get(&partition),
        deletes: segment.deletes.get(&partition),
        notes: notes.get(&partition).map(Vec::as_slice),
    };
    let parts: Vec<PartRef<'_>> = partitions.into_iter().map(part).collect();
    encode(states, parts.into_iter())
}
