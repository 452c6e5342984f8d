//! Message move tasks: what is in a dead-letter queue goes back to where it came from, or to a queue of choice.
//!
//! A task is a record in the directory and a worker in memory. What must stay true:
//!
//! - a queue is the source of one active task at a time;
//! - a task that was started goes on after a restart, and one that was cancelled does not;
//! - a message is moved whole: it is in one of both queues after a crash, never in none.
//!
//! Permissions are asked when a task is started, of whoever starts it. How many messages were moved is noted from time to
//! time and when a task ends; after a restart it may be a few less than it was.
//! Source: SQS Developer Guide, "Dead-letter queue redrive"; SQS API Reference, `StartMessageMoveTask`,
//! `ListMessageMoveTasks`, `CancelMessageMoveTask` (read 2026-11-21).

mod handle;
mod record;
mod step;
mod worker;

pub(crate) use handle::Handle;
pub(crate) use record::MOVE_PREFIX;

use super::errors::SqsError;
use super::limits::MOVE_TASKS_KEPT_MAX;
use super::queue::{Queue, QueueKey};
use super::{Sqs, failed};
use bulla_gate::Call;
use bulla_storage::Change;
use bulla_types::Timestamp;
use record::TaskRecord;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use tokio::sync::Notify;

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Messages are being moved.
    Running,
    /// It was told to stop and has not yet.
    Cancelling,
    /// It stopped because it was told to.
    Cancelled,
    /// There was nothing left to move.
    Completed,
    /// It could not go on.
    Failed(String),
}

impl Status {
    /// As clients see it.
    pub(crate) const fn text(&self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Completed => "COMPLETED",
            Self::Failed(_) => "FAILED",
        }
    }

    /// Whether it holds the queue for itself.
    pub(crate) const fn is_active(&self) -> bool {
        match self {
            Self::Running | Self::Cancelling => true,
            Self::Cancelled | Self::Completed | Self::Failed(_) => false,
        }
    }
}

/// What never changes of a task.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// A number that nobody can guess, in hexadecimal digits.
    pub(crate) id: String,
    /// The dead-letter queue.
    pub(crate) source: QueueKey,
    /// The dead-letter queue's number, so that another queue of its name is not taken for it.
    pub(crate) source_id: u64,
    /// Where all messages go; without it each goes to where it came from.
    pub(crate) destination: Option<QueueKey>,
    /// Messages a second, 1 to 500.
    pub(crate) rate: Option<u32>,
    pub(crate) started: Timestamp,
    /// Messages in the queue when the task began. It moves no more than these.
    pub(crate) to_move: u64,
}

/// One task.
#[derive(Debug)]
pub struct MoveTask {
    pub(crate) plan: Plan,
    moved: AtomicU64,
    status: Mutex<Status>,
    /// Rung when it is to stop.
    stop: Notify,
}

impl MoveTask {
    fn new(plan: Plan, moved: u64, status: Status) -> Self {
        Self {
            plan,
            moved: AtomicU64::new(moved),
            status: Mutex::new(status),
            stop: Notify::new(),
        }
    }

