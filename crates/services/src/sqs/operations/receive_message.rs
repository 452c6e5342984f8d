//! `ReceiveMessage`: takes messages, waiting for them if asked, and opens their envelopes for the caller.

use crate::sqs::Sqs;
use crate::sqs::content::{Opened, into_body};
use crate::sqs::envelope::Stored;
use crate::sqs::errors::SqsError;
use crate::sqs::index::Taken;
use crate::sqs::limits::{RECEIVE_MESSAGES_MAX, VISIBILITY_SECONDS_MAX, WAIT_SECONDS_MAX};
use crate::sqs::message_attributes::{self, MessageAttributeValue};
use crate::sqs::queue::Queue;
use crate::sqs::receipt::Receipt;
use crate::sqs::receiving::Poll;
use crate::sqs::selection::{AttributeSelection, SystemAttribute};
use crate::sqs::sending::{check_identifier, message_id, other_type};
use crate::sqs::text::hex;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Marker type.
#[derive(Debug)]
pub struct ReceiveMessage;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ReceiveMessageRequest")]
pub struct ReceiveMessageInput {
    /// The queue.
    pub queue_url: String,
    /// System attributes to return; the older name of the next member.
    #[member(query = "AttributeName", flattened)]
    pub attribute_names: Option<Vec<String>>,
    /// System attributes to return.
    #[member(query = "MessageSystemAttributeName", flattened)]
    pub message_system_attribute_names: Option<Vec<String>>,
    /// Message attributes to return: names, `prefix.*` or `All`.
    #[member(query = "MessageAttributeName", flattened)]
    pub message_attribute_names: Option<Vec<String>>,
    /// 1 to 10, 1 when absent.
    pub max_number_of_messages: Option<i32>,
    /// Seconds, 0 to 43,200; the queue's when absent.
    pub visibility_timeout: Option<i32>,
    /// Seconds, 0 to 20; the queue's when absent.
    pub wait_time_seconds: Option<i32>,
    /// For FIFO queues.
    pub receive_request_attempt_id: Option<String>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "ReceiveMessageResult")]
pub struct ReceiveMessageOutput {
    /// What was there; absent when nothing was.
    #[member(query = "Message", flattened)]
    pub messages: Option<Vec<Message>>,
}

/// One message.
#[derive(Debug, Shape)]
pub struct Message {
    /// The message's id.
    pub message_id: Option<String>,
    /// For deleting the message.
    pub receipt_handle: Option<String>,
    /// MD5 of the body, hexadecimal.
    #[member(name = "MD5OfBody")]
    pub md5_of_body: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// System attributes by name.
    #[member(query = "Attribute", flattened, key = "Name", value = "Value")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// MD5 of the returned attributes, hexadecimal.
    #[member(name = "MD5OfMessageAttributes")]
    pub md5_of_message_attributes: Option<String>,
    /// Message attributes by name.
    #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value")]
    pub message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
}

/// What is asked, once it is known to be sound.
struct Ask {
    poll: Poll,
    system: Vec<SystemAttribute>,
    attributes: AttributeSelection,
}

impl Operation for ReceiveMessage {
    const NAME: &'static str = "ReceiveMessage";
    type Service = Sqs;
    type Input = ReceiveMessageInput;
    type Output = ReceiveMessageOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: ReceiveMessageInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:ReceiveMessage").across_accounts());
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
    ) -> Result<ReceiveMessageOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        let ask = check(&queue, input)?;
        let received = sqs.poll(call, &queue, &ask.poll).await?;
        if received.taken.is_empty() {
            return Ok(ReceiveMessageOutput { messages: None });
        }
        let renewed = received.caller.as_ref().map(|caller| call.by(caller));
        let call = renewed.as_ref().unwrap_or(call);
        let write =
            |taken: &Taken, stored: &Stored, content| message(sqs, &queue, &ask, taken, stored, content);
        let messages = sqs.deliver(call, &queue, &ask.poll, &received, write).await?;
        Ok(ReceiveMessageOutput {
            messages: (!messages.is_empty()).then_some(messages),
        })
    }
}

