//! What the handles, the committer thread and the collector thread share.

use super::disk::{Disk, DiskFile};
use super::format::State;
use super::index::Index;
use super::snapshot::SealedFile;
use crate::contract::{Error, Group, PartitionId, Pos, Token, group_size, lock};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::oneshot;

/// Bytes of records that one frame takes in before the rest waits for the next.
const FRAME_BYTES_MAX: usize = 16 << 20;

/// Bytes of notes that may wait; what comes on top is lost, as notes may be.
const NOTES_WAITING_BYTES_MAX: usize = 8 << 20;

const _: () = assert!(crate::LIMITS.bytes <= FRAME_BYTES_MAX);

/// Partitions that committed together come back about together: so long the committer waits for most of them
/// before it pays for a sync. A partition that commits alone is never waited for.
const LINGER: Duration = Duration::from_micros(800);
/// After so long without a commit nobody is expected back.
const BACK_WITHIN: Duration = Duration::from_millis(2);
/// So long notes wait for a commit that takes them along; a process that is killed loses those that wait.
const NOTES_WITHIN: Duration = Duration::from_millis(20);

/// What the committer is asked to do.
pub(super) enum Request {
    Claim {
        partition: PartitionId,
        node: String,
        reply: oneshot::Sender<Result<State, Error>>,
    },
    Commit {
        partition: PartitionId,
        token: Token,
        n: u64,
        group: Group,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    Note {
        partition: PartitionId,
        token: Token,
        notes: Vec<(Pos, Bytes)>,
    },
    /// Seals what was written and names it.
    Snapshot {
        reply: oneshot::Sender<Result<Vec<SealedFile>, Error>>,
    },
}

impl Request {
    fn bytes(&self) -> usize {
        match self {
            Self::Claim { node, .. } => node.len(),
            Self::Commit { group, .. } => group_size(group).1,
            Self::Note { notes, .. } => notes.iter().map(|(_, note)| note.len().saturating_add(16)).sum(),
            Self::Snapshot { .. } => 0,
        }
    }

    /// Whether somebody waits for the answer.
    pub(super) fn is_awaited(&self) -> bool {
        !matches!(self, Self::Note { .. })
    }

    /// Whether it brings records.
    pub(super) fn is_growing(&self) -> bool {
        match self {
            Self::Claim { .. } | Self::Note { .. } | Self::Snapshot { .. } => false,
            Self::Commit { group, .. } => !group.append.is_empty(),
        }
    }

    /// Says no.
    pub(super) fn refuse(self, error: Error) {
        // Whoever is not waiting any more does not want to know.
        match self {
            Self::Claim { reply, .. } => drop(reply.send(Err(error))),
            Self::Commit { reply, .. } => drop(reply.send(Err(error))),
            Self::Snapshot { reply } => drop(reply.send(Err(error))),
            Self::Note { .. } => {}
        }
    }
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Request>,
    /// How many of them are awaited.
    awaited: usize,
    /// How many awaited requests wake the committer; with none waiting, notes do as well.
    wake_at: usize,
    note_bytes: usize,
    closed: bool,
    poisoned: bool,
}

impl Queue {
    /// Requests from the front, as much as one frame should hold.
    fn take(&mut self) -> Vec<Request> {
        let mut batch = Vec::new();
        let mut bytes = 0_usize;
        while let Some(request) = self.requests.front() {
            let with = bytes.saturating_add(request.bytes());
            if with > FRAME_BYTES_MAX && !batch.is_empty() {
                break;
            }
            bytes = with;
            if request.is_awaited() {
                self.awaited = self.awaited.saturating_sub(1);
            } else {
                self.note_bytes = self.note_bytes.saturating_sub(request.bytes());
            }
            batch.extend(self.requests.pop_front());
        }
        batch
    }
}

/// A file with room, made before it is needed.
pub(super) struct Prepared {
    pub(super) name: String,
    pub(super) file: Arc<dyn DiskFile>,
    /// How long it was made.
    pub(super) bytes: u64,
}

/// Files made in advance: one for records, and one more that is kept for tombstones, so that a full disk can be
/// emptied.
pub(super) const PREPARED_FILES: usize = 2;

/// How long the first files are made.
pub(super) const FIRST_FILE_BYTES: u64 = 8 << 20;

/// What the collector thread has to do.
#[derive(Default)]
pub(super) struct Chores {
    pub(super) prepared: Vec<Prepared>,
    pub(super) prepare: bool,
    pub(super) collect: bool,
    pub(super) closed: bool,
}

impl Chores {
    /// What is asked for, once.
    pub(super) fn take(&mut self) -> Option<(bool, bool)> {
        let asked = (
            std::mem::take(&mut self.prepare),
            std::mem::take(&mut self.collect),
        );
        (asked.0 || asked.1).then_some(asked)
    }
}

/// See the module.
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) segment_bytes: u64,
    pub(super) partitions: u32,
    index: RwLock<Index>,
    queue: Mutex<Queue>,
    queue_changed: Condvar,
    pub(super) chores: Mutex<Chores>,
    pub(super) chores_changed: Condvar,
    files_made: AtomicU64,
    threads: Mutex<u32>,
    thread_ended: Condvar,
}

