//! `DeleteMessageBatch`: up to ten messages, in one durable commit. An entry that is wrong fails alone.

use crate::sqs::Sqs;
use crate::sqs::batch::{self, BatchResultErrorEntry};
use crate::sqs::delivery::still_valid;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct DeleteMessageBatch;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteMessageBatchRequest")]
pub struct DeleteMessageBatchInput {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10.
    #[member(query = "DeleteMessageBatchRequestEntry", flattened)]
    pub entries: Vec<DeleteMessageBatchRequestEntry>,
}

/// One message of a batch.
#[derive(Debug, Shape)]
pub struct DeleteMessageBatchRequestEntry {
    /// Names the entry in the answer.
    pub id: String,
    /// From the latest receive of the message.
    pub receipt_handle: String,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "DeleteMessageBatchResult")]
pub struct DeleteMessageBatchOutput {
    /// Deleted.
    #[member(query = "DeleteMessageBatchResultEntry", flattened)]
    pub successful: Vec<DeleteMessageBatchResultEntry>,
    /// Not deleted.
    #[member(query = "BatchResultErrorEntry", flattened)]
    pub failed: Vec<BatchResultErrorEntry>,
}

/// One message that was deleted.
#[derive(Debug, Shape)]
pub struct DeleteMessageBatchResultEntry {
    /// The entry's id.
    pub id: String,
}

impl Operation for DeleteMessageBatch {
    const NAME: &'static str = "DeleteMessageBatch";
    type Service = Sqs;
    type Input = DeleteMessageBatchInput;
    type Output = DeleteMessageBatchOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: DeleteMessageBatchInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:DeleteMessage").across_accounts());
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
    ) -> Result<DeleteMessageBatchOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        batch::check(
            "DeleteMessageBatchRequestEntry",
            input.entries.iter().map(|entry| entry.id.as_str()),
        )?;
        let (mut receipts, mut asked, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for entry in input.entries {
            match sqs.receipt(&queue, &entry.receipt_handle) {
                Ok(receipt) => {
                    receipts.push(receipt);
                    asked.push(entry);
                }
                Err(error) => failed.push(BatchResultErrorEntry::new(entry.id, &error)),
            }
        }
        let found = sqs.remove(&queue, &receipts).await?;
        let mut successful = Vec::with_capacity(asked.len());
        for (entry, found) in asked.into_iter().zip(found) {
            match still_valid(&queue, found, &entry.receipt_handle) {
                Ok(()) => successful.push(DeleteMessageBatchResultEntry { id: entry.id }),
                Err(error) => failed.push(BatchResultErrorEntry::new(entry.id, &error)),
            }
        }
        Ok(DeleteMessageBatchOutput { successful, failed })
    }
}
