//! `SendMessageBatch`: up to ten messages, in one durable commit. An entry that is wrong fails alone.

use crate::sqs::Sqs;
use crate::sqs::batch::{self, BatchResultErrorEntry};
use crate::sqs::errors::SqsError;
use crate::sqs::limits::MESSAGE_BYTES_MAX;
use crate::sqs::message_attributes::{MessageAttributeValue, MessageSystemAttributeValue};
use crate::sqs::queue::Queue;
use crate::sqs::sending::{Outgoing, message_id};
use crate::sqs::sequence;
use crate::sqs::text::hex;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Shape, SharedText};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct SendMessageBatch;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "SendMessageBatchRequest")]
pub struct SendMessageBatchInput {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10.
    #[member(query = "SendMessageBatchRequestEntry", flattened)]
    pub entries: Vec<SendMessageBatchRequestEntry>,
}

/// One message of a batch.
#[derive(Debug, Shape)]
pub struct SendMessageBatchRequestEntry {
    /// Names the entry in the answer.
    pub id: String,
    /// As in `SendMessage`.
    pub message_body: SharedText,
    /// As in `SendMessage`.
    pub delay_seconds: Option<i32>,
    /// As in `SendMessage`.
    #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value")]
    pub message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    /// As in `SendMessage`.
    #[member(query = "MessageSystemAttribute", flattened, key = "Name", value = "Value")]
    pub message_system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    /// As in `SendMessage`.
    pub message_deduplication_id: Option<String>,
    /// As in `SendMessage`.
    pub message_group_id: Option<String>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "SendMessageBatchResult")]
pub struct SendMessageBatchOutput {
    /// Sent.
    #[member(query = "SendMessageBatchResultEntry", flattened)]
    pub successful: Vec<SendMessageBatchResultEntry>,
    /// Not sent.
    #[member(query = "BatchResultErrorEntry", flattened, default)]
    pub failed: Vec<BatchResultErrorEntry>,
}

/// One message that was sent.
#[derive(Debug, Shape)]
pub struct SendMessageBatchResultEntry {
    /// The entry's id.
    pub id: String,
    /// The message's id.
    pub message_id: String,
    /// MD5 of the body, hexadecimal.
    #[member(name = "MD5OfMessageBody")]
    pub md5_of_message_body: String,
    /// MD5 of the attributes, hexadecimal.
    #[member(name = "MD5OfMessageAttributes")]
    pub md5_of_message_attributes: Option<String>,
    /// MD5 of the system attributes, hexadecimal.
    #[member(name = "MD5OfMessageSystemAttributes")]
    pub md5_of_message_system_attributes: Option<String>,
    /// For FIFO queues.
    pub sequence_number: Option<String>,
}

impl Operation for SendMessageBatch {
    const NAME: &'static str = "SendMessageBatch";
    type Service = Sqs;
    type Input = SendMessageBatchInput;
    type Output = SendMessageBatchOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: SendMessageBatchInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:SendMessage").across_accounts());
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
    ) -> Result<SendMessageBatchOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        batch::check(
            "SendMessageBatchRequestEntry",
            input.entries.iter().map(|entry| entry.id.as_str()),
        )?;
        let bytes: usize = input.entries.iter().map(SendMessageBatchRequestEntry::size).sum();
        if bytes > MESSAGE_BYTES_MAX {
            return Err(SqsError::BatchRequestTooLong(bytes));
        }
        let settings = &queue.properties().settings;
        let (mut ids, mut drafts, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for entry in input.entries {
            let (id, outgoing) = entry.split();
            match sqs.draft(call, &queue, settings, outgoing) {
                Ok(draft) => {
                    ids.push(id);
                    drafts.push(draft);
                }
                Err(error) => failed.push(BatchResultErrorEntry::new(id, &error)),
            }
        }
        let receipts = if drafts.is_empty() {
            Vec::new()
        } else {
            sqs.send(call, &queue, drafts).await?
        };
        let successful = ids
            .into_iter()
            .zip(receipts)
            .map(|(id, receipt)| SendMessageBatchResultEntry {
                id,
                message_id: message_id(receipt.message),
                md5_of_message_body: hex(&receipt.md5_of_body),
                md5_of_message_attributes: receipt.md5_of_attributes.as_ref().map(hex),
                md5_of_message_system_attributes: receipt.md5_of_system_attributes.as_ref().map(hex),
                sequence_number: receipt.sequence.map(sequence::number),
            })
            .collect();
        Ok(SendMessageBatchOutput { successful, failed })
    }
}

impl SendMessageBatchRequestEntry {
    /// Body and attributes as they count for the batch, bytes.
    fn size(&self) -> usize {
        let attributes = self.message_attributes.iter().flatten();
        let sizes = attributes.map(|(name, value)| name.len() + value.size());
        self.message_body.len() + sizes.sum::<usize>()
    }

    fn split(self) -> (String, Outgoing) {
        let outgoing = Outgoing {
            body: self.message_body,
            delay_seconds: self.delay_seconds,
            attributes: self.message_attributes,
            system_attributes: self.message_system_attributes,
            deduplication_id: self.message_deduplication_id,
            group_id: self.message_group_id,
            in_batch: true,
        };
        (self.id, outgoing)
    }
}
