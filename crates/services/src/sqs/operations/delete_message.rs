//! `DeleteMessage`: ends a message for good, durable before the answer.

use crate::sqs::Sqs;
use crate::sqs::delivery::still_valid;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct DeleteMessage;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteMessageRequest")]
pub struct DeleteMessageInput {
    /// The queue.
    pub queue_url: String,
    /// From the latest receive of the message.
    pub receipt_handle: String,
}

impl Operation for DeleteMessage {
    const NAME: &'static str = "DeleteMessage";
    type Service = Sqs;
    type Input = DeleteMessageInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: DeleteMessageInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:DeleteMessage").across_accounts());
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, _: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        let receipt = sqs.receipt(&queue, &input.receipt_handle)?;
        let found = sqs.remove(&queue, &[receipt]).await?;
        for found in found {
            still_valid(&queue, found, &input.receipt_handle)?;
        }
        Ok(Empty)
    }
}
