//! A log partition for any number of tasks.
//!
//! Submissions that wait at the same time are merged into one bounded group, in the order they came; one commit
//! is in flight while the next group forms, so the slower the disk, the larger the groups. There is no timer.
//! A task that stops waiting does not take its submission back.
//!
//! Whoever keeps an index over the log updates it in [`Submission::applied`], which runs in the order of the
//! positions: nobody can then meet a later record before an earlier one.

use crate::contract::{
    Append, Error, Group, LIMITS, Log, LogOwner, LogReader, Page, PartitionId, Pos, Record, Token,
    check_group, group_size, lock,
};
use bulla_runtime::Tasks;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

/// How late an engine may send notes that no commit takes along.
const NOTE_WITHIN: Duration = Duration::from_millis(200);
/// Notes that may wait; what comes on top is lost, as notes may be.
const NOTES_WAITING_MAX: usize = 65_536;
/// Submitted bytes that may wait, in units of [`PERMIT_BYTES`]; who comes on top waits to submit.
const PERMITS: u32 = 32_768;
const PERMIT_BYTES: usize = 1 << 10;

const _: () = assert!(LIMITS.bytes / PERMIT_BYTES < PERMITS as usize);

/// What is to run when the outcome of a submission is known; see [`Submission::applied`].
pub type Applied = Box<dyn FnOnce(&Result<Vec<Pos>, Error>) + Send>;

/// What a task wants done, atomically.
#[derive(Default)]
pub struct Submission {
    /// Meta and body of each new record.
    pub appends: Vec<(Bytes, Bytes)>,
    /// Records that end here.
    pub deletes: Vec<Pos>,
    /// Notes on records.
    pub notes: Vec<(Pos, Bytes)>,
    /// Called exactly once with the outcome that [`LogWriter::submit`] answers, before it answers: in the order
    /// of the positions and after durability when the submission was committed; also when nobody waits for the
    /// answer any more, and also with an error. It runs on the task that commits, so it must be quick, must not
    /// wait and must not panic. A submission that was given up while it waited for room was surely not written;
    /// this is told as [`Error::Unavailable`].
    pub applied: Option<Applied>,
}

impl fmt::Debug for Submission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = formatter.debug_struct("Submission");
        out.field("appends", &self.appends.len())
            .field("deletes", &self.deletes)
            .field("notes", &self.notes.len());
        out.finish_non_exhaustive()
    }
}

/// Runs [`Submission::applied`] once, whatever happens to the submission.
struct Outcome {
    applied: Option<Applied>,
    /// What is told if nobody tells anything else.
    unless_told: Error,
}

impl Outcome {
    fn tell(&mut self, result: &Result<Vec<Pos>, Error>) {
        if let Some(applied) = self.applied.take() {
            applied(result);
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let result = Err(self.unless_told.clone());
        self.tell(&result);
    }
}

struct Waiting {
    group: Group,
    /// Operations and bytes of the group.
    size: (usize, usize),
    reply: Reply,
}

/// Who is told how a submission went, and what it holds on to until then.
struct Reply {
    outcome: Outcome,
    sender: oneshot::Sender<Result<Vec<Pos>, Error>>,
    /// The submitted bytes count as waiting until here, also when the submitter is gone.
    _room: OwnedSemaphorePermit,
}

impl Reply {
    fn send(mut self, result: Result<Vec<Pos>, Error>) {
        self.outcome.tell(&result);
        // Whoever is not waiting any more does not want to know.
        drop(self.sender.send(result));
    }
}

struct Queue {
    waiting: VecDeque<Waiting>,
    notes: Vec<(Pos, Bytes)>,
    last_pos: Pos,
    /// Why nothing can be submitted any more.
    dead: Option<Error>,
    closed: bool,
}

struct Inner {
    queue: Mutex<Queue>,
    changed: Notify,
    room: Arc<Semaphore>,
}

/// Closes the partition when the last writer is gone.
struct Handle {
    inner: Arc<Inner>,
    reader: Arc<dyn LogReader>,
    partition: PartitionId,
    token: Token,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Ok(mut queue) = self.inner.queue.lock() {
            queue.closed = true;
        }
        self.inner.changed.notify_one();
    }
}

/// A cloneable handle on an owned log partition. What was submitted is still written when the last handle goes.
#[derive(Clone)]
pub struct LogWriter {
    handle: Arc<Handle>,
}

