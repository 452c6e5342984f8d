//! The one thread that writes. It takes what has queued up, of all partitions, writes it as one frame, syncs
//! once and answers all. The next frame forms in the queue meanwhile. Partitions that committed together are
//! waited for a moment, because a sync costs more than the wait; one that commits alone never waits. Notes wait a
//! little longer for a commit that takes them along.
//!
//! A write that fails because the disk is full is taken back by cutting the file before any sync was tried.
//! Deletions are then written apart from new records, and into a file kept for them, so that they make room.
//! Any other failed write and any failed sync poisons the log: what a failed sync left in the page cache is not
//! known, so a sync is never tried again.

use super::disk::is_full;
use super::file::{Active, TEMPORARY, segment_name, start_segment};
use super::format::{HEADER_BYTES, Kind, State, plain_frame};
use super::index::Index;
use super::items::FrameBuilder;
use super::log_file::Segment;
use super::shared::{EndOfThread, Prepared, Request, Shared};
use super::snapshot::SealedFile;
use crate::contract::{Error, Group, PartitionId, Pos, Token, check_group, check_turn, lock};
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A frame's buffer is kept for the next when it is not larger than this.
const BUFFER_BYTES_KEPT: usize = 2 << 20;

/// See the module.
pub(super) struct Committer {
    shared: Arc<Shared>,
    active: Active,
    poisoned: bool,
    /// The last frame with records did not fit on the disk.
    full: bool,
    prepared_count: u64,
    /// The last frame's bytes; kept so that the next frame needs no memory of its own.
    buffer: Vec<u8>,
}

/// Who is told when the frame is durable.
enum Waiting {
    Claim(oneshot::Sender<Result<State, Error>>, State),
    Commit(oneshot::Sender<Result<(), Error>>),
}

impl Waiting {
    // Whoever is not waiting any more does not want to know, so failed sends are dropped.
    fn answer(self, result: Result<(), Error>) {
        match self {
            Self::Claim(reply, state) => drop(reply.send(result.map(|()| state))),
            Self::Commit(reply) => drop(reply.send(result)),
        }
    }
}

/// A frame in the making, and the states of the partitions as they will be after it.
struct Forming {
    frame: FrameBuilder,
    states: Vec<State>,
    waiting: Vec<Waiting>,
}

impl Forming {
    fn state(&mut self, partition: PartitionId) -> Result<&mut State, Error> {
        let index = usize::try_from(partition.0).map_err(|_| Error::Misuse("no such partition"))?;
        self.states
            .get_mut(index)
            .ok_or(Error::Misuse("no such partition"))
    }

    fn claim(&mut self, partition: PartitionId, node: &str) -> Result<State, Error> {
        let state = self.state(partition)?;
        state.token = Token(state.token.0.saturating_add(1));
        let state = *state;
        self.frame.claim(partition.0, state.token, node);
        Ok(state)
    }

    fn commit(
        &mut self,
        partition: PartitionId,
        token: Token,
        n: u64,
        mut group: Group,
    ) -> Result<(), Error> {
        let state = self.state(partition)?;
        check_turn(token, state.token, n, state.last_commit.1)?;
        check_group(&group, state.last_pos)?;
        state.last_commit = (token, n);
        if let Some(last) = group.append.last() {
            state.last_pos = last.pos;
        }
        // A tombstone ahead of its record would delete it when the log is read again.
        group.delete.retain(|pos| *pos <= state.last_pos);
        self.frame.commit(partition.0, token, n, group);
        Ok(())
    }

    fn notes(&mut self, partition: PartitionId, token: Token, notes: Vec<(Pos, Bytes)>) {
        let group = Group {
            notes,
            ..Group::default()
        };
        if self.state(partition).is_ok_and(|state| state.token == token)
            && check_group(&group, Pos(0)).is_ok()
        {
            self.frame.notes(partition.0, group.notes);
        }
    }

