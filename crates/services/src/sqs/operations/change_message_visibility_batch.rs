//! `ChangeMessageVisibilityBatch`: up to ten messages. An entry that is wrong fails alone.

use crate::sqs::Sqs;
use crate::sqs::batch::{self, BatchResultErrorEntry};
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct ChangeMessageVisibilityBatch;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ChangeMessageVisibilityBatchRequest")]
pub struct ChangeMessageVisibilityBatchInput {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10.
    #[member(query = "ChangeMessageVisibilityBatchRequestEntry", flattened)]
    pub entries: Vec<ChangeMessageVisibilityBatchRequestEntry>,
}

/// One message of a batch.
#[derive(Debug, Shape)]
pub struct ChangeMessageVisibilityBatchRequestEntry {
    /// Names the entry in the answer.
    pub id: String,
    /// From the latest receive of the message.
    pub receipt_handle: String,
    /// Seconds, 0 to 43,200.
    pub visibility_timeout: Option<i32>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "ChangeMessageVisibilityBatchResult")]
pub struct ChangeMessageVisibilityBatchOutput {
    /// Changed.
    #[member(query = "ChangeMessageVisibilityBatchResultEntry", flattened)]
    pub successful: Vec<ChangeMessageVisibilityBatchResultEntry>,
    /// Not changed.
    #[member(query = "BatchResultErrorEntry", flattened)]
    pub failed: Vec<BatchResultErrorEntry>,
}

/// One message whose visibility was changed.
#[derive(Debug, Shape)]
pub struct ChangeMessageVisibilityBatchResultEntry {
    /// The entry's id.
    pub id: String,
}

impl Operation for ChangeMessageVisibilityBatch {
    const NAME: &'static str = "ChangeMessageVisibilityBatch";
    type Service = Sqs;
    type Input = ChangeMessageVisibilityBatchInput;
    type Output = ChangeMessageVisibilityBatchOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: ChangeMessageVisibilityBatchInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:ChangeMessageVisibility").across_accounts());
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        sqs: &Sqs,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ChangeMessageVisibilityBatchOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        let ids = input.entries.iter().map(|entry| entry.id.as_str());
        batch::check("ChangeMessageVisibilityBatchRequestEntry", ids)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        let mut notes = Vec::with_capacity(input.entries.len());
        for entry in input.entries {
            match sqs.change_visibility(call, &queue, &entry.receipt_handle, entry.visibility_timeout) {
                Ok(note) => {
                    notes.push(note);
                    successful.push(ChangeMessageVisibilityBatchResultEntry { id: entry.id });
                }
                Err(error) => failed.push(BatchResultErrorEntry::new(entry.id, &error)),
            }
        }
        sqs.keep_visibility(&queue, notes).await?;
        Ok(ChangeMessageVisibilityBatchOutput { successful, failed })
    }
}
