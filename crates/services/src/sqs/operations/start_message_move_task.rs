//! `StartMessageMoveTask`.
//!
//! Source of the permissions: SQS Developer Guide, "API permissions: actions and resource reference" (read 2026-11-21).
//! Where both queues are encrypted with KMS, whoever starts the task must be allowed to use both keys.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::limits::MOVE_RATE_MAX;
use crate::sqs::queue::{Queue, QueueKey};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct StartMessageMoveTask;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "StartMessageMoveTaskRequest")]
pub struct StartMessageMoveTaskInput {
    /// A dead-letter queue.
    pub source_arn: String,
    /// Where the messages go; without it each goes back to the queue it came from.
    pub destination_arn: Option<String>,
    /// 1 to 500; without it as fast as it goes.
    pub max_number_of_messages_per_second: Option<i32>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "StartMessageMoveTaskResult")]
pub struct StartMessageMoveTaskOutput {
    /// For `CancelMessageMoveTask`.
    pub task_handle: Option<String>,
}

/// Which queues take part.
#[derive(Debug)]
pub struct Ways {
    source: Arc<Queue>,
    /// One, or all queues that the messages may have come from.
    destinations: Vec<Arc<Queue>>,
}

impl Operation for StartMessageMoveTask {
    const NAME: &'static str = "StartMessageMoveTask";
    type Service = Sqs;
    type Input = StartMessageMoveTaskInput;
    type Output = StartMessageMoveTaskOutput;
    type Error = SqsError;
    type Target = Ways;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: StartMessageMoveTaskInput,
    ) -> Result<Resolved<Self>, SqsError> {
        rate(input.max_number_of_messages_per_second)?;
        let source = sqs.find_arn(call, "SourceArn", &input.source_arn)?;
        let origins = sqs.redrive_sources(&source.key);
        if origins.is_empty() {
            return Err(SqsError::InvalidParameterValue(
                "Source queue must be configured as a Dead Letter Queue.".into(),
            ));
        }
        let destinations = match &input.destination_arn {
            None => origins,
            Some(arn) => vec![destination(sqs, call, &source.key, arn)?],
        };
        let mut requests: Vec<_> = [
            "sqs:StartMessageMoveTask",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        ]
        .map(|action| source.access(action))
        .into();
        requests.extend(
            destinations
                .iter()
                .map(|queue| queue.access("sqs:SendMessage").across_accounts()),
        );
        Ok(Resolved {
            input,
            target: Ways { source, destinations },
            access: Access::Needs(requests),
        })
    }

    async fn execute(
        sqs: &Sqs,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<StartMessageMoveTaskOutput, SqsError> {
        let (input, ways) = granted.into_parts();
        sqs.check_keys_of_move(call, &ways.source, &ways.destinations)
            .await?;
        let rate = rate(input.max_number_of_messages_per_second)?;
        let destination = input
            .destination_arn
            .and(ways.destinations.first())
            .map(|queue| queue.key);
        let handle = sqs.start_move_task(call, &ways.source, destination, rate).await?;
        Ok(StartMessageMoveTaskOutput {
            task_handle: Some(handle),
        })
    }
}

fn rate(asked: Option<i32>) -> Result<Option<u32>, SqsError> {
    let Some(asked) = asked else { return Ok(None) };
    u32::try_from(asked)
        .ok()
        .filter(|rate| (1..=MOVE_RATE_MAX).contains(rate))
        .map(Some)
        .ok_or_else(|| {
            SqsError::InvalidParameterValue(format!(
                "Value {asked} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be an integer from 1 \
                 to {MOVE_RATE_MAX}."
            ))
        })
}

fn destination(sqs: &Sqs, call: &Call<'_>, source: &QueueKey, arn: &str) -> Result<Arc<Queue>, SqsError> {
    let found = sqs.find_arn(call, "DestinationArn", arn)?;
    let refuse = |reason: &str| Err(SqsError::InvalidParameterValue(reason.into()));
    if found.key == *source {
        return refuse("Source queue arn and destination queue arn cannot be the same.");
    }
    if found.key.name.is_fifo() != source.name.is_fifo() {
        return refuse("Source queue and destination queue must be of the same type.");
    }
    Ok(found)
}
