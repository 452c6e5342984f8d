//! `DeleteQueue`: the queue and all its messages.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct DeleteQueue;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteQueueRequest")]
pub struct DeleteQueueInput {
    /// The queue.
    pub queue_url: String,
}

impl Operation for DeleteQueue {
    const NAME: &'static str = "DeleteQueue";
    type Service = Sqs;
    type Input = DeleteQueueInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: DeleteQueueInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:DeleteQueue"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (_, queue) = granted.into_parts();
        sqs.delete(call, &queue).await?;
        Ok(Empty)
    }
}
