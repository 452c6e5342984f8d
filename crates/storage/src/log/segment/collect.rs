//! The thread that keeps the folder small: it makes files before they are needed, removes files that hold
//! nothing that matters, and rewrites sparse ones.
//!
//! The order that keeps deleted records deleted: a file is gone for good (removed and the folder synced) before
//! any tombstone of what was in it may go. A rewritten file is durable under its name before its sources go; a
//! crash in between leaves both, and the next opening removes what the wider name covers. A file is off the list of
//! files before it goes.

use super::disk::is_full;
use super::files::Listing;
use super::index::Index;
use super::rewrite::{Rewrite, rewrite};
use super::shared::{Chores, EndOfThread, PREPARED_FILES, Prepared, Shared};
use crate::contract::{Error, lock};
use std::sync::Arc;

/// A file is rewritten when at most one part in so many of it is live.
const SPARSE_PART: u64 = 4;
/// A file is small when it has at most one part in so many of a segment.
const SMALL_PART: u64 = 4;
/// So many small neighbours are made one.
const SMALL_NEIGHBOURS: usize = 8;

/// See the module.
pub(super) struct Collector {
    shared: Arc<Shared>,
    count: u64,
    listing: Listing,
}

struct Work {
    prepare: bool,
    collect: bool,
}

impl From<(bool, bool)> for Work {
    fn from((prepare, collect): (bool, bool)) -> Self {
        Self { prepare, collect }
    }
}

impl Collector {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            count: 0,
            listing: Listing::default(),
        }
    }

    /// Runs until the log is closed or poisoned.
    pub(super) fn run(mut self) {
        let _end = EndOfThread(Arc::clone(&self.shared));
        while let Some(work) = self.wait() {
            if !self.work(&work) {
                break;
            }
        }
    }

    /// Does what is asked for, without waiting; `None` when nothing is, else whether it went well.
    pub(super) fn step(&mut self) -> Option<bool> {
        let work = lock(&self.shared.chores).ok()?.take()?.into();
        Some(self.work(&work))
    }

    fn work(&mut self, work: &Work) -> bool {
        if work.prepare {
            self.prepare();
        }
        if work.collect && self.collect().is_err() {
            tracing::error!("the log's files are not collected until the server is restarted");
            return false;
        }
        true
    }

    fn wait(&self) -> Option<Work> {
        let mut chores = lock(&self.shared.chores).ok()?;
        loop {
            if chores.closed {
                return None;
            }
            if let Some(asked) = chores.take() {
                return Some(asked.into());
            }
            chores = self.shared.chores_changed.wait(chores).ok()?;
        }
    }

    fn temporary(&mut self) -> String {
        self.count = self.count.saturating_add(1);
        format!("collector-{}{}", self.count, super::file::TEMPORARY)
    }

    /// Makes files in advance until there are enough.
    pub(super) fn prepare(&mut self) {
        let wanted = |chores: &Chores| chores.prepared.len() < PREPARED_FILES && !chores.closed;
        while lock(&self.shared.chores).is_ok_and(|chores| wanted(&chores)) {
            let name = self.temporary();
            let bytes = self.shared.next_file_bytes();
            match self.shared.disk.create(&name, bytes) {
                Ok(file) => self.shared.keep_prepared(Prepared { name, file, bytes }),
                Err(error) => {
                    drop(self.shared.disk.remove(&name));
                    tracing::warn!(%error, full = is_full(&error), "cannot make the next log file in advance");
                    break;
                }
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.shared.chores.lock().is_ok_and(|chores| chores.closed)
    }

    /// Removes and rewrites until there is nothing to gain.
    pub(super) fn collect(&mut self) -> Result<(), Error> {
        self.listing.update(&self.shared, |_| {})?;
        while !self.is_closed() {
            if self.drop_one()? {
                continue;
            }
            let sources = sources(&*self.shared.index()?, self.shared.segment_bytes);
            if sources.is_empty() {
                break;
            }
            let temporary = self.temporary();
            let shared = Arc::clone(&self.shared);
            let is_closed = || shared.chores.lock().is_ok_and(|chores| chores.closed);
            match rewrite(&shared, &sources, &temporary, &is_closed, &mut self.listing)? {
                Rewrite::Done => {}
                Rewrite::Given => break,
            }
        }
        Ok(())
    }

    /// Removes the oldest file that does not matter any more; answers whether there was one.
    fn drop_one(&mut self) -> Result<bool, Error> {
        let gone = {
            let index = self.shared.index()?;
            index
                .segments
                .values()
                .find(|segment| segment.is_droppable())
                .map(|s| ((s.first, s.last), s.at.name.clone()))
        };
        let Some((range, name)) = gone else {
            return Ok(false);
        };
        let unlisted = self
            .listing
            .update(&self.shared, |ranges| ranges.retain(|listed| *listed != range))?;
        if !unlisted {
            return Ok(false);
        }
        if let Err(error) = self
            .shared
            .disk
            .remove(&name)
            .and_then(|()| self.shared.disk.sync_folder())
        {
            tracing::error!(%error, file = %self.shared.disk.path(&name), "cannot remove a log file");
            return Err(Error::Unknown);
        }
        self.shared.index_mut()?.drop_segment(range.0);
        tracing::debug!(file = %name, "log file removed");
        Ok(true)
    }
}

/// The files to rewrite next, as the first numbers of neighbours: one sparse file, or many small ones.
fn sources(index: &Index, segment_bytes: u64) -> Vec<u64> {
    let mut small: Vec<u64> = Vec::new();
    let mut small_bytes = 0_u64;
    for segment in index.segments.values() {
        if !segment.sealed || segment.damaged {
            small.clear();
            small_bytes = 0;
            continue;
        }
        let live = segment.live_bytes();
        let gain = segment.bytes.saturating_sub(live);
        if gain >= segment_bytes / 4 && live <= segment.bytes / SPARSE_PART {
            return vec![segment.first];
        }
        if segment.bytes > segment_bytes / SMALL_PART || small_bytes.saturating_add(live) > segment_bytes {
            small.clear();
            small_bytes = 0;
        }
        if segment.bytes <= segment_bytes / SMALL_PART {
            small.push(segment.first);
            small_bytes = small_bytes.saturating_add(live);
            if small.len() >= SMALL_NEIGHBOURS {
                return small;
            }
        }
    }
    Vec::new()
}
