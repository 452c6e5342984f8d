//! `PurgeQueue`: all messages that were sent before.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct PurgeQueue;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "PurgeQueueRequest")]
pub struct PurgeQueueInput {
    /// The queue.
    pub queue_url: String,
}

impl Operation for PurgeQueue {
    const NAME: &'static str = "PurgeQueue";
    type Service = Sqs;
    type Input = PurgeQueueInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(sqs: &Sqs, call: &Call<'_>, input: PurgeQueueInput) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:PurgeQueue").across_accounts());
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (_, queue) = granted.into_parts();
        sqs.purge(call, &queue).await?;
        Ok(Empty)
    }
}
