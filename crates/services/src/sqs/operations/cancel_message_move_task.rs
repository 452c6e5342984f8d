//! `CancelMessageMoveTask`: what was moved stays moved.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::move_tasks::{Handle, MoveTask};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct CancelMessageMoveTask;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "CancelMessageMoveTaskRequest")]
pub struct CancelMessageMoveTaskInput {
    /// What `StartMessageMoveTask` answered.
    pub task_handle: String,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "CancelMessageMoveTaskResult")]
pub struct CancelMessageMoveTaskOutput {
    /// How many messages were moved before.
    #[member(default)]
    pub approximate_number_of_messages_moved: i64,
}

impl Operation for CancelMessageMoveTask {
    const NAME: &'static str = "CancelMessageMoveTask";
    type Service = Sqs;
    type Input = CancelMessageMoveTaskInput;
    type Output = CancelMessageMoveTaskOutput;
    type Error = SqsError;
    type Target = Option<Arc<MoveTask>>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: CancelMessageMoveTaskInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let handle = Handle::decode(&input.task_handle);
        let Some((handle, key)) = handle.and_then(|handle| handle.source().map(|key| (handle, key))) else {
            return Err(SqsError::InvalidParameterValue(format!(
                "Value {} for parameter TaskHandle is invalid.",
                input.task_handle
            )));
        };
        let source = sqs.find_arn(call, "SourceArn", &key.arn())?;
        // Whether there is such a task is told to those who may ask.
        let target = sqs
            .moves
            .of(source.id)
            .into_iter()
            .find(|task| task.plan.id == handle.task_id);
        let access = Access::Needs(
            [
                "sqs:CancelMessageMoveTask",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ]
            .map(|action| source.access(action))
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
    ) -> Result<CancelMessageMoveTaskOutput, SqsError> {
        let (_, task) = granted.into_parts();
        let task = task.ok_or_else(|| SqsError::ResourceNotFound("Task does not exist.".into()))?;
        let moved = sqs.cancel_move_task(&task).await?;
        Ok(CancelMessageMoveTaskOutput {
            approximate_number_of_messages_moved: i64::try_from(moved).unwrap_or(i64::MAX),
        })
    }
}
