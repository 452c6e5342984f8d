//! What happens to messages between the index and the log: appending, reading, removing, hiding, expiring.

use super::Sqs;
use super::errors::SqsError;
use super::failed;
use super::index::{LeaseRefusal, Moment, Removal, Taken};
use super::limits::VISIBILITY_SECONDS_MAX;
use super::meta::{DeduplicationMeta, Meta};
use super::queue::{Queue, moment};
use super::receipt::Receipt;
use super::record;
use bulla_gate::Call;
use bulla_storage::{LogWriter, Pos, Submission};
use bytes::Bytes;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Positions that one background commit removes.
const DISCARD_MAX: usize = 400;
/// Expired messages that are removed while the index is locked once.
const EXPIRE_MAX: usize = 16_000;
/// How often queues that nobody reads are looked through for expired messages.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);

/// What lies at a position of the log.
#[derive(Debug)]
pub(crate) enum Body {
    There(Bytes),
    Gone,
    Damaged,
}

impl Sqs {
    /// The receipt of a message of this queue.
    pub(crate) fn receipt(&self, queue: &Queue, handle: &str) -> Result<Receipt, SqsError> {
        self.receipts
            .decode(handle)
            .filter(|receipt| receipt.queue == queue.id)
            .ok_or_else(|| SqsError::ReceiptHandleIsInvalid(handle.to_owned()))
    }

    /// The log that holds the queue's messages. A queue stays in one partition for life.
    pub(crate) fn log(&self, queue: u64) -> Result<&LogWriter, SqsError> {
        self.logs.get(self.partition(queue)).ok_or(SqsError::Internal)
    }

    /// Which partition of the log holds the queue's messages.
    pub(crate) fn partition(&self, queue: u64) -> usize {
        let count = u64::try_from(self.logs.len()).unwrap_or(1).max(1);
        usize::try_from(queue % count).unwrap_or(0)
    }

    /// Changes the log of a queue; durable when this returns.
    pub(crate) async fn submit(&self, queue: u64, submission: Submission) -> Result<Vec<Pos>, SqsError> {
        self.log(queue)?
            .submit(submission)
            .await
            .map_err(|error| failed(&error))
    }

    /// The envelopes at these positions. A damaged record holds up no other.
    pub(crate) async fn bodies(&self, queue: &Queue, at: Vec<Pos>) -> Result<Vec<Body>, SqsError> {
        let log = self.log(queue.id)?;
        let there = |body: Option<Bytes>| body.map_or(Body::Gone, Body::There);
        match log.bodies(at.clone()).await {
            Ok(bodies) => return Ok(bodies.into_iter().map(there).collect()),
            Err(bulla_storage::Error::Corrupt(_)) => {}
            Err(error) => return Err(failed(&error)),
        }
        let mut bodies = Vec::with_capacity(at.len());
        for position in at {
            bodies.push(match log.bodies(vec![position]).await {
                Ok(mut body) => there(body.pop().flatten()),
                Err(error @ bulla_storage::Error::Corrupt(_)) => {
                    tracing::error!(%error, queue = %queue.arn, position = position.0, "a stored message is damaged");
                    Body::Damaged
                }
                Err(error) => return Err(failed(&error)),
            });
        }
        Ok(bodies)
    }

    /// Ends the messages of these receipts, and says of each what it found; durable when this returns, also for those
    /// that somebody else is ending at the same time.
    pub(crate) async fn remove(&self, queue: &Queue, receipts: &[Receipt]) -> Result<Vec<Removal>, SqsError> {
        let now = moment(self.runtime.clock.as_ref());
        let found: Vec<Removal> = {
            let mut index = queue.index();
            receipts
                .iter()
                .map(|receipt| index.begin_removal(now.monotonic, receipt.position, receipt.receive))
                .collect()
        };
        let deletes: Vec<Pos> = receipts
            .iter()
            .zip(&found)
            .filter(|(_, found)| **found == Removal::Begun)
            .map(|(receipt, _)| receipt.position)
            .collect();
        if deletes.is_empty() {
            return Ok(found);
        }
        if let Some(mut attempts) = queue.attempts() {
            for position in &deletes {
                attempts.void(*position);
            }
        }
        let done = self.delete_positions(queue, deletes.clone(), now.wall).await;
        let ready = {
            let mut index = queue.index();
            let end = |position: &&Pos| index.end_removal(**position, done.is_ok());
            deletes.iter().filter(end).count()
        };
        queue.wake(ready);
        queue.has_room(deletes.len());
        done.map(|()| found)
    }

    /// Deletes records of messages from the log. Of FIFO messages whose duplicates must still be recognized the same
    /// commit leaves a record.
    pub(crate) async fn delete_positions(
        &self,
        queue: &Queue,
        deletes: Vec<Pos>,
        now: u64,
    ) -> Result<(), SqsError> {
        let submission = Submission {
            deletes,
            ..Submission::default()
        };
        self.submit_leaving(queue, submission, now).await
    }