impl Shared {
    pub(super) fn new(disk: Arc<dyn Disk>, segment_bytes: u64, partitions: u32, index: Index) -> Self {
        Self {
            disk,
            segment_bytes,
            partitions,
            index: RwLock::new(index),
            queue: Mutex::default(),
            queue_changed: Condvar::new(),
            chores: Mutex::new(Chores {
                prepare: true,
                collect: true,
                ..Chores::default()
            }),
            chores_changed: Condvar::new(),
            files_made: AtomicU64::new(0),
            threads: Mutex::new(0),
            thread_ended: Condvar::new(),
        }
    }

    pub(super) fn index(&self) -> Result<RwLockReadGuard<'_, Index>, Error> {
        self.index.read().map_err(|_| Error::Poisoned)
    }

    pub(super) fn index_mut(&self) -> Result<RwLockWriteGuard<'_, Index>, Error> {
        self.index.write().map_err(|_| Error::Poisoned)
    }

    /// Hands a request to the committer, or says no.
    pub(super) fn enqueue(&self, request: Request) {
        let Ok(mut queue) = lock(&self.queue) else {
            return request.refuse(Error::Poisoned);
        };
        if queue.closed || queue.poisoned {
            drop(queue);
            return request.refuse(Error::Poisoned);
        }
        if matches!(request, Request::Note { .. }) {
            let bytes = queue.note_bytes.saturating_add(request.bytes());
            if bytes > NOTES_WAITING_BYTES_MAX {
                drop(queue);
                tracing::warn!(
                    "notes dropped: the disk does not keep up, leases may end early after a restart"
                );
                return;
            }
            queue.note_bytes = bytes;
        }
        let first = queue.requests.is_empty();
        if request.is_awaited() {
            queue.awaited = queue.awaited.saturating_add(1);
        }
        queue.requests.push_back(request);
        let wake = queue.awaited >= queue.wake_at || (first && queue.awaited == 0);
        drop(queue);
        if wake {
            self.queue_changed.notify_one();
        }
    }

    /// Waits for requests and takes what has come, as much as one frame should hold, in order. `previous` of the
    /// batch before were awaited. `None` when nothing will come any more.
    pub(super) fn take_batch(&self, previous: usize) -> Option<Vec<Request>> {
        let mut queue = lock(&self.queue).ok()?;
        // Who was answered just now is expected back, with those who have come meanwhile.
        let mut expected = previous.saturating_add(queue.awaited);
        while queue.awaited == 0 && !queue.closed {
            queue.wake_at = 1;
            let patience = match (queue.requests.is_empty(), expected) {
                (false, _) => NOTES_WITHIN,
                (true, 0) => {
                    queue = self.queue_changed.wait(queue).ok()?;
                    continue;
                }
                (true, _) => BACK_WITHIN,
            };
            let (found, timeout) = self.queue_changed.wait_timeout(queue, patience).ok()?;
            queue = found;
            if timeout.timed_out() {
                expected = 0;
                if !queue.requests.is_empty() {
                    break;
                }
            }
        }
        let enough = expected.saturating_sub(expected / 4);
        if queue.awaited > 0 && queue.awaited < enough {
            queue.wake_at = enough;
            let more = |queue: &mut Queue| queue.awaited < queue.wake_at && !queue.closed && !queue.poisoned;
            let waited = self.queue_changed.wait_timeout_while(queue, LINGER, more);
            queue = waited.ok()?.0;
            queue.wake_at = 1;
        }
        let batch = queue.take();
        (!batch.is_empty() || !queue.closed).then_some(batch)
    }

    /// As [`Self::take_batch`] without waiting: what has come, which may be nothing.
    pub(super) fn try_batch(&self) -> Vec<Request> {
        lock(&self.queue).map_or_else(|_| Vec::new(), |mut queue| queue.take())
    }

    /// Whether requests wait.
    pub(super) fn has_requests(&self) -> bool {
        lock(&self.queue).is_ok_and(|queue| !queue.requests.is_empty())
    }

    /// No write is tried from here on.
    pub(super) fn poison(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.poisoned = true;
        queue.awaited = 0;
        let waiting: Vec<Request> = queue.requests.drain(..).collect();
        drop(queue);
        if let Ok(mut index) = self.index.write() {
            index.poisoned = true;
        }
        for request in waiting {
            request.refuse(Error::Poisoned);
        }
        self.close_chores();
    }

    fn close_chores(&self) {
        let mut chores = self.chores.lock().unwrap_or_else(PoisonError::into_inner);
        chores.closed = true;
        drop(chores);
        self.chores_changed.notify_all();
    }

    /// Asks the collector for something.
    pub(super) fn ask(&self, ask: impl FnOnce(&mut Chores)) {
        if let Ok(mut chores) = self.chores.lock() {
            ask(&mut chores);
        }
        self.chores_changed.notify_one();
    }

    /// Keeps a file made in advance, unless there are enough.
    pub(super) fn keep_prepared(&self, prepared: Prepared) {
        let mut surplus = Some(prepared);
        self.ask(|chores| {
            if chores.prepared.len() < PREPARED_FILES {
                chores.prepared.extend(surplus.take());
            }
        });
        if let Some(Prepared { name, .. }) = surplus {
            // What stays behind is removed at the next opening.
            drop(self.disk.remove(&name));
        }
    }

    /// How long to make the next file: from small to the usual size, twice as long each time, so that a server
    /// that has little to do takes little room.
    pub(super) fn next_file_bytes(&self) -> u64 {
        let made = self.files_made.fetch_add(1, Ordering::Relaxed);
        let doubled = made.saturating_sub(PREPARED_FILES as u64).min(16);
        FIRST_FILE_BYTES
            .saturating_mul(1 << doubled)
            .min(self.segment_bytes)
    }

    pub(super) fn thread_starts(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        *threads = threads.saturating_add(1);
    }

    pub(super) fn thread_ends(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        *threads = threads.saturating_sub(1);
        drop(threads);
        self.thread_ended.notify_all();
    }

    /// Takes no more requests, works off those that wait, and returns when both threads have ended.
    pub(super) fn close(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.closed = true;
        drop(queue);
        self.queue_changed.notify_all();
        self.close_chores();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        while *threads > 0 {
            threads = self
                .thread_ended
                .wait(threads)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that a thread has ended, also when it ended by a panic; then nothing is written any more.
pub(super) struct EndOfThread(pub(super) Arc<Shared>);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison();
        }
        self.0.thread_ends();
    }
}
