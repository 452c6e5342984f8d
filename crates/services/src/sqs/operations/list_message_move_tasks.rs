//! `ListMessageMoveTasks`: the latest tasks of a dead-letter queue.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::limits::{MOVE_TASKS_KEPT_MAX, MOVE_TASKS_SHOWN};
use crate::sqs::move_tasks::{MoveTask, Status};
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct ListMessageMoveTasks;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ListMessageMoveTasksRequest")]
pub struct ListMessageMoveTasksInput {
    /// A dead-letter queue.
    pub source_arn: String,
    /// 1 to 10; without it one.
    pub max_results: Option<i32>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "ListMessageMoveTasksResult")]
pub struct ListMessageMoveTasksOutput {
    /// Newest first.
    #[member(query = "ListMessageMoveTasksResultEntry", flattened)]
    pub results: Option<Vec<ListMessageMoveTasksResultEntry>>,
}

/// A task.
#[derive(Debug, Shape)]
pub struct ListMessageMoveTasksResultEntry {
    /// Only of a task that is running.
    pub task_handle: Option<String>,
    /// `RUNNING`, `COMPLETED`, `CANCELLING`, `CANCELLED` or `FAILED`.
    pub status: Option<String>,
    /// The dead-letter queue.
    pub source_arn: Option<String>,
    /// Where the messages go, if that was said.
    pub destination_arn: Option<String>,
    /// The rate, if one was asked for.
    pub max_number_of_messages_per_second: Option<i32>,
    /// How many messages were moved.
    #[member(default)]
    pub approximate_number_of_messages_moved: i64,
    /// How many messages there were to move when the task began.
    pub approximate_number_of_messages_to_move: Option<i64>,
    /// Why a task failed.
    pub failure_reason: Option<String>,
    /// When it began, milliseconds since the epoch.
    #[member(default)]
    pub started_timestamp: i64,
}

impl From<&Arc<MoveTask>> for ListMessageMoveTasksResultEntry {
    fn from(task: &Arc<MoveTask>) -> Self {
        let plan = &task.plan;
        let status = task.status();
        Self {
            task_handle: (status == Status::Running).then(|| plan.handle()),
            status: Some(status.text().to_owned()),
            source_arn: Some(plan.source.arn()),
            destination_arn: plan.destination.map(|queue| queue.arn()),
            max_number_of_messages_per_second: plan.rate.and_then(|rate| i32::try_from(rate).ok()),
            approximate_number_of_messages_moved: long(task.moved()),
            approximate_number_of_messages_to_move: Some(long(plan.to_move)),
            failure_reason: match status {
                Status::Failed(reason) => Some(reason),
                Status::Running | Status::Cancelling | Status::Cancelled | Status::Completed => None,
            },
            started_timestamp: long(plan.started.as_millis()),
        }
    }
}

fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Operation for ListMessageMoveTasks {
    const NAME: &'static str = "ListMessageMoveTasks";
    type Service = Sqs;
    type Input = ListMessageMoveTasksInput;
    type Output = ListMessageMoveTasksOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: ListMessageMoveTasksInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find_arn(call, "SourceArn", &input.source_arn)?;
        let access = Access::Needs(
            [
                "sqs:ListMessageMoveTasks",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ]
            .map(|action| target.access(action))
            .into(),
        );
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        sqs: &Sqs,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListMessageMoveTasksOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        let max = match input.max_results {
            None => MOVE_TASKS_SHOWN,
            Some(max) => usize::try_from(max)
                .ok()
                .filter(|max| (1..=MOVE_TASKS_KEPT_MAX).contains(max))
                .ok_or_else(|| {
                    SqsError::InvalidParameterValue(format!(
                        "Value {max} for parameter MaxResults is invalid. Reason: Must be an integer from 1 to \
                         {MOVE_TASKS_KEPT_MAX}."
                    ))
                })?,
        };
        let tasks = sqs.moves.of(queue.id);
        Ok(ListMessageMoveTasksOutput {
            results: Some(tasks.iter().take(max).map(Into::into).collect()),
        })
    }
}
