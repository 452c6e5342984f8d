//! The embedded log: append-only files of our own.
//!
//! Why ours: per message of 1 KiB it costs a fifth of the CPU and of the bytes written that general stores cost,
//! because what a broker stores is short-lived and read in the order it came. What it must keep:
//!
//! - what was acknowledged is there after a crash, whole, and what was deleted does not return;
//! - a damaged byte is detected and named, never served, never skipped;
//! - a group is atomic; a torn write at the end is cut off, damage anywhere else is reported;
//! - after a failed write or sync nothing is written any more.
//!
//! `format` says how bytes lie, `committer` writes, `recovery` opens, `collect` removes and rewrites, `files`
//! keeps the list of what must be there, `snapshot` is for backups.

mod catalog;
mod collect;
mod committer;
pub mod disk;
mod file;
pub(crate) mod files;
mod format;
mod index;
mod items;
mod log_file;
mod read;
mod recovery;
mod rewrite;
mod run;
mod scan;
mod shared;
pub mod snapshot;
pub mod steps;
#[cfg(test)]
mod tests;
mod tombstones;

use crate::contract::{
    BoxFuture, Error, Group, Log, LogOwner, LogReader, Opened, Page, PartitionId, Pos, Record, Token,
    check_count, check_open, check_page, cursor_pos,
};
use crate::open_error::OpenError;
use bulla_runtime::Tasks;
use bytes::Bytes;
use collect::Collector;
use committer::Committer;
use disk::Disk;
use index::Index;
use read::Located;
use shared::{Request, Shared};
use snapshot::SealedFile;
use std::any::Any;
use std::sync::{Arc, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::oneshot;

/// Bytes of a log file, unless the operator or a test chose another size.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;
/// Smallest and largest size of a log file; offsets in it have 32 bits.
const SEGMENT_BYTES_MIN: u64 = 4 << 10;
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// How to open a [`SegmentLog`].
#[derive(Clone)]
pub struct Options {
    /// Number of partitions; must be that of the data that is there.
    pub partitions: u32,
    /// Bytes of a log file, 4 KiB to 1 GiB; only new files follow a change.
    pub segment_bytes: u64,
    /// Something to hold on to as long as any handle or thread of the log lives, such as a lock.
    pub keep: Option<Arc<dyn Any + Send + Sync>>,
}

/// The log in a folder. It ends, after writing what was handed over, when the last handle of it is dropped:
/// the log, its owners and its readers.
#[derive(Clone)]
pub struct SegmentLog {
    engine: Arc<Engine>,
}

struct Engine {
    shared: Arc<Shared>,
    /// Let go when the threads have ended.
    _keep: Option<Arc<dyn Any + Send + Sync>>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Engine {
    /// The log as a crash left it, and who writes and who collects, not yet at work.
    fn recover(disk: Arc<dyn Disk>, options: Options) -> Result<(Self, Committer, Collector), OpenError> {
        let segment_bytes = options.segment_bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        let recovered = recovery::recover(&*disk, options.partitions, segment_bytes)?;
        let shared = Shared::new(disk, segment_bytes, options.partitions, recovered.index);
        let engine = Self {
            shared: Arc::new(shared),
            _keep: options.keep,
        };
        let committer = Committer::new(Arc::clone(&engine.shared), recovered.active);
        let collector = Collector::new(Arc::clone(&engine.shared));
        Ok((engine, committer, collector))
    }
}

impl SegmentLog {
    /// Opens the log, recovering what a crash left. Blocks for the time it takes to read the indexes.
    ///
    /// # Errors
    /// [`OpenError`]; nothing but torn ends and leftovers is changed then.
    pub fn open(disk: Arc<dyn Disk>, options: Options, tasks: &dyn Tasks) -> Result<Self, OpenError> {
        let (engine, committer, collector) = Engine::recover(disk, options)?;
        start(
            tasks,
            &engine.shared,
            "bulla-log-commit",
            Box::new(|| committer.run()),
        )?;
        start(
            tasks,
            &engine.shared,
            "bulla-log-collect",
            Box::new(|| collector.run()),
        )?;
        Ok(Self {
            engine: Arc::new(engine),
        })
    }

    /// The log as it is now, with everything that was acknowledged before, as files that do not change any more.
    ///
    /// # Errors
    /// [`Error::Full`] when there is no room for the log's next file, [`Error::Poisoned`].
    pub async fn snapshot(&self) -> Result<Vec<SealedFile>, Error> {
        let (reply, answer) = oneshot::channel();
        self.engine.shared.enqueue(Request::Snapshot { reply });
        answer.await.map_err(|_| Error::Unknown)?
    }
}

fn start(
    tasks: &dyn Tasks,
    shared: &Shared,
    name: &str,
    work: Box<dyn FnOnce() + Send>,
) -> Result<(), OpenError> {
    shared.thread_starts();
    tasks
        .spawn_thread(name, work)
        .inspect_err(|_| shared.thread_ends())
        .map_err(OpenError::io("cannot start a thread"))
}

impl Log for SegmentLog {
    fn partitions(&self) -> u32 {
        self.engine.shared.partitions
    }

    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn LogOwner>, Error>> {
        Box::pin(async move {
            check_open(partition, self.partitions(), node)?;
            let (reply, answer) = oneshot::channel();
            self.engine.shared.enqueue(Request::Claim {
                partition,
                node: node.to_owned(),
                reply,
            });
            let state = answer.await.map_err(|_| Error::Unknown)??;
            let owner: Box<dyn LogOwner> = Box::new(Owner {
                engine: Arc::clone(&self.engine),
                partition,
                token: state.token,
            });
            Ok(Opened {
                token: state.token,
                last_commit: state.last_commit,
                last_pos: state.last_pos,
                owner,
            })
        })
    }
}

#[derive(Clone)]
struct Owner {
    engine: Arc<Engine>,
    partition: PartitionId,
    token: Token,
}

impl Owner {
    /// The index, as long as nobody else owns the partition.
    fn index(&self) -> Result<RwLockReadGuard<'_, Index>, Error> {
        let index = self.engine.shared.index()?;
        match index.state(self.partition.0) {
            Some(state) if state.token == self.token => Ok(index),
            Some(_) | None => Err(Error::Fenced),
        }
    }

    fn read_bodies(&self, at: &[Pos]) -> Result<Vec<Option<Bytes>>, Error> {
        check_count(at.len())?;
        let located = Located::find(&*self.index()?, self.partition.0, at);
        read::read_bodies(&self.engine.shared, self.partition.0, located)
    }

    fn read_page(&self, cursor: Option<&Bytes>, max: usize) -> Result<Page<Record>, Error> {
        check_page(max)?;
        drop(self.index()?);
        read::read_page(&self.engine.shared, self.partition.0, cursor_pos(cursor)?, max)
    }
}

impl LogOwner for Owner {
    fn commit(&mut self, n: u64, group: Group) -> BoxFuture<'_, Result<(), Error>> {
        let (reply, answer) = oneshot::channel();
        let (partition, token) = (self.partition, self.token);
        self.engine.shared.enqueue(Request::Commit {
            partition,
            token,
            n,
            group,
            reply,
        });
        Box::pin(async move { answer.await.map_err(|_| Error::Unknown)? })
    }

    fn note(&mut self, notes: Vec<(Pos, Bytes)>, _within: Duration) {
        self.engine.shared.enqueue(Request::Note {
            partition: self.partition,
            token: self.token,
            notes,
        });
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        Arc::new(self.clone())
    }
}

impl LogReader for Owner {
    fn scan(&self, cursor: Option<Bytes>, max: usize) -> BoxFuture<'_, Result<Page<Record>, Error>> {
        Box::pin(async move { self.read_page(cursor.as_ref(), max) })
    }

    fn bodies(&self, at: Vec<Pos>) -> BoxFuture<'_, Result<Vec<Option<Bytes>>, Error>> {
        Box::pin(async move { self.read_bodies(&at) })
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            if self.index()?.poisoned {
                Err(Error::Poisoned)
            } else {
                Ok(())
            }
        })
    }
}