    /// Messages that are in their destination by now.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Acquire)
    }

    pub(crate) fn status(&self) -> Status {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks of all queues.
#[derive(Debug, Default)]
pub(crate) struct MoveTasks {
    /// By the source queue's number, oldest first.
    by_queue: Mutex<HashMap<u64, Vec<Arc<MoveTask>>>>,
    /// Whom workers work for.
    service: OnceLock<Weak<Sqs>>,
}

impl MoveTasks {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Vec<Arc<MoveTask>>>> {
        self.by_queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tasks of a source queue, newest first.
    pub(crate) fn of(&self, queue: u64) -> Vec<Arc<MoveTask>> {
        let tasks = self.lock();
        tasks.get(&queue).into_iter().flatten().rev().cloned().collect()
    }

    /// What deletes the records of a source queue's tasks.
    pub(super) fn records_of(&self, queue: u64) -> Vec<Change> {
        let tasks = self.of(queue);
        tasks
            .iter()
            .map(|task| Change::Delete(record::key(&task.plan)))
            .collect()
    }

    /// The source queue is gone: its tasks are forgotten, and their workers find out.
    pub(super) fn forget(&self, queue: u64) {
        for task in self.lock().remove(&queue).unwrap_or_default() {
            task.stop.notify_one();
        }
    }
}

impl Sqs {
    /// Lets workers find the service and resumes what was running. Called once, when everything is read.
    pub(super) async fn start_moving(this: &Arc<Self>) -> Result<(), String> {
        // Nobody else sets it: the service is opened once.
        let _ = this.moves.service.set(Arc::downgrade(this));
        let records = this
            .directory
            .scan_all(MOVE_PREFIX.into())
            .await
            .map_err(|error| error.to_string())?;
        for (partition, key, value) in records {
            let task = TaskRecord::decode(&value)
                .map_err(|why| format!("message move task `{}`: {why}", String::from_utf8_lossy(&key)))?;
            let known = this.queue(&task.plan.source);
            if known.is_ok_and(|queue| queue.id == task.plan.source_id) {
                this.moves
                    .lock()
                    .entry(task.plan.source_id)
                    .or_default()
                    .push(Arc::new(task));
            } else {
                // The queue was deleted while its task was being recorded.
                let gone = this
                    .directory
                    .commit(partition, Vec::new(), vec![Change::Delete(key)]);
                gone.await.map_err(|error| error.to_string())?;
            }
        }
        let all: Vec<_> = this.moves.lock().values().flatten().cloned().collect();
        for task in all.into_iter().filter(|task| task.status().is_active()) {
            this.work_on(task);
        }
        Ok(())
    }

    /// Begins a task. The caller has checked permissions and queues.
    pub(crate) async fn start_move_task(
        &self,
        call: &Call<'_>,
        source: &Queue,
        destination: Option<QueueKey>,
        rate: Option<u32>,
    ) -> Result<String, SqsError> {
        let _changing = self.changing.lock().await;
        if source.is_deleted() {
            return Err(SqsError::QueueDoesNotExist);
        }
        let existing = self.moves.of(source.id);
        if existing.iter().any(|task| task.status().is_active()) {
            return Err(SqsError::UnsupportedOperation(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given \
                 time."
                    .into(),
            ));
        }
        let plan = Plan {
            id: super::text::hex(&call.runtime().entropy.id_bytes()),
            source: source.key,
            source_id: source.id,
            destination,
            rate,
            started: call.runtime().clock.now(),
            to_move: self.waiting_in(source),
        };
        let handle = plan.handle();
        let task = Arc::new(MoveTask::new(plan, 0, Status::Running));
        let mut changes = vec![record::put(&task)?];
        let old = existing.iter().skip(MOVE_TASKS_KEPT_MAX - 1);
        changes.extend(old.map(|task| Change::Delete(record::key(&task.plan))));
        self.commit(source.key.account, Vec::new(), changes).await?;
        let mut tasks = self.moves.lock();
        let tasks_of_queue = tasks.entry(source.id).or_default();
        let surplus = (tasks_of_queue.len() + 1).saturating_sub(MOVE_TASKS_KEPT_MAX);
        tasks_of_queue.drain(..surplus);
        tasks_of_queue.push(Arc::clone(&task));
        drop(tasks);
        self.work_on(task);
        Ok(handle)
    }

    /// Tells a running task to stop; durable when this returns. Answers how many messages it had moved.
    pub(crate) async fn cancel_move_task(&self, task: &Arc<MoveTask>) -> Result<u64, SqsError> {
        let _changing = self.changing.lock().await;
        let began = {
            let mut status = task.lock();
            let running = *status == Status::Running;
            if running {
                *status = Status::Cancelling;
            }
            running
        };
        if !began {
            return Err(SqsError::UnsupportedOperation(
                "Only active tasks can be cancelled.".into(),
            ));
        }
        let recorded = self.record_move_task(task).await;
        if recorded.is_err() {
            *task.lock() = Status::Running;
        } else {
            task.stop.notify_one();
        }
        recorded.map(|()| task.moved())
    }

    async fn record_move_task(&self, task: &MoveTask) -> Result<(), SqsError> {
        let put = record::put(task)?;
        let partition = self
            .directory
            .partition_of(task.plan.source.account.as_str().as_bytes());
        self.directory
            .commit(partition, Vec::new(), vec![put])
            .await
            .map(drop)
            .map_err(|error| failed(&error))
    }
}
