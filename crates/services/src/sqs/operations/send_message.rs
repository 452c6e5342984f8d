//! `SendMessage`: one message to a queue, sealed and durable before the answer.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
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
pub struct SendMessage;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "SendMessageRequest")]
pub struct SendMessageInput {
    /// The queue.
    pub queue_url: String,
    /// 1 byte to 1 MiB of text, attributes included.
    pub message_body: SharedText,
    /// 0 to 900; the queue's when absent.
    pub delay_seconds: Option<i32>,
    /// At most 10.
    #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value")]
    pub message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    /// `AWSTraceHeader`.
    #[member(query = "MessageSystemAttribute", flattened, key = "Name", value = "Value")]
    pub message_system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    /// For FIFO queues.
    pub message_deduplication_id: Option<String>,
    /// For FIFO and fair queues.
    pub message_group_id: Option<String>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "SendMessageResult")]
pub struct SendMessageOutput {
    /// MD5 of the body, hexadecimal.
    #[member(name = "MD5OfMessageBody")]
    pub md5_of_message_body: Option<String>,
    /// MD5 of the attributes, hexadecimal.
    #[member(name = "MD5OfMessageAttributes")]
    pub md5_of_message_attributes: Option<String>,
    /// MD5 of the system attributes, hexadecimal.
    #[member(name = "MD5OfMessageSystemAttributes")]
    pub md5_of_message_system_attributes: Option<String>,
    /// The message's id.
    pub message_id: Option<String>,
    /// For FIFO queues.
    pub sequence_number: Option<String>,
}

impl Operation for SendMessage {
    const NAME: &'static str = "SendMessage";
    type Service = Sqs;
    type Input = SendMessageInput;
    type Output = SendMessageOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: SendMessageInput,
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
    ) -> Result<SendMessageOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        let outgoing = Outgoing {
            body: input.message_body,
            delay_seconds: input.delay_seconds,
            attributes: input.message_attributes,
            system_attributes: input.message_system_attributes,
            deduplication_id: input.message_deduplication_id,
            group_id: input.message_group_id,
            in_batch: false,
        };
        let draft = sqs.draft(call, &queue, &queue.properties().settings, outgoing)?;
        let receipt = sqs
            .send(call, &queue, vec![draft])
            .await?
            .pop()
            .ok_or(SqsError::Internal)?;
        Ok(SendMessageOutput {
            md5_of_message_body: Some(hex(&receipt.md5_of_body)),
            md5_of_message_attributes: receipt.md5_of_attributes.as_ref().map(hex),
            md5_of_message_system_attributes: receipt.md5_of_system_attributes.as_ref().map(hex),
            message_id: Some(message_id(receipt.message)),
            sequence_number: receipt.sequence.map(sequence::number),
        })
    }
}
