//! What is in the log, in memory: where each record is, which are deleted, and what each file still matters for.
//!
//! Positions rise in a partition, so that what a file holds of a partition is one run, and the runs of all files
//! do not overlap: finding a record is two binary searches. A deleted record is a bit.
//!
//! A file may go when it holds no live record, no live note, and no tombstone of a record that still lies in
//! another file; else a restart would bring back what was deleted.

use super::catalog::{Catalog, Part};
use super::disk::DiskFile;
use super::format::State;
use super::items::{Effect, Entry};
use crate::contract::Pos;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// What a record costs besides its body, about, in bytes: to weigh what a file still holds.
const RECORD_OVERHEAD_BYTES: u64 = 96;

/// The records of one partition in one file, in rising order of position.
#[derive(Default)]
pub(super) struct Run {
    pub(super) entries: Vec<Entry>,
    dead: Vec<u64>,
}

impl Run {
    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= self.dead.len().saturating_mul(64) {
            self.dead.push(0);
        }
        self.entries.push(entry);
    }

    fn find(&self, pos: Pos) -> Option<usize> {
        self.entries.binary_search_by_key(&pos, |entry| entry.pos).ok()
    }

    pub(super) fn is_live(&self, at: usize) -> bool {
        self.dead
            .get(at / 64)
            .is_some_and(|word| word & (1 << (at % 64)) == 0)
    }

    /// Marks a record deleted; answers whether it was live.
    fn kill(&mut self, at: usize) -> bool {
        let live = self.is_live(at);
        if let Some(word) = self.dead.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
        live
    }

    pub(super) fn live(&self) -> impl Iterator<Item = Entry> {
        self.entries
            .iter()
            .enumerate()
            .filter(|(at, _)| self.is_live(*at))
            .map(|(_, entry)| *entry)
    }
}

/// Which file this is.
#[derive(Clone)]
pub(super) struct FileRef {
    pub(super) name: Arc<str>,
    pub(super) file: Arc<dyn DiskFile>,
}

/// A file of the log and what is known about it.
pub(super) struct Segment {
    /// Unique in this process, never reused: two files with the same name are two segments.
    pub(super) id: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) at: FileRef,
    /// Bytes of the file, once sealed.
    pub(super) bytes: u64,
    pub(super) sealed: bool,
    /// Damage was met: the file is evidence and is neither rewritten nor dropped.
    pub(super) damaged: bool,
    pub(super) runs: BTreeMap<u32, Run>,
    /// Tombstones in this file; kept only until it is sealed, then its catalog has them.
    pub(super) deletes: Vec<(u32, Pos)>,
    /// Ids of other files that hold records whose tombstone is here.
    pub(super) targets: BTreeSet<u64>,
    /// Records whose latest note is here.
    pub(super) notes: usize,
    pub(super) weight: u64,
    pub(super) live_weight: u64,
}

impl Segment {
    pub(super) fn new(id: u64, first: u64, last: u64, at: FileRef) -> Self {
        Self {
            id,
            first,
            last,
            at,
            bytes: 0,
            sealed: false,
            damaged: false,
            runs: BTreeMap::new(),
            deletes: Vec::new(),
            targets: BTreeSet::new(),
            notes: 0,
            weight: 0,
            live_weight: 0,
        }
    }

    fn weigh(entry: &Entry) -> u64 {
        RECORD_OVERHEAD_BYTES.saturating_add(u64::from(entry.body_bytes))
    }

    pub(super) fn push(&mut self, partition: u32, entry: Entry) {
        self.runs.entry(partition).or_default().push(entry);
        self.weight = self.weight.saturating_add(Self::weigh(&entry));
        self.live_weight = self.live_weight.saturating_add(Self::weigh(&entry));
    }

    fn kill(&mut self, partition: u32, pos: Pos) -> Kill {
        let Some(run) = self.runs.get_mut(&partition) else {
            return Kill::Unknown;
        };
        let Some(at) = run.find(pos) else {
            return Kill::Unknown;
        };
        if !run.kill(at) {
            return Kill::DeadAlready;
        }
        let weight = run.entries.get(at).map_or(0, Self::weigh);
        self.live_weight = self.live_weight.saturating_sub(weight);
        Kill::Killed { weight }
    }
}

enum Kill {
    Killed { weight: u64 },
    DeadAlready,
    Unknown,
}

#[derive(Default)]
struct Partition {
    state: State,
    /// The latest note of each live record that has one, and the id of the segment it is in.
    notes: HashMap<Pos, (u64, Bytes)>,
    /// The first position of each run, and the first number of the segment it is in.
    runs: BTreeMap<Pos, u64>,
}

/// A live record and where it is.
pub(super) struct Located {
    pub(super) at: FileRef,
    pub(super) entry: Entry,
    pub(super) note: Option<Bytes>,
}