fn check(queue: &Queue, input: ReceiveMessageInput) -> Result<Ask, SqsError> {
    if let Some(attempt) = &input.receive_request_attempt_id {
        if !queue.is_fifo() {
            return Err(other_type("ReceiveRequestAttemptId", attempt));
        }
        check_identifier("ReceiveRequestAttemptId", attempt)?;
    }
    let settings = &queue.properties().settings;
    let max = input.max_number_of_messages.unwrap_or(1);
    let max = in_range("MaxNumberOfMessages", max, 1, RECEIVE_MESSAGES_MAX)?;
    let visibility = match input.visibility_timeout {
        Some(seconds) => {
            Duration::from_secs(in_range("VisibilityTimeout", seconds, 0, VISIBILITY_SECONDS_MAX)?)
        }
        None => settings.visibility(),
    };
    let wait = match input.wait_time_seconds {
        Some(seconds) => in_range("WaitTimeSeconds", seconds, 0, WAIT_SECONDS_MAX)?,
        None => settings.wait_seconds.into(),
    };
    let names = input
        .attribute_names
        .into_iter()
        .chain(input.message_system_attribute_names)
        .flatten();
    Ok(Ask {
        poll: Poll {
            max: usize::try_from(max).unwrap_or(1),
            visibility,
            wait: Duration::from_secs(wait),
            attempt: input.receive_request_attempt_id,
        },
        system: SystemAttribute::select(names)?,
        attributes: AttributeSelection::new(input.message_attribute_names.unwrap_or_default()),
    })
}

fn in_range(name: &str, value: i32, min: i32, max: i32) -> Result<u64, SqsError> {
    u64::try_from(value).ok().filter(|_| (min..=max).contains(&value)).ok_or_else(|| {
        SqsError::InvalidParameterValue(format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be >= {min} and <= {max}, if provided."
        ))
    })
}

/// The message as the receiver gets it; `None` when its content is not in the form of one.
fn message(
    sqs: &Sqs,
    queue: &Queue,
    ask: &Ask,
    taken: &Taken,
    stored: &Stored,
    content: Vec<u8>,
) -> Option<Message> {
    let opened = Opened::parse(&content)?;
    let receipt = Receipt {
        queue: queue.id,
        position: taken.position,
        receive: taken.receives,
    };
    let system = |attribute: &SystemAttribute| {
        let value = attribute.value(queue, taken, stored, &opened)?;
        Some((attribute.name().to_owned(), value))
    };
    let system: Option<BTreeMap<String, String>> =
        (!ask.system.is_empty()).then(|| ask.system.iter().filter_map(system).collect());
    let mut md5_of_message_attributes = None;
    let mut message_attributes = None;
    if let Some(attributes) = opened.attributes.filter(|_| !ask.attributes.is_empty()) {
        let (selected, all) = attributes.select(|name| ask.attributes.includes(name))?;
        md5_of_message_attributes = if all {
            Some(hex(&attributes.md5))
        } else {
            message_attributes::md5(selected.iter()).as_ref().map(hex)
        };
        let values = selected.into_iter();
        let values = values.map(|(name, attribute)| (name, attribute.into_value()));
        message_attributes = Some(values.collect::<BTreeMap<_, _>>());
    }
    let (body_md5, body_len) = (opened.body_md5, opened.body_len);
    Some(Message {
        message_id: Some(message_id(stored.label.message)),
        receipt_handle: Some(sqs.receipts.encode(receipt)),
        md5_of_body: Some(hex(&body_md5)),
        body: Some(into_body(content, body_len)?),
        attributes: system.filter(|system| !system.is_empty()),
        md5_of_message_attributes,
        message_attributes: message_attributes.filter(|attributes| !attributes.is_empty()),
    })
}