    /// Commits a submission that deletes messages of this queue, with the records that they leave.
    pub(crate) async fn submit_leaving(
        &self,
        queue: &Queue,
        mut submission: Submission,
        now: u64,
    ) -> Result<(), SqsError> {
        let Some(table) = queue.deduplication() else {
            return self.submit(queue.id, submission).await.map(drop);
        };
        let remains = |position: &Pos| table.remains(queue.id, *position, now);
        let remains: Vec<DeduplicationMeta> = submission.deletes.iter().filter_map(remains).collect();
        let others = submission.appends.len();
        let metas = Meta::encode_all(remains.iter().copied().map(Meta::Deduplication));
        let records = metas.into_iter().map(|meta| (meta, Bytes::new()));
        submission.appends.extend(records);
        // A full disk must not keep a queue from being emptied: without the record the window lasts until a restart.
        let only_deletes = (others == 0 && submission.applied.is_none()).then(|| submission.deletes.clone());
        let positions = match (self.log(queue.id)?.submit(submission).await, only_deletes) {
            (Ok(positions), _) => positions,
            (Err(bulla_storage::Error::Full), Some(deletes)) if !remains.is_empty() => {
                let submission = Submission {
                    deletes,
                    ..Submission::default()
                };
                return self.submit(queue.id, submission).await.map(drop);
            }
            (Err(error), _) => return Err(failed(&error)),
        };
        for (remains, record) in remains.iter().zip(positions.into_iter().skip(others)) {
            table.recorded(remains.sent, record);
        }
        Ok(())
    }

    /// Remembers receives; not durable by itself, a lost note brings a message back early.
    pub(crate) fn note_leases(&self, queue: &Queue, taken: &[Taken], now: Moment, visibility: Duration) {
        let Ok(log) = self.log(queue.id) else { return };
        for taken in taken {
            if let Err(error) = log.note(taken.position, record::encode_lease(taken, now, visibility)) {
                tracing::warn!(%error, queue = %queue.arn, "a receive was not noted; after a restart the message may come back early");
            }
        }
    }

    /// Makes changes of visibility durable: a message that was given back early must not be hidden again by a restart.
    pub(crate) async fn keep_visibility(
        &self,
        queue: &Queue,
        notes: Vec<(Pos, Bytes)>,
    ) -> Result<(), SqsError> {
        if notes.is_empty() {
            return Ok(());
        }
        let submission = Submission {
            notes,
            ..Submission::default()
        };
        self.submit(queue.id, submission).await.map(drop)
    }

    /// Hides a message that is in flight for so many seconds from now on. Answers the note for
    /// [`keep_visibility`](Self::keep_visibility).
    pub(crate) fn change_visibility(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        handle: &str,
        seconds: Option<i32>,
    ) -> Result<(Pos, Bytes), SqsError> {
        let receipt = self.receipt(queue, handle)?;
        let seconds = seconds.ok_or(SqsError::MissingParameter("VisibilityTimeout"))?;
        let visibility = u64::try_from(seconds)
            .ok()
            .filter(|_| seconds <= VISIBILITY_SECONDS_MAX)
            .map(Duration::from_secs)
            .ok_or_else(|| {
                SqsError::InvalidParameterValue(format!(
                    "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and \
                     {VISIBILITY_SECONDS_MAX}."
                ))
            })?;
        let now = moment(call.runtime().clock.as_ref());
        let total = Duration::from_secs(u64::from(VISIBILITY_SECONDS_MAX.unsigned_abs()));
        let changed =
            queue
                .index()
                .change_visibility(now, receipt.position, receipt.receive, visibility, total);
        let taken = changed.map_err(|refusal| match refusal {
            LeaseRefusal::Gone | LeaseRefusal::NotInFlight => SqsError::InvalidParameterValue(format!(
                "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
                 available for visibility timeout change."
            )),
            LeaseRefusal::TooLong => SqsError::InvalidParameterValue(format!(
                "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the \
                 message is beyond the limit [{VISIBILITY_SECONDS_MAX} seconds]."
            )),
        })?;
        let note = record::encode_lease(&taken, now, visibility);
        if let Some(mut attempts) = queue.attempts() {
            attempts.void(receipt.position);
        }
        if visibility.is_zero() {
            queue.wake(1);
        } else {
            queue.is_due(now.monotonic.after(visibility));
        }
        Ok((taken.position, note))
    }

