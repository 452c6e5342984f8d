//! What happens to messages between the index and the log: appending, reading, removing, hiding, expiring.

use super::Sqs;
use super::errors::SqsError;
use super::failed;
use super::index::{LeaseRefusal, Moment, Removal, Taken};
use super::limits::VISIBILITY_SECONDS_MAX;
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
const EXPIRE_MAX: usize = 4000;
/// How often queues that nobody reads are looked through for expired messages.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);

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
        let count = u64::try_from(self.logs.len()).unwrap_or(1).max(1);
        let partition = usize::try_from(queue % count).unwrap_or(0);
        self.logs.get(partition).ok_or(SqsError::Internal)
    }

    /// Appends sealed messages; durable when this returns.
    pub(crate) async fn append(
        &self,
        queue: &Queue,
        appends: Vec<(Bytes, Bytes)>,
    ) -> Result<Vec<Pos>, SqsError> {
        let submission = Submission {
            appends,
            ..Submission::default()
        };
        self.log(queue.id)?
            .submit(submission)
            .await
            .map_err(|error| failed(&error))
    }

    /// The envelopes at these positions; nothing for those that are gone.
    pub(crate) async fn bodies(&self, queue: &Queue, at: Vec<Pos>) -> Result<Vec<Option<Bytes>>, SqsError> {
        self.log(queue.id)?
            .bodies(at)
            .await
            .map_err(|error| failed(&error))
    }

    /// Ends the messages of these receipts; durable when this returns, also for those that somebody else is ending
    /// at the same time. Those that are gone, or were received again since, are passed over.
    pub(crate) async fn remove(&self, queue: &Queue, receipts: &[Receipt]) -> Result<(), SqsError> {
        let now = moment(self.runtime.clock.as_ref()).monotonic;
        let deletes: Vec<Pos> = {
            let mut index = queue.index();
            let begun = |receipt: &&Receipt| match index.begin_removal(now, receipt.position, receipt.receive)
            {
                Removal::Begun => true,
                Removal::Gone | Removal::ReceivedAgain | Removal::Expired => false,
            };
            receipts
                .iter()
                .filter(begun)
                .map(|receipt| receipt.position)
                .collect()
        };
        if deletes.is_empty() {
            return Ok(());
        }
        let submission = Submission {
            deletes: deletes.clone(),
            ..Submission::default()
        };
        let done = self.log(queue.id)?.submit(submission).await;
        let mut index = queue.index();
        let mut ready = 0;
        for position in &deletes {
            ready += usize::from(index.end_removal(*position, done.is_ok()));
        }
        drop(index);
        queue.wake(ready);
        done.map(drop).map_err(|error| failed(&error))
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

    /// Hides a message that is in flight for so many seconds from now on.
    pub(crate) fn change_visibility(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        handle: &str,
        seconds: Option<i32>,
    ) -> Result<(), SqsError> {
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
        self.note_leases(queue, &[taken], now, visibility);
        queue.wake(1);
        Ok(())
    }

    /// Removes messages that are older than the queue keeps them, all of them, a piece at a time.
    pub(crate) fn expire(&self, queue: &Queue, now: Moment) {
        let oldest_kept = oldest_kept(queue, now);
        loop {
            let expired = queue.index().expire(oldest_kept, EXPIRE_MAX);
            if expired.is_empty() {
                return;
            }
            self.discard_positions(queue.id, expired);
        }
    }

    /// Removes messages that nobody can receive any more, in the background: a restart finds out by itself that
    /// they are gone, so nobody waits for it.
    pub(crate) fn discard(&self, queue: &Queue, positions: Vec<Pos>) {
        self.discard_positions(queue.id, positions);
    }

    pub(crate) fn discard_positions(&self, queue: u64, positions: Vec<Pos>) {
        let Ok(log) = self.log(queue).cloned() else { return };
        self.runtime.tasks.spawn(Box::pin(discard(log, positions)));
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

/// Messages sent before are no longer kept, milliseconds since the epoch.
pub(crate) fn oldest_kept(queue: &Queue, now: Moment) -> u64 {
    let retention = queue.properties().settings.retention().as_millis();
    now.wall
        .saturating_sub(u64::try_from(retention).unwrap_or(u64::MAX))
}

async fn discard(log: LogWriter, positions: Vec<Pos>) {
    for deletes in positions.chunks(DISCARD_MAX) {
        let submission = Submission {
            deletes: deletes.to_vec(),
            ..Submission::default()
        };
        if let Err(error) = log.submit(submission).await {
            tracing::warn!(%error, "messages that are gone still take space on disk; the next start removes them");
            return;
        }
    }
}