impl LogWriter {
    /// Claims the partition and starts the task that commits.
    ///
    /// # Errors
    /// Those of [`Log::open`].
    pub async fn open(
        log: &dyn Log,
        partition: PartitionId,
        node: &str,
        tasks: &dyn Tasks,
    ) -> Result<Self, Error> {
        let opened = log.open(partition, node).await?;
        let queue = Queue {
            waiting: VecDeque::new(),
            notes: Vec::new(),
            last_pos: opened.last_pos,
            dead: None,
            closed: false,
        };
        let room = Arc::new(Semaphore::new(usize::try_from(PERMITS).unwrap_or(usize::MAX)));
        let inner = Arc::new(Inner {
            queue: Mutex::new(queue),
            changed: Notify::new(),
            room,
        });
        let reader = opened.owner.reader();
        let n = opened.last_commit.1;
        tasks.spawn(Box::pin(drive(Arc::clone(&inner), opened.owner, n)));
        Ok(Self {
            handle: Arc::new(Handle {
                inner,
                reader,
                partition,
                token: opened.token,
            }),
        })
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> PartitionId {
        self.handle.partition
    }

    /// The token of this opening.
    #[must_use]
    pub fn token(&self) -> Token {
        self.handle.token
    }

    /// Does everything in the submission, durably, or nothing. Answers the positions of the new records.
    ///
    /// # Errors
    /// Those of [`LogOwner::commit`]. After [`Error::Full`] and [`Error::Unavailable`] it may be tried again;
    /// after [`Error::Fenced`], [`Error::Unknown`], [`Error::Poisoned`] the writer is dead.
    pub async fn submit(&self, submission: Submission) -> Result<Vec<Pos>, Error> {
        let inner = &self.handle.inner;
        let Submission {
            appends,
            deletes,
            notes,
            applied,
        } = submission;
        let mut outcome = Outcome {
            applied,
            unless_told: Error::Unavailable {
                retry_after: Duration::ZERO,
            },
        };
        let append = appends
            .into_iter()
            .map(|(meta, body)| Append {
                pos: Pos(0),
                meta,
                body,
            })
            .collect();
        let group = Group {
            append,
            delete: deletes,
            notes,
        };
        let size = group_size(&group);
        let room = match inner.room(size.1).await {
            Ok(room) => room,
            Err(error) => return refuse(&mut outcome, error),
        };
        outcome.unless_told = Error::Unknown;
        let (sender, answer) = oneshot::channel();
        let reply = Reply {
            outcome,
            sender,
            _room: room,
        };
        match inner.push(Waiting { group, size, reply }) {
            Ok(()) => answer.await.map_err(|_| Error::Unknown)?,
            Err((mut waiting, error)) => refuse(&mut waiting.reply.outcome, error),
        }
    }

    /// Puts a note on a record. It goes out with the next group and is not durable by itself.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; otherwise why the writer is dead.
    pub fn note(&self, pos: Pos, note: Bytes) -> Result<(), Error> {
        if note.len() > LIMITS.key {
            return Err(Error::TooLarge);
        }
        let mut queue = lock(&self.handle.inner.queue)?;
        if let Some(dead) = &queue.dead {
            return Err(dead.clone());
        }
        if queue.notes.len() >= NOTES_WAITING_MAX {
            tracing::warn!(
                "a note dropped: the disk does not keep up, a lease may end early after a restart"
            );
            return Ok(());
        }
        queue.notes.push((pos, note));
        drop(queue);
        self.handle.inner.changed.notify_one();
        Ok(())
    }

    /// Bodies by position, in the order asked; `None` for a record that is not live.
    ///
    /// # Errors
    /// Those of [`LogReader::bodies`].
    pub async fn bodies(&self, at: Vec<Pos>) -> Result<Vec<Option<Bytes>>, Error> {
        self.handle.reader.bodies(at).await
    }

    /// Live records in order, without bodies.
    ///
    /// # Errors
    /// Those of [`LogReader::scan`].
    pub async fn scan(&self, cursor: Option<Bytes>, max: usize) -> Result<Page<Record>, Error> {
        self.handle.reader.scan(cursor, max).await
    }

    /// "Do we still own it?", asked of the engine.
    ///
    /// # Errors
    /// [`Error::Fenced`], [`Error::Poisoned`].
    pub async fn confirm(&self) -> Result<(), Error> {
        self.handle.reader.confirm().await
    }
}

/// Says no, to `applied` as well.
fn refuse(outcome: &mut Outcome, error: Error) -> Result<Vec<Pos>, Error> {
    let refused = Err(error);
    outcome.tell(&refused);
    refused
}

/// Who waits for a group, and the positions of their records.
struct Submitted {
    reply: Reply,
    positions: Vec<Pos>,
}

/// What the committing task does next.
enum Step {
    Commit(Group, Vec<Submitted>),
    Note(Vec<(Pos, Bytes)>),
    Wait,
    End,
}

impl Inner {
    /// Waits until so many bytes may be submitted.
    async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        if bytes > LIMITS.bytes {
            return Err(Error::TooLarge);
        }
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).map_err(|_| Error::TooLarge)?;
        let room = Arc::clone(&self.room).acquire_many_owned(permits.max(1));
        room.await.map_err(|_| Error::Poisoned)
    }

    /// Gives the records their positions and queues the submission, or hands it back.
    fn push(&self, mut waiting: Waiting) -> Result<(), (Box<Waiting>, Error)> {
        let mut queue = match lock(&self.queue) {
            Ok(queue) => queue,
            Err(error) => return Err((Box::new(waiting), error)),
        };
        let mut last = queue.last_pos;
        for append in &mut waiting.group.append {
            last = Pos(last.0.saturating_add(1));
            append.pos = last;
        }
        let refused = match &queue.dead {
            Some(dead) => Err(dead.clone()),
            None => check_group(&waiting.group, queue.last_pos),
        };
        if let Err(error) = refused {
            drop(queue);
            return Err((Box::new(waiting), error));
        }
        queue.last_pos = last;
        // What was noted of these records before must not come behind what is submitted now.
        if !waiting.group.notes.is_empty() {
            let newer = |pos: &Pos| waiting.group.notes.iter().any(|(noted, _)| noted == pos);
            queue.notes.retain(|(pos, _)| !newer(pos));
        }
        queue.waiting.push_back(waiting);
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    /// As much of what waits as one commit may hold, in order.
    ///
    /// After a group did not fit on the disk, submissions that bring no records go first and alone: what makes
    /// room must not fail with what needs it.
    fn step(&self, full: bool) -> Step {
        let Ok(mut queue) = self.queue.lock() else {
            return Step::End;
        };
        let grows = |waiting: &Waiting| !waiting.group.append.is_empty();
        if full {
            queue.waiting.make_contiguous().sort_by_key(grows);
        }
        let first_grows = queue.waiting.front().is_some_and(grows);
        let mut group = Group::default();
        let mut replies = Vec::new();
        let (mut ops, mut bytes) = (0_usize, 0_usize);
        while let Some(next) = queue
            .waiting
            .front()
            .filter(|next| !full || grows(next) == first_grows)
        {
            let (next_ops, next_bytes) = next.size;
            if !replies.is_empty() && (ops + next_ops > LIMITS.ops || bytes + next_bytes > LIMITS.bytes) {
                break;
            }
            let Some(Waiting {
                group: mut next,
                reply,
                size: _,
            }) = queue.waiting.pop_front()
            else {
                break;
            };
            ops = ops.saturating_add(next_ops);
            bytes = bytes.saturating_add(next_bytes);
            let positions = next.append.iter().map(|append| append.pos).collect();
            replies.push(Submitted { reply, positions });
            group.append.append(&mut next.append);
            group.delete.append(&mut next.delete);
            group.notes.append(&mut next.notes);
        }
        let room = LIMITS
            .ops
            .saturating_sub(ops)
            .min(LIMITS.bytes.saturating_sub(bytes) / LIMITS.key);
        let count = room.min(queue.notes.len());
        let riding: Vec<_> = queue.notes.drain(..count).collect();
        if replies.is_empty() {
            return match (riding.is_empty(), queue.closed) {
                (false, _) => Step::Note(riding),
                (true, false) => Step::Wait,
                (true, true) => Step::End,
            };
        }
        group.notes.extend(riding);
        Step::Commit(group, replies)
    }

    fn die(&self, error: &Error) {
        let Ok(mut queue) = self.queue.lock() else { return };
        queue.dead = Some(error.clone());
        queue.notes.clear();
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        for Waiting { reply, .. } in waiting {
            reply.send(Err(error.clone()));
        }
    }
}

