//! `ChangeMessageVisibility`: how long a message that is in flight stays hidden, from now on.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct ChangeMessageVisibility;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ChangeMessageVisibilityRequest")]
pub struct ChangeMessageVisibilityInput {
    /// The queue.
    pub queue_url: String,
    /// From the latest receive of the message.
    pub receipt_handle: String,
    /// Seconds, 0 to 43,200.
    pub visibility_timeout: i32,
}

impl Operation for ChangeMessageVisibility {
    const NAME: &'static str = "ChangeMessageVisibility";
    type Service = Sqs;
    type Input = ChangeMessageVisibilityInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: ChangeMessageVisibilityInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:ChangeMessageVisibility").across_accounts());
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        let note = sqs.change_visibility(
            call,
            &queue,
            &input.receipt_handle,
            Some(input.visibility_timeout),
        )?;
        sqs.keep_visibility(&queue, vec![note]).await?;
        Ok(Empty)
    }
}