    fn add(&mut self, request: Request) {
        match request {
            Request::Claim {
                partition,
                node,
                reply,
            } => match self.claim(partition, &node) {
                Ok(state) => self.waiting.push(Waiting::Claim(reply, state)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Request::Commit {
                partition,
                token,
                n,
                group,
                reply,
            } => match self.commit(partition, token, n, group) {
                Ok(()) => self.waiting.push(Waiting::Commit(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Request::Note {
                partition,
                token,
                notes,
            } => self.notes(partition, token, notes),
            Request::Snapshot { reply } => drop(reply.send(Err(Error::Misuse("not a write")))),
        }
    }
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, active: Active) -> Self {
        Self {
            shared,
            active,
            poisoned: false,
            full: false,
            prepared_count: 0,
            buffer: Vec::new(),
        }
    }

    /// Runs until the log is closed.
    pub(super) fn run(mut self) {
        let _end = EndOfThread(Arc::clone(&self.shared));
        let mut awaited = 0;
        while let Some(batch) = self.shared.take_batch(awaited) {
            awaited = batch.iter().filter(|request| request.is_awaited()).count();
            self.commit(batch);
        }
    }

    #[cfg(test)]
    pub(super) fn active_end(&self) -> u64 {
        self.active.end
    }

    pub(super) fn commit(&mut self, batch: Vec<Request>) {
        let is_snapshot = |request: &Request| matches!(request, Request::Snapshot { .. });
        let (snapshots, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_snapshot);
        self.commit_all(batch);
        for request in snapshots {
            if let Request::Snapshot { reply } = request {
                drop(reply.send(self.snapshot()));
            }
        }
    }

    /// Seals what was written, and holds on to every file that is the log now.
    fn snapshot(&mut self) -> Result<Vec<SealedFile>, Error> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        let shared = Arc::clone(&self.shared);
        let held = |segment: &Segment| SealedFile {
            name: Arc::clone(&segment.at.name),
            file: Arc::clone(&segment.at.file),
            bytes: segment.bytes,
            path: shared.disk.path(&segment.at.name),
        };
        // In one step with the sealing: the collector removes a sealed file at once when nothing in it is live, and
        // its index is what the restored log goes on from.
        self.roll_and(true, |index| {
            let sealed = index.segments.values().filter(|segment| segment.sealed);
            sealed.map(held).collect()
        })
    }

    fn commit_all(&mut self, batch: Vec<Request>) {
        if !self.full {
            return self.commit_together(batch);
        }
        // What makes room must not fail with what needs it.
        let (growing, shrinking): (Vec<_>, Vec<_>) = batch.into_iter().partition(Request::is_growing);
        self.commit_together(shrinking);
        self.commit_together(growing);
    }

    fn commit_together(&mut self, batch: Vec<Request>) {
        let states = match self.shared.index() {
            Ok(index) if !self.poisoned => index.states(),
            Ok(_) | Err(_) => {
                return batch
                    .into_iter()
                    .for_each(|request| request.refuse(Error::Poisoned));
            }
        };
        let growing = batch.iter().any(Request::is_growing);
        let mut forming = Forming {
            frame: FrameBuilder::default(),
            states,
            waiting: Vec::new(),
        };
        for request in batch {
            forming.add(request);
        }
        let Forming { frame, waiting, .. } = forming;
        if frame.is_empty() {
            return;
        }
        // Notes alone are written, so that they outlive the process, but nobody waits for a sync.
        let durable = !waiting.is_empty();
        let result = self.write(frame, durable, growing || !durable);
        match result {
            Err(Error::Full) => self.full = true,
            Ok(()) if growing => self.full = false,
            Ok(()) | Err(_) => {}
        }
        for waiting in waiting {
            waiting.answer(result.clone());
        }
    }

    /// Whether the active file has room for a frame and for the index that is to follow it.
    fn has_room(&self, frame: &FrameBuilder) -> Result<bool, Error> {
        let seal = self.shared.index()?.seal_bytes();
        let frame = (frame.frame_bytes() as u64).saturating_add(frame.index_bytes());
        Ok(self.active.end.saturating_add(frame).saturating_add(seal) <= self.active.room)
    }

    /// Writes a frame. `growing` is one that may not use the room kept for tombstones.
    fn write(&mut self, frame: FrameBuilder, durable: bool, growing: bool) -> Result<(), Error> {
        if self.active.has_frames() && !self.has_room(&frame)? {
            self.roll(growing)?;
        }
        let Active {
            number, end, synced, ..
        } = self.active;
        let mut buffer = std::mem::take(&mut self.buffer);
        let written = frame
            .finish(number, end, synced, &mut buffer)
            .and_then(|frame| self.put(&buffer).map(|()| frame));
        if buffer.capacity() <= BUFFER_BYTES_KEPT {
            self.buffer = buffer;
        }
        let frame = written?;
        if durable {
            self.sync()?;
        }
        let mut index = self.shared.index_mut()?;
        let applied = index.apply(frame.effects, &frame.meta);
        let collect = index.take_freed(self.shared.segment_bytes / 8);
        drop(index);
        if let Err(why) = applied {
            tracing::error!(why, "the log wrote what its index cannot hold");
            return Err(self.poison(Error::Unknown));
        }
        if collect {
            self.shared.ask(|chores| chores.collect = true);
        }
        Ok(())
    }

    /// Writes at the end of the active file. When the disk is full, takes it back.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let file = &self.active.at.file;
        match file.write_all_at(bytes, self.active.end) {
            Ok(()) => {
                self.active.end = self.active.end.saturating_add(bytes.len() as u64);
                Ok(())
            }
            Err(error) if is_full(&error) && file.set_size(self.active.end).is_ok() => {
                if !self.full {
                    tracing::error!(%error, file = %self.path(), "the disk is full; the commit was taken back");
                }
                Err(Error::Full)
            }
            Err(error) => Err(self.fail("write", &error)),
        }
    }

    fn sync(&mut self) -> Result<(), Error> {
        match self.active.at.file.sync_data() {
            Ok(()) => {
                self.active.synced = self.active.end;
                Ok(())
            }
            Err(error) => Err(self.fail("sync", &error)),
        }
    }

    fn path(&self) -> String {
        self.shared.disk.path(&self.active.at.name)
    }

    fn fail(&mut self, doing: &str, error: &io::Error) -> Error {
        tracing::error!(
            %error, doing, file = %self.path(),
            "the log stops: a failed write or sync is never retried; check the disk and restart the server"
        );
        self.poison(Error::Unknown)
    }

    fn poison(&mut self, error: Error) -> Error {
        self.poisoned = true;
        self.shared.poison();
        error
    }

    /// Seals the active file and goes on in a new one. Nothing is written to the new one before the old one is
    /// durable, so only the newest file can have a torn end.
    fn roll(&mut self, growing: bool) -> Result<(), Error> {
        self.roll_and(growing, |_| ())
    }

    /// As [`Self::roll`], and looks at the index before anything else can change it.
    fn roll_and<T>(&mut self, growing: bool, look: impl FnOnce(&Index) -> T) -> Result<T, Error> {
        let prepared = self.prepared(growing)?;
        let (catalog, states) = {
            let index = self.shared.index()?;
            (index.catalog(), index.states())
        };
        let Active {
            number, end, synced, ..
        } = self.active;
        let seal = plain_frame(Kind::Index, number, end, synced, &catalog.meta, &catalog.blocks)?;
        let metas_at = end.saturating_add((HEADER_BYTES + catalog.meta.len()) as u64);
        let metas = catalog.placed(metas_at).ok_or(Error::TooLarge)?;
        if let Err(error) = self.put(&seal) {
            self.shared.keep_prepared(prepared);
            return Err(error);
        }
        let sealed_bytes = self.active.end;
        let file = Arc::clone(&self.active.at.file);
        if let Err(error) = file.set_size(sealed_bytes) {
            self.shared.keep_prepared(prepared);
            return Err(self.unseal(end, "seal", &error));
        }
        if let Err(error) = file.sync_all() {
            return Err(self.fail("seal", &error));
        }
        let number = number.saturating_add(1);
        let temporary = prepared.name.clone();
        match start_segment(&*self.shared.disk, prepared, number, &states) {
            Ok(active) => self.active = active,
            Err(error) => {
                if is_full(&error) {
                    // What stays behind is removed at the next opening.
                    drop(self.shared.disk.remove(&temporary));
                }
                return Err(self.unseal(end, "start a segment after", &error));
            }
        }
        let mut index = self.shared.index_mut()?;
        index.seal_newest(sealed_bytes, metas);
        index.push_segment(number, number, self.active.at.clone());
        let seen = look(&index);
        drop(index);
        self.shared.ask(|chores| {
            chores.prepare = true;
            chores.collect = true;
        });
        tracing::debug!(segment = %segment_name(number, number), "log segment started");
        Ok(seen)
    }

    /// Takes a seal back when the disk is full, so that the file is gone on with when there is room.
    fn unseal(&mut self, end: u64, doing: &str, error: &io::Error) -> Error {
        if is_full(error) && self.active.at.file.set_size(end).is_ok() {
            self.active.end = end;
            if !self.full {
                tracing::error!(%error, file = %self.path(), "the disk is full; no room for a new log segment");
            }
            return Error::Full;
        }
        self.fail(doing, error)
    }

    /// A file made in advance, or made now. A growing frame leaves one for tombstones.
    fn prepared(&mut self, growing: bool) -> Result<Prepared, Error> {
        let ready = lock(&self.shared.chores)?.prepared.pop();
        let first = match ready {
            Some(ready) => ready,
            None => self.make_file()?,
        };
        if growing && lock(&self.shared.chores)?.prepared.is_empty() {
            match self.make_file() {
                Ok(spare) => self.shared.keep_prepared(spare),
                Err(error) => {
                    self.shared.keep_prepared(first);
                    return Err(error);
                }
            }
        }
        Ok(first)
    }

    fn make_file(&mut self) -> Result<Prepared, Error> {
        self.prepared_count = self.prepared_count.saturating_add(1);
        let name = format!("committer-{}{TEMPORARY}", self.prepared_count);
        let bytes = self.shared.next_file_bytes();
        match self.shared.disk.create(&name, bytes) {
            Ok(file) => Ok(Prepared { name, file, bytes }),
            Err(error) if is_full(&error) => {
                drop(self.shared.disk.remove(&name));
                if !self.full {
                    tracing::error!(%error, "the disk is full; no room for a new log segment");
                }
                Err(Error::Full)
            }
            Err(error) => Err(self.fail("create a segment after", &error)),
        }
    }
}
