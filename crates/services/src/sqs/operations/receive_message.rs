//! `ReceiveMessage`: takes messages, waiting for them if asked, and opens their envelopes for the caller.

use crate::sqs::Sqs;
use crate::sqs::content::Content;
use crate::sqs::delivery::oldest_kept;
use crate::sqs::errors::SqsError;
use crate::sqs::index::{Hand, Moment, Taken, Wanted};
use crate::sqs::limits::{IN_FLIGHT_MAX, RECEIVE_MESSAGES_MAX, VISIBILITY_SECONDS_MAX, WAIT_SECONDS_MAX};
use crate::sqs::message_attributes::{self, MessageAttributeValue};
use crate::sqs::queue::{Queue, moment};
use crate::sqs::receipt::Receipt;
use crate::sqs::selection::{AttributeSelection, SystemAttribute};
use crate::sqs::sending::message_id;
use crate::sqs::text::md5_hex;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::pin::pin;
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
    max: usize,
    visibility: Duration,
    wait: Duration,
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
        let taken = take(sqs, call, &queue, &ask).await?;
        if taken.is_empty() {
            return Ok(ReceiveMessageOutput { messages: None });
        }
        let now = moment(call.runtime().clock.as_ref());
        let messages = open(sqs, call, &queue, &ask, &taken, now).await?;
        Ok(ReceiveMessageOutput {
            messages: (!messages.is_empty()).then_some(messages),
        })
    }
}

fn check(queue: &Queue, input: ReceiveMessageInput) -> Result<Ask, SqsError> {
    if input.receive_request_attempt_id.is_some() {
        return Err(SqsError::InvalidParameterValue(
            "The request includes a parameter that is not valid for this queue type. Reason: ReceiveRequestAttemptId is \
             for FIFO queues."
                .into(),
        ));
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
        max: usize::try_from(max).unwrap_or(1),
        visibility,
        wait: Duration::from_secs(wait),
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

/// Takes messages, or waits until there are some, the time is over, the server stops or the client goes away.
async fn take(sqs: &Sqs, call: &Call<'_>, queue: &Queue, ask: &Ask) -> Result<Vec<Taken>, SqsError> {
    let clock = call.runtime().clock.as_ref();
    let deadline = moment(clock).monotonic.after(ask.wait);
    let _waiting = (!ask.wait.is_zero()).then(|| queue.wait());
    loop {
        let mut arrival = pin!(queue.arrivals.notified());
        arrival.as_mut().enable();
        if queue.is_deleted() {
            return Err(SqsError::QueueDoesNotExist);
        }
        let now = moment(clock);
        let full = queue.index().in_flight(now.monotonic) >= IN_FLIGHT_MAX;
        if full && ask.wait.is_zero() {
            return Err(SqsError::OverLimit(format!(
                "Too many messages in flight: at most {IN_FLIGHT_MAX} may be received and not yet deleted."
            )));
        }
        // A long poll gets no error when too much is in flight; it waits on (SQS Developer Guide, "Quotas").
        let hand = if full {
            Hand::default()
        } else {
            let wanted = Wanted {
                max: ask.max,
                visibility: ask.visibility,
                receives_max: None,
                oldest_kept: oldest_kept(queue, now),
            };
            queue.take(now, &wanted)
        };
        let taken = hand.taken;
        if !hand.expired.is_empty() {
            sqs.discard(queue, hand.expired);
            if taken.is_empty() {
                continue;
            }
        }
        if !taken.is_empty() || now.monotonic >= deadline || call.runtime().shutdown.requested() {
            return Ok(taken);
        }
        let next = queue.index().next_due().map_or(deadline, |due| due.min(deadline));
        let pause = now.monotonic.until(next).max(Duration::from_millis(1));
        tokio::select! {
            // In this order and not at random, so that a simulated history repeats.
            biased;
            () = arrival => {}
            () = clock.sleep(pause) => {}
            () = call.runtime().shutdown.wait() => {}
            () = call.client_gone() => return Ok(Vec::new()),
        }
        if !call.authorization_is_current() {
            // What was allowed when the poll began may be forbidden now: the client must ask again.
            return Ok(Vec::new());
        }
    }
}

/// Opens what was taken. A message that does not open holds up no other: what opens is delivered, and the error is
/// told only when nothing opened.
async fn open(
    sqs: &Sqs,
    call: &Call<'_>,
    queue: &Arc<Queue>,
    ask: &Ask,
    taken: &[Taken],
    now: Moment,
) -> Result<Vec<Message>, SqsError> {
    let positions = taken.iter().map(|taken| taken.position).collect();
    let bodies = match sqs.bodies(queue, positions).await {
        Ok(bodies) => bodies,
        Err(error) => {
            give_back(queue, taken);
            return Err(error);
        }
    };
    let (mut messages, mut opened, mut refused, mut error) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (taken, body) in taken.iter().zip(bodies) {
        // Deleted by another receiver between taking and reading.
        let Some(body) = body else { continue };
        match sqs.encryption.open(call, queue, &taken.message, &body).await {
            Ok(content) => {
                messages.push(message(sqs, queue, ask, taken, content));
                opened.push(*taken);
            }
            Err(SqsError::Internal) => {
                // Stays hidden for its visibility timeout, so that it is not always the first.
                tracing::error!(
                    queue = %queue.arn,
                    message_id = message_id(taken.message),
                    position = taken.position.0,
                    "a stored message does not open: its bytes are damaged or belong elsewhere"
                );
                error.get_or_insert(SqsError::Internal);
            }
            Err(refusal) => {
                refused.push(*taken);
                error.get_or_insert(refusal);
            }
        }
    }
    give_back(queue, &refused);
    sqs.note_leases(queue, &opened, now, ask.visibility);
    match error {
        Some(error) if messages.is_empty() => Err(error),
        Some(_) | None => Ok(messages),
    }
}

/// Takes hand-outs back; somebody else may be allowed to open them.
fn give_back(queue: &Queue, taken: &[Taken]) {
    let mut index = queue.index();
    for taken in taken {
        index.put_back(taken);
    }
    drop(index);
    queue.wake(taken.len());
}

fn message(sqs: &Sqs, queue: &Queue, ask: &Ask, taken: &Taken, content: Content) -> Message {
    let receipt = Receipt {
        queue: queue.id,
        position: taken.position,
        receive: taken.receives,
    };
    let system: BTreeMap<String, String> = ask
        .system
        .iter()
        .filter_map(|attribute| Some((attribute.name().to_owned(), attribute.value(taken, &content)?)))
        .collect();
    let mut attributes = content.attributes;
    attributes.retain(|name, _| ask.attributes.includes(name));
    let md5_of_message_attributes = message_attributes::md5(attributes.iter());
    let attributes: BTreeMap<String, MessageAttributeValue> = attributes
        .into_iter()
        .map(|(name, attribute)| (name, attribute.into_value()))
        .collect();
    Message {
        message_id: Some(message_id(taken.message)),
        receipt_handle: Some(sqs.receipts.encode(receipt)),
        md5_of_body: Some(md5_hex(&content.body)),
        body: Some(content.body),
        attributes: (!system.is_empty()).then_some(system),
        md5_of_message_attributes,
        message_attributes: (!attributes.is_empty()).then_some(attributes),
    }
}
