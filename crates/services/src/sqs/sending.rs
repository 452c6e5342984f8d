//! From what a client sends to what the log stores: checks, identities, sealing. One path for single sends and batches.

use super::content::Content;
use super::errors::SqsError;
use super::index::{Arrival, Monotonic};
use super::limits::{DELAY_SECONDS_MAX, MESSAGE_BYTES_MAX};
use super::message_attributes::{self, MessageAttributeValue, MessageSystemAttributeValue};
use super::queue::Queue;
use super::record::MessageMeta;
use super::settings::Settings;
use super::text::{is_allowed_text, md5_hex};
use super::{Sqs, message_attributes::MessageAttribute};
use bulla_gate::Call;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a client sends, of one message.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: String,
    pub(crate) delay_seconds: Option<i32>,
    pub(crate) attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub(crate) system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) group_id: Option<String>,
    /// Whether it came in a batch: AWS words an oversized message otherwise then.
    pub(crate) in_batch: bool,
}

/// A message that has passed all checks.
#[derive(Debug)]
pub(crate) struct Draft {
    id: [u8; 16],
    content: Content,
    delay: Duration,
    receipt: SendReceipt,
}

/// What the sender is told.
#[derive(Clone, Debug)]
pub(crate) struct SendReceipt {
    pub(crate) message_id: String,
    pub(crate) md5_of_body: String,
    pub(crate) md5_of_attributes: Option<String>,
    pub(crate) md5_of_system_attributes: Option<String>,
}

impl Draft {
    /// Checks one message against the queue's settings and the service's limits.
    pub(crate) fn check(call: &Call<'_>, settings: &Settings, outgoing: Outgoing) -> Result<Self, SqsError> {
        refuse_fifo_parameters(&outgoing)?;
        if outgoing.body.is_empty() {
            return Err(SqsError::MissingParameter("MessageBody"));
        }
        let delay = delay(settings, outgoing.delay_seconds)?;
        let attributes = message_attributes::parse(outgoing.attributes.unwrap_or_default())?;
        let size = outgoing.body.len()
            + attributes
                .iter()
                .map(|(name, attribute)| name.len() + attribute.size())
                .sum::<usize>();
        let limit = usize::try_from(settings.message_bytes_max).unwrap_or(MESSAGE_BYTES_MAX);
        if size > limit {
            let found = if outgoing.in_batch {
                "cannot be validated"
            } else {
                "are invalid"
            };
            return Err(SqsError::InvalidParameterValue(format!(
                "One or more parameters {found}. Reason: Message must be shorter than {limit} bytes."
            )));
        }
        if !is_allowed_text(&outgoing.body) {
            return Err(SqsError::InvalidMessageContents);
        }
        let system = system_attributes(outgoing.system_attributes)?;
        let id = call.runtime().entropy.id_bytes();
        let receipt = SendReceipt {
            message_id: message_id(id),
            md5_of_body: md5_hex(&outgoing.body),
            md5_of_attributes: message_attributes::md5(attributes.iter()),
            md5_of_system_attributes: message_attributes::md5(system.iter()),
        };
        let trace_header = system
            .into_values()
            .next()
            .map(|attribute| String::from_utf8_lossy(attribute.data.bytes()).into_owned());
        let sender = call.caller().identity().user_id.to_string();
        let content = Content {
            body: outgoing.body,
            attributes,
            sender,
            trace_header,
        };
        Ok(Self {
            id,
            content,
            delay,
            receipt,
        })
    }
}

/// A message id in the text form that clients see.
pub(crate) fn message_id(bytes: [u8; 16]) -> String {
    bulla_types::RequestId::from_entropy(bytes).to_string()
}

fn refuse_fifo_parameters(outgoing: &Outgoing) -> Result<(), SqsError> {
    if outgoing.deduplication_id.is_some() {
        return Err(SqsError::InvalidParameterValue(
            "The request includes a parameter that is not valid for this queue type. Reason: MessageDeduplicationId is \
             for FIFO queues."
                .into(),
        ));
    }
    if outgoing.group_id.is_some() {
        return Err(SqsError::UnsupportedOperation(
            "MessageGroupId on standard queues (fair queues) is not built yet.".into(),
        ));
    }
    Ok(())
}

fn delay(settings: &Settings, asked: Option<i32>) -> Result<Duration, SqsError> {
    let Some(asked) = asked else {
        return Ok(Duration::from_secs(settings.delay_seconds.into()));
    };
    let seconds = u64::try_from(asked).ok().filter(|_| asked <= DELAY_SECONDS_MAX).ok_or_else(|| {
        SqsError::InvalidParameterValue(format!(
            "Value {asked} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= \
             {DELAY_SECONDS_MAX}."
        ))
    })?;
    Ok(Duration::from_secs(seconds))
}

fn system_attributes(
    values: Option<BTreeMap<String, MessageSystemAttributeValue>>,
) -> Result<BTreeMap<String, MessageAttribute>, SqsError> {
    let values = values.unwrap_or_default();
    if let Some(name) = values.keys().find(|name| *name != "AWSTraceHeader") {
        return Err(SqsError::InvalidParameterValue(format!(
            "Message system attribute name '{name}' is invalid: the only one that can be sent is AWSTraceHeader."
        )));
    }
    if values.values().any(|value| value.data_type != "String") {
        return Err(SqsError::InvalidParameterValue(
            "The message system attribute 'AWSTraceHeader' must have the type String.".into(),
        ));
    }
    // The checks of user attributes hold for these too; the name is known to be good.
    let values = values
        .into_iter()
        .map(|(name, value)| (name, value.into_message_attribute()))
        .collect();
    message_attributes::parse_unnamed(values)
}

impl Sqs {
    /// Seals, appends and, once durable, delivers. All of them or none.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        queue: &Arc<Queue>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<SendReceipt>, SqsError> {
        let sealing = self.encryption.sealing(call, queue).await?;
        let now = call.runtime().clock.now();
        let monotonic = Monotonic::from_duration(call.runtime().clock.monotonic());
        let mut appends = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            let available = (!draft.delay.is_zero()).then(|| now.after(draft.delay));
            let meta = MessageMeta {
                queue: queue.id,
                message: draft.id,
                sent: now,
                available,
            };
            let envelope = sealing.seal(queue, &draft.id, &draft.content)?;
            appends.push((meta.encode(), envelope.into_bytes()));
        }
        let positions = self.append(queue, appends).await?;
        let late = queue.arrive(
            positions
                .into_iter()
                .zip(&drafts)
                .map(|(position, draft)| Arrival {
                    position,
                    message: draft.id,
                    sent: now.as_millis(),
                    group: None,
                    delayed_until: (!draft.delay.is_zero()).then(|| monotonic.after(draft.delay)),
                }),
        );
        if !late.is_empty() {
            self.discard(queue, late);
        }
        Ok(drafts.into_iter().map(|draft| draft.receipt).collect())
    }
}