/// All files and partitions.
pub(super) struct Index {
    partitions: Vec<Partition>,
    pub(super) segments: BTreeMap<u64, Segment>,
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
            next_id: 0,
            freed: 0,
            poisoned: false,
        }
    }

    fn partition(&self, partition: u32) -> Option<&Partition> {
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

    /// The newest file gets no more frames.
    pub(super) fn seal_newest(&mut self, bytes: u64) {
        if let Some(segment) = self.newest_mut() {
            segment.sealed = true;
            segment.bytes = bytes;
            segment.deletes = Vec::new();
        }
    }

    /// Applies what a frame of the newest file does. Refuses what cannot be, telling why.
    pub(super) fn apply(&mut self, effects: Vec<Effect>) -> Result<(), &'static str> {
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
                Effect::Append { partition, entry } => self.append(partition, entry)?,
                Effect::Delete { partition, pos } => self.delete(partition, pos),
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

    fn append(&mut self, partition: u32, entry: Entry) -> Result<(), &'static str> {
        let newest = self.newest_mut().ok_or("a record outside any segment")?;
        let run = newest.runs.get(&partition);
        let starts_run = run.is_none_or(|run| run.entries.is_empty());
        let rises = run
            .and_then(|run| run.entries.last())
            .is_none_or(|last| last.pos < entry.pos);
        newest.push(partition, entry);
        let first = newest.first;
        let partition = self.partition_mut(partition).ok_or("an unknown partition")?;
        if !rises
            || (starts_run
                && partition
                    .runs
                    .last_key_value()
                    .is_some_and(|(last, _)| *last >= entry.pos))
        {
            return Err("positions that do not rise");
        }
        if starts_run {
            partition.runs.insert(entry.pos, first);
        }
        partition.state.last_pos = partition.state.last_pos.max(entry.pos);
        Ok(())
    }

    fn delete(&mut self, partition: u32, pos: Pos) {
        if let Some(newest) = self.newest_mut() {
            newest.deletes.push((partition, pos));
        }
        let Some(first) = self.segment_of(partition, pos) else {
            return;
        };
        let Some(segment) = self.segments.get_mut(&first) else {
            return;
        };
        let id = segment.id;
        match segment.kill(partition, pos) {
            Kill::Killed { weight } => self.freed = self.freed.saturating_add(weight),
            Kill::DeadAlready | Kill::Unknown => return,
        }
        if let Some(newest) = self.newest_mut().filter(|newest| newest.id != id) {
            newest.targets.insert(id);
        }
        let gone = self
            .partition_mut(partition)
            .and_then(|partition| partition.notes.remove(&pos));
        if let Some((note_id, _)) = gone {
            self.forget_note(note_id);
        }
    }

    fn note(&mut self, partition: u32, pos: Pos, note: Bytes) {
        if self.find(partition, pos).is_none_or(|(run, at)| !run.is_live(at)) {
            return;
        }
        let Some(newest) = self.newest_mut() else { return };
        newest.notes = newest.notes.saturating_add(1);
        let id = newest.id;
        let before = self
            .partition_mut(partition)
            .and_then(|partition| partition.notes.insert(pos, (id, note)));
        if let Some((note_id, _)) = before {
            self.forget_note(note_id);
        }
    }

    fn forget_note(&mut self, id: u64) {
        if let Some(segment) = self.segments.values_mut().rev().find(|segment| segment.id == id) {
            segment.notes = segment.notes.saturating_sub(1);
        }
    }

    /// The segment whose run would hold the position.
    fn segment_of(&self, partition: u32, pos: Pos) -> Option<u64> {
        self.partition(partition)?
            .runs
            .range(..=pos)
            .next_back()
            .map(|(_, first)| *first)
    }

    /// The file that physically holds a record, live or not.
    pub(super) fn holder(&self, partition: u32, pos: Pos) -> Option<&Segment> {
        let segment = self.segments.get(&self.segment_of(partition, pos)?)?;
        segment.runs.get(&partition)?.find(pos).map(|_| segment)
    }

    fn find(&self, partition: u32, pos: Pos) -> Option<(&Run, usize)> {
        let run = self
            .segments
            .get(&self.segment_of(partition, pos)?)?
            .runs
            .get(&partition)?;
        run.find(pos).map(|at| (run, at))
    }

    /// Where a live record is.
    pub(super) fn locate(&self, partition: u32, pos: Pos) -> Option<(FileRef, Entry)> {
        let segment = self.segments.get(&self.segment_of(partition, pos)?)?;
        let run = segment.runs.get(&partition)?;
        let at = run.find(pos).filter(|at| run.is_live(*at))?;
        run.entries.get(at).map(|entry| (segment.at.clone(), *entry))
    }

    /// The first `max` live records after a position.
    pub(super) fn live_after(&self, partition: u32, after: Pos, max: usize) -> Vec<Located> {
        let Some(state) = self.partition(partition) else {
            return Vec::new();
        };
        let from = state
            .runs
            .range(..=after)
            .next_back()
            .map_or(Pos(0), |(first, _)| *first);
        let mut found = Vec::new();
        for first in state
            .runs
            .range((Bound::Included(from), Bound::Unbounded))
            .map(|(_, first)| first)
        {
            let Some(segment) = self.segments.get(first) else {
                continue;
            };
            let Some(run) = segment.runs.get(&partition) else {
                continue;
            };
            let skip = run.entries.partition_point(|entry| entry.pos <= after);
            for (at, entry) in run.entries.iter().enumerate().skip(skip) {
                if found.len() >= max {
                    return found;
                }
                if run.is_live(at) {
                    let note = state.notes.get(&entry.pos).map(|(_, note)| note.clone());
                    found.push(Located {
                        at: segment.at.clone(),
                        entry: *entry,
                        note,
                    });
                }
            }
        }
        found
    }

    /// The notes that are in these segments and still the latest of a live record.
    pub(super) fn notes_in(&self, ids: &BTreeSet<u64>) -> BTreeMap<u32, Vec<(Pos, Bytes)>> {
        let mut found: BTreeMap<u32, Vec<(Pos, Bytes)>> = BTreeMap::new();
        for (number, partition) in (0_u32..).zip(&self.partitions) {
            let here = partition.notes.iter().filter(|(_, (id, _))| ids.contains(id));
            let mut notes: Vec<_> = here.map(|(pos, (_, note))| (*pos, note.clone())).collect();
            if !notes.is_empty() {
                notes.sort_by_key(|(pos, _)| *pos);
                found.insert(number, notes);
            }
        }
        found
    }

    /// Bytes of the frame that would seal the newest file, about.
    pub(super) fn seal_bytes(&self) -> u64 {
        let Some(newest) = self.newest() else { return 0 };
        let entries: usize = newest.runs.values().map(|run| run.entries.len()).sum();
        let states = self.partitions.len().saturating_mul(48);
        let items = entries
            .saturating_mul(24)
            .saturating_add(newest.deletes.len().saturating_mul(8));
        let fixed = (states.saturating_add(items) as u64).saturating_add(128);
        fixed.saturating_add((newest.notes as u64).saturating_mul(super::catalog::ITEM_BYTES))
    }

    /// The catalog of the newest file, to seal it with.
    pub(super) fn catalog(&self) -> Catalog {
        let Some(newest) = self.newest() else {
            return Catalog::default();
        };
        let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
        for (partition, run) in &newest.runs {
            parts
                .entry(*partition)
                .or_default()
                .entries
                .clone_from(&run.entries);
        }
        for (partition, pos) in &newest.deletes {
            parts.entry(*partition).or_default().deletes.push(*pos);
        }
        if newest.notes > 0 {
            for (partition, notes) in self.notes_in(&BTreeSet::from([newest.id])) {
                parts.entry(partition).or_default().notes = notes;
            }
        }
        let parts = parts
            .into_iter()
            .map(|(partition, part)| Part { partition, ..part })
            .collect();
        Catalog {
            states: self.states(),
            parts,
        }
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
        for other in self.segments.values_mut() {
            let before = other.targets.len();
            other.targets.retain(|target| !old_ids.contains(target));
            if raced && other.targets.len() != before {
                other.targets.insert(id);
            }
        }
        for (number, partition) in (0_u32..).zip(&mut self.partitions) {
            partition.runs.retain(|_, first| !sources.contains(first));
            if let Some(start) = segment.runs.get(&number).and_then(|run| run.entries.first()) {
                partition.runs.insert(start.pos, segment.first);
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
            for entry in &run.entries {
                if self
                    .find(*partition, entry.pos)
                    .is_none_or(|(old, at)| !old.is_live(at))
                {
                    gone.push((*partition, entry.pos));
                }
            }
        }
        for (partition, pos) in &gone {
            segment.kill(*partition, *pos);
        }
        !gone.is_empty()
    }

    /// Forgets a file that was removed.
    pub(super) fn drop_segment(&mut self, first: u64) {
        let Some(gone) = self.segments.remove(&first) else {
            return;
        };
        for other in self.segments.values_mut() {
            other.targets.remove(&gone.id);
        }
        for partition in &mut self.partitions {
            partition.runs.retain(|_, at| *at != first);
        }
    }

    /// Whether nothing that the file holds matters any more.
    pub(super) fn is_droppable(segment: &Segment) -> bool {
        segment.sealed
            && !segment.damaged
            && segment.live_weight == 0
            && segment.notes == 0
            && segment.targets.is_empty()
    }
}
