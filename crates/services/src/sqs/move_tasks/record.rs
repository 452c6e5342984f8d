//! A task in the directory.

use super::{MoveTask, Plan, Status};
use crate::sqs::errors::SqsError;
use crate::sqs::queue::QueueKey;
use bulla_storage::Change;
use bulla_types::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Keys of task records begin so.
pub(crate) const MOVE_PREFIX: &str = "sqs/move/";

const VERSION: u32 = 1;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskRecord {
    version: u32,
    id: String,
    source: String,
    source_id: u64,
    destination: Option<String>,
    rate: Option<u32>,
    started_ms: u64,
    to_move: u64,
    moved: u64,
    status: String,
    failure: Option<String>,
}

/// The directory key of a task: in order of start, below the source queue's number.
pub(super) fn key(plan: &Plan) -> Bytes {
    let Plan {
        id,
        source_id,
        started,
        ..
    } = plan;
    format!("{MOVE_PREFIX}{source_id:016x}/{:016x}-{id}", started.as_millis())
        .into_bytes()
        .into()
}

/// What records a task as it stands.
pub(super) fn put(task: &MoveTask) -> Result<Change, SqsError> {
    let plan = &task.plan;
    let status = task.status();
    let record = TaskRecord {
        version: VERSION,
        id: plan.id.clone(),
        source: plan.source.arn(),
        source_id: plan.source_id,
        destination: plan.destination.map(|queue| queue.arn()),
        rate: plan.rate,
        started_ms: plan.started.as_millis(),
        to_move: plan.to_move,
        moved: task.moved(),
        status: status.text().to_owned(),
        failure: match status {
            Status::Failed(reason) => Some(reason),
            Status::Running | Status::Cancelling | Status::Cancelled | Status::Completed => None,
        },
    };
    let value = serde_json::to_vec(&record).map_err(|_| SqsError::Internal)?;
    Ok(Change::Put(key(plan), value.into()))
}

impl TaskRecord {
    /// # Errors
    /// A sentence for the operator, when the record is of another version or does not make sense.
    pub(super) fn decode(bytes: &[u8]) -> Result<MoveTask, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if record.version != VERSION {
            return Err(format!(
                "record of version {}, which this release does not know",
                record.version
            ));
        }
        let queue = |arn: &str| QueueKey::parse_arn(arn).ok_or_else(|| format!("not a queue's ARN: `{arn}`"));
        let status = match (record.status.as_str(), record.failure) {
            ("RUNNING", _) => Status::Running,
            ("CANCELLING", _) => Status::Cancelling,
            ("CANCELLED", _) => Status::Cancelled,
            ("COMPLETED", _) => Status::Completed,
            ("FAILED", Some(reason)) => Status::Failed(reason),
            (other, _) => return Err(format!("not a status: `{other}`")),
        };
        let plan = Plan {
            id: record.id,
            source: queue(&record.source)?,
            source_id: record.source_id,
            destination: record.destination.as_deref().map(queue).transpose()?,
            rate: record.rate,
            started: Timestamp::from_millis(record.started_ms),
            to_move: record.to_move,
        };
        Ok(MoveTask::new(plan, record.moved, status))
    }
}