    /// Removes messages that are older than the queue keeps them, all of them, a piece at a time, and what was left to
    /// recognize duplicates for longer than it must be.
    pub(crate) fn expire(&self, queue: &Arc<Queue>, now: Moment) {
        let oldest_kept = oldest_kept(queue, now);
        loop {
            let expired = queue.index().expire(oldest_kept, EXPIRE_MAX);
            if expired.is_empty() {
                break;
            }
            if queue.is_fifo() {
                // What waited behind them may be ready now.
                queue.wake(expired.len());
            }
            self.discard(queue, expired);
        }
        if let Some(mut attempts) = queue.attempts() {
            attempts.forget(now.monotonic);
        }
        if let Some(table) = queue.deduplication() {
            let ended = table.ended(now.wall);
            if !ended.is_empty() {
                self.discard_positions(queue.id, ended);
            }
        }
    }

    /// Removes messages that nobody can receive any more, in the background: a restart finds out by itself that
    /// they are gone, so nobody waits for it. The commit that removes them leaves what is needed to recognize their
    /// duplicates.
    pub(crate) fn discard(&self, queue: &Arc<Queue>, positions: Vec<Pos>) {
        if positions.is_empty() {
            return;
        }
        let Ok(log) = self.log(queue.id).cloned() else {
            return;
        };
        let now = self.runtime.clock.now().as_millis();
        let queue = Arc::clone(queue);
        self.runtime
            .tasks
            .spawn(Box::pin(discard(log, queue, positions, now)));
    }

    /// Removes what became durable after the queue was purged or deleted.
    pub(crate) fn discard_late(&self, queue: &Arc<Queue>) {
        self.discard(queue, queue.take_late());
    }

    pub(crate) fn discard_positions(&self, queue: u64, positions: Vec<Pos>) {
        let Ok(log) = self.log(queue).cloned() else { return };
        self.runtime
            .tasks
            .spawn(Box::pin(discard_records(log, positions)));
    }

    /// Looks through all queues for expired messages from time to time, as long as the server runs.
    pub(crate) fn start_sweep(this: &Arc<Self>) {
        let weak = Arc::downgrade(this);
        let runtime = this.runtime.clone();
        let tasks = Arc::clone(&runtime.tasks);
        tasks.spawn(Box::pin(async move {
            loop {
                tokio::select! {
                    () = runtime.clock.sleep(SWEEP_INTERVAL) => {}
                    () = runtime.shutdown.wait() => return,
                }
                let Some(sqs) = weak.upgrade() else { return };
                let queues: Vec<_> = sqs
                    .queues
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .values()
                    .cloned()
                    .collect();
                for queue in queues {
                    sqs.expire(&queue, moment(runtime.clock.as_ref()));
                }
            }
        }));
    }
}

/// Whether a receipt that a deletion was asked with was still good. In a standard queue a late deletion is answered as
/// done; in a FIFO queue the message has become visible again, and deleting it could break the order. A message that is
/// just on its way to the dead-letter queue can be deleted in neither.
pub(crate) fn still_valid(queue: &Queue, found: Removal, handle: &str) -> Result<(), SqsError> {
    match found {
        Removal::Begun | Removal::Gone => Ok(()),
        Removal::ReceivedAgain if !queue.is_fifo() => Ok(()),
        Removal::ReceivedAgain | Removal::Expired => Err(SqsError::InvalidParameterValue(format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        ))),
    }
}

/// Messages sent before are no longer kept, milliseconds since the epoch.
pub(crate) fn oldest_kept(queue: &Queue, now: Moment) -> u64 {
    let retention = queue.properties().settings.retention().as_millis();
    now.wall
        .saturating_sub(u64::try_from(retention).unwrap_or(u64::MAX))
}

async fn discard(log: LogWriter, queue: Arc<Queue>, positions: Vec<Pos>, now: u64) {
    for deletes in positions.chunks(DISCARD_MAX / 2) {
        let table = queue.deduplication().filter(|_| !queue.is_deleted());
        let remains: Vec<DeduplicationMeta> = table.map_or_else(Vec::new, |table| {
            let remains = deletes.iter().filter_map(|at| table.remains(queue.id, *at, now));
            remains.collect()
        });
        let metas = Meta::encode_all(remains.iter().copied().map(Meta::Deduplication));
        let submission = Submission {
            appends: metas.into_iter().map(|meta| (meta, Bytes::new())).collect(),
            deletes: deletes.to_vec(),
            ..Submission::default()
        };
        match log.submit(submission).await {
            Ok(records) => {
                for (remains, record) in remains.iter().zip(records) {
                    if let Some(table) = table {
                        table.recorded(remains.sent, record);
                    }
                }
            }
            Err(error) => return warn_of_leftovers(&error),
        }
    }
}

async fn discard_records(log: LogWriter, positions: Vec<Pos>) {
    for deletes in positions.chunks(DISCARD_MAX) {
        let submission = Submission {
            deletes: deletes.to_vec(),
            ..Submission::default()
        };
        if let Err(error) = log.submit(submission).await {
            return warn_of_leftovers(&error);
        }
    }
}

fn warn_of_leftovers(error: &bulla_storage::Error) {
    tracing::warn!(%error, "messages that are gone still take space on disk; the next start removes them");
}
