//! The log without threads: whoever simulates a server does by hand what the committer and the collector do.
//!
//! The code that writes, syncs and collects is the same; only the waiting in between is left out, so that a seed
//! decides when it happens.

use super::collect::Collector;
use super::committer::Committer;
use super::disk::Disk;
use super::shared::Shared;
use super::{Engine, Options, SegmentLog};
use crate::open_error::OpenError;
use std::sync::Arc;

/// What the log's threads would do.
pub struct Steps {
    shared: Arc<Shared>,
    committer: Committer,
    /// Gone after it failed, as its thread would be.
    collector: Option<Collector>,
}

impl SegmentLog {
    /// As [`SegmentLog::open`], without threads: nothing is written but by [`Steps`].
    ///
    /// # Errors
    /// Those of [`SegmentLog::open`].
    pub fn open_stepped(disk: Arc<dyn Disk>, options: Options) -> Result<(Self, Steps), OpenError> {
        let (engine, committer, collector) = Engine::recover(disk, options)?;
        let steps = Steps {
            shared: Arc::clone(&engine.shared),
            committer,
            collector: Some(collector),
        };
        let log = Self {
            engine: Arc::new(engine),
        };
        Ok((log, steps))
    }
}

impl Steps {
    /// Whether something waits to be written.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.shared.has_requests()
    }

    /// Writes what has queued up as one frame, syncs it and answers all.
    pub fn commit(&mut self) {
        let batch = self.shared.try_batch();
        if !batch.is_empty() {
            self.committer.commit(batch);
        }
    }

    /// Makes files in advance, removes those that hold nothing, and rewrites sparse ones; false when nothing of it
    /// was asked for.
    pub fn collect(&mut self) -> bool {
        let Some(collector) = &mut self.collector else {
            return false;
        };
        match collector.step() {
            Some(true) => true,
            Some(false) => {
                self.collector = None;
                true
            }
            None => false,
        }
    }
}

impl std::fmt::Debug for Steps {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Steps").finish_non_exhaustive()
    }
}