async fn drive(inner: Arc<Inner>, mut owner: Box<dyn LogOwner>, mut n: u64) {
    let mut full = false;
    loop {
        match inner.step(full) {
            Step::Wait => {
                inner.changed.notified().await;
                others_first().await;
            }
            Step::End => return,
            Step::Note(notes) => owner.note(notes, NOTE_WITHIN),
            Step::Commit(group, replies) => {
                let next = n.saturating_add(1);
                let grows = !group.append.is_empty();
                let result = owner.commit(next, group).await;
                match result {
                    Ok(()) => {
                        n = next;
                        full = full && !grows;
                    }
                    Err(Error::Full) => full = true,
                    Err(_) => {}
                }
                for Submitted { reply, positions } in replies {
                    reply.send(result.clone().map(|()| positions));
                }
                if let Some(after) = result.err().and_then(fatal) {
                    return inner.die(&after);
                }
                others_first().await;
            }
        }
    }
}

/// Lets every other task of this thread that can run do so, so that what they submit shares the next sync. It costs an
/// idle server a microsecond, and a busy one no time that it would not spend on those tasks anyway.
///
/// Twice, because the first turn ends before the tasks whose sockets it found readable have run.
async fn others_first() {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

/// What later submissions are told after this error; `None` when the writer goes on.
fn fatal(error: Error) -> Option<Error> {
    match error {
        Error::Fenced => Some(Error::Fenced),
        Error::Unknown | Error::Poisoned => Some(Error::Poisoned),
        Error::Corrupt(what) => Some(Error::Corrupt(what)),
        Error::Misuse(what) => Some(Error::Misuse(what)),
        Error::Conflict { .. } | Error::TooLarge | Error::Full | Error::Unavailable { .. } => None,
    }
}
