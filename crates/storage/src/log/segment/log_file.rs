//! One file of the log and what is known about it in memory.

use super::index::FileRef;
use super::run::{Place, Run, SealedMetas};
use super::tombstones::Tombstones;
use crate::contract::Pos;
use std::collections::{BTreeMap, BTreeSet};

/// What a record costs besides its body, about, in bytes: to weigh what a file still holds.
const RECORD_OVERHEAD_BYTES: u64 = 64;
/// What a note costs, about, in bytes.
pub(super) const NOTE_WEIGHT: u64 = 64;

/// See the module.
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
    pub(super) deletes: BTreeMap<u32, Tombstones>,
    /// Bytes of the tombstones, about.
    pub(super) delete_weight: u64,
    /// Ids of other files that hold records whose tombstone is here.
    pub(super) targets: BTreeSet<u64>,
    /// Records whose latest note is here.
    pub(super) notes: usize,
    /// Bytes of all notes, about.
    pub(super) mark_weight: u64,
    /// Bytes of all records, about.
    weight: u64,
    live_weight: u64,
}

fn weigh(place: Place) -> u64 {
    RECORD_OVERHEAD_BYTES.saturating_add(u64::from(place.body_bytes))
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
            deletes: BTreeMap::new(),
            delete_weight: 0,
            targets: BTreeSet::new(),
            notes: 0,
            mark_weight: 0,
            weight: 0,
            live_weight: 0,
        }
    }

    pub(super) fn push(&mut self, partition: u32, pos: Pos, place: Place, meta: &[u8]) {
        self.runs.entry(partition).or_default().push(pos, place, meta);
        self.weight = self.weight.saturating_add(weigh(place));
        self.live_weight = self.live_weight.saturating_add(weigh(place));
    }

    /// Adds a run; answers whether there was none of this partition.
    pub(super) fn push_run(&mut self, partition: u32, run: Run) -> bool {
        let weight: u64 = run.places().iter().map(|place| weigh(*place)).sum();
        self.weight = self.weight.saturating_add(weight);
        self.live_weight = self.live_weight.saturating_add(weight);
        self.runs.insert(partition, run).is_none()
    }

    /// Remembers a tombstone for the catalog.
    pub(super) fn bury(&mut self, partition: u32, first: Pos, last: Pos) {
        let deletes = self.deletes.entry(partition).or_default();
        let before = deletes.bytes();
        deletes.push(first, last);
        let more = deletes.bytes().saturating_sub(before) as u64;
        self.delete_weight = self.delete_weight.saturating_add(more);
    }

    /// No more frames are added.
    pub(super) fn seal(&mut self, bytes: u64, metas: Vec<(u32, SealedMetas)>) {
        self.sealed = true;
        self.bytes = bytes;
        self.deletes = BTreeMap::new();
        for (partition, metas) in metas {
            if let Some(run) = self.runs.get_mut(&partition) {
                run.seal(metas);
            }
        }
    }

    /// Marks all records from the first to the last deleted and calls back with each that was live. Answers their
    /// bytes, about; `None` when none was live.
    pub(super) fn kill(
        &mut self,
        partition: u32,
        first: Pos,
        last: Pos,
        mut killed: impl FnMut(Pos),
    ) -> Option<u64> {
        let run = self.runs.get_mut(&partition)?;
        let mut from = run.lower_bound(first);
        let mut freed = None;
        loop {
            // Bounded by `last` before it looks for live ones: what was deleted behind it costs nothing.
            let next = {
                let mut there = run.positions(from).take_while(|(_, pos)| *pos <= last);
                there.find(|(at, _)| run.is_live(*at))
            };
            let Some((at, pos)) = next else { break };
            run.kill(at);
            let weight = run.place(at).map_or(0, weigh);
            freed = Some(freed.unwrap_or(0_u64).saturating_add(weight));
            killed(pos);
            from = at.saturating_add(1);
        }
        self.live_weight = self.live_weight.saturating_sub(freed.unwrap_or(0));
        freed
    }

    /// Whether nothing that the file holds matters any more.
    pub(super) fn is_droppable(&self) -> bool {
        self.sealed && !self.damaged && self.live_weight == 0 && self.notes == 0 && self.targets.is_empty()
    }

    /// Bytes of the file that are still needed, about.
    pub(super) fn live_bytes(&self) -> u64 {
        let deletes = if self.targets.is_empty() {
            0
        } else {
            self.delete_weight
        };
        let notes = (self.notes as u64).saturating_mul(NOTE_WEIGHT);
        let live = self.live_weight.saturating_add(deletes).saturating_add(notes);
        let all = self
            .weight
            .saturating_add(self.delete_weight)
            .saturating_add(self.mark_weight);
        if all == 0 {
            return self.bytes;
        }
        let live = u128::from(self.bytes) * u128::from(live.min(all)) / u128::from(all);
        u64::try_from(live).unwrap_or(u64::MAX)
    }
}
