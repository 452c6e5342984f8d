//! From what a client sends to what the log stores: checks, identities, sealing. One path for single sends and batches,
//! for standard and FIFO queues.
//!
//! The index learns of the messages in the order in which the log committed them, before any sender is answered: no
//! receiver can meet a later message of a group while an earlier one is still on its way.

use super::Sqs;
use super::content::Content;
use super::deduplication::{Claim, DeduplicationTag, Original, Verdict};
use super::envelope::{Envelope, Label};
use super::errors::SqsError;
use super::index::{Arrival, GroupTag, Moment};
use super::limits::{DELAY_SECONDS_MAX, MESSAGE_BYTES_MAX};
use super::md5_lanes;
use super::message_attributes::{self, MessageAttribute, MessageAttributeValue, MessageSystemAttributeValue};
use super::meta::{Deduplicated, MessageMeta, Meta};
use super::queue::{Queue, moment};
use super::settings::{DeduplicationScope, Fifo, Settings};
use super::text::{hex, is_allowed_text, is_message_identifier};
use bulla_envelope::sha256;
use bulla_gate::Call;
use bulla_storage::{Applied, Pos, Submission};
use bulla_types::Timestamp;
use bulla_wire::SharedText;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a client sends, of one message.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: SharedText,
    pub(crate) delay_seconds: Option<i32>,
    pub(crate) attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub(crate) system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) group_id: Option<String>,
    /// Whether it came in a batch: AWS words some refusals otherwise then.
    pub(crate) in_batch: bool,
}

/// A message that has passed all checks.
#[derive(Debug)]
pub(crate) struct Draft {
    content: Content,
    delay: Duration,
    group: Option<GroupTag>,
    deduplication: Option<DeduplicationTag>,
    system_attributes_md5: Option<[u8; 16]>,
}

/// Group and deduplication id.
type Identifiers = (Option<String>, Option<String>);

/// What the sender is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendReceipt {
    pub(crate) message: [u8; 16],
    pub(crate) md5_of_body: [u8; 16],
    pub(crate) md5_of_attributes: Option<[u8; 16]>,
    pub(crate) md5_of_system_attributes: Option<[u8; 16]>,
    /// Where a FIFO message lies.
    pub(crate) sequence: Option<Pos>,
}

impl Sqs {
    /// Checks one message against the queue's settings and the service's limits.
    pub(crate) fn draft(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        settings: &Settings,
        mut outgoing: Outgoing,
    ) -> Result<Draft, SqsError> {
        if outgoing.body.is_empty() {
            return Err(SqsError::MissingParameter("MessageBody"));
        }
        let delay = delay(settings, outgoing.delay_seconds)?;
        let attributes = match outgoing.attributes.take() {
            Some(attributes) => message_attributes::parse(attributes)?,
            None => BTreeMap::new(),
        };
        check_size(settings, &outgoing.body, &attributes, outgoing.in_batch)?;
        if !is_allowed_text(outgoing.body.as_bytes()) {
            return Err(SqsError::InvalidMessageContents);
        }
        let system = system_attributes(outgoing.system_attributes.take())?;
        let (group_id, deduplication_id) = match settings.fifo {
            Some(fifo) => fifo_identifiers(fifo, &mut outgoing)?,
            None => fair_identifiers(&mut outgoing)?,
        };
        let group = group_id
            .as_ref()
            .map(|group| self.tagging.group(&queue.key, group));
        let deduplication = deduplication_id.as_ref().map(|id| {
            let scope = group_id.as_deref().filter(|_| {
                let by_group = |fifo: &Fifo| fifo.deduplication_scope == DeduplicationScope::MessageGroup;
                settings.fifo.as_ref().is_some_and(by_group)
            });
            self.tagging.deduplication(queue.id, scope, id)
        });
        let system_attributes_md5 = message_attributes::md5(system.iter());
        let trace_header = system
            .into_values()
            .next()
            .map(|attribute| String::from_utf8_lossy(attribute.data.bytes()).into_owned());
        let content = Content {
            // Hashed side by side with the others of its batch, in `send`.
            body_md5: [0; 16],
            body: outgoing.body,
            attributes_md5: message_attributes::md5(attributes.iter()),
            attributes,
            sender: Arc::clone(&call.caller().identity().user_id),
            trace_header,
            group: group_id,
            deduplication: deduplication_id,
        };
        Ok(Draft {
            content,
            delay,
            group,
            deduplication,
            system_attributes_md5,
        })
    }

    /// Seals, appends and, once durable, delivers. All of them or none; duplicates of what was sent before are told of
    /// the original and not sent again.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        queue: &Arc<Queue>,
        mut drafts: Vec<Draft>,
    ) -> Result<Vec<SendReceipt>, SqsError> {
        hash_bodies(&mut drafts);
        let sealing = self.encryption.sealing(call, queue).await?;
        let clock = call.runtime().clock.as_ref();
        let (verdicts, claim) = match queue.deduplication() {
            None => (Vec::new(), None),
            Some(table) => {
                let tags: Vec<_> = drafts.iter().filter_map(|draft| draft.deduplication).collect();
                let (verdicts, claim) = table
                    .claim(&tags, || clock.now().as_millis())
                    .await
                    .ok_or(SqsError::RequestThrottled)?;
                (verdicts, Some(claim))
            }
        };
        let now = moment(clock);
        let labels = labels(call, now.wall, drafts.len());
        let new: Vec<(Label, &Draft)> = labels
            .iter()
            .copied()
            .zip(&drafts)
            .enumerate()
            .filter(|(place, _)| matches!(verdicts.get(*place), None | Some(Verdict::New)))
            .map(|(_, new)| new)
            .collect();
        let positions = if new.is_empty() {
            Vec::new()
        } else {
            let contents = new.iter().map(|(label, draft)| (*label, &draft.content));
            let envelopes = sealing.seal(queue, contents)?;
            let metas = new.iter().map(|(label, draft)| draft.meta(queue.id, label));
            let bodies = envelopes.into_iter().map(Envelope::into_bytes);
            let submission = Submission {
                appends: Meta::encode_all(metas).into_iter().zip(bodies).collect(),
                applied: Some(applied(queue, now, &new, claim)),
                ..Submission::default()
            };
            let positions = self.submit(queue.id, submission).await?;
            self.discard_late(queue);
            positions
        };
        Ok(receipts(&drafts, &labels, &verdicts, positions))
    }
}

fn hash_bodies(drafts: &mut [Draft]) {
    let bodies: Vec<&[u8]> = drafts.iter().map(|draft| draft.content.body.as_bytes()).collect();
    let digests = md5_lanes::digests(&bodies);
    for (draft, digest) in drafts.iter_mut().zip(digests) {
        draft.content.body_md5 = digest;
    }
}

/// Identities for so many messages.
fn labels(call: &Call<'_>, sent: u64, count: usize) -> Vec<Label> {
    let entropy = call.runtime().entropy.as_ref();
    let label = || Label {
        message: entropy.id_bytes(),
        sent,
    };
    std::iter::repeat_with(label).take(count).collect()
}

/// What happens when the messages are durable, in the order in which all messages of the log became so.
fn applied(queue: &Arc<Queue>, now: Moment, new: &[(Label, &Draft)], claim: Option<Claim>) -> Applied {
    let queue = Arc::clone(queue);
    let mut arrivals: Vec<Arrival> = new
        .iter()
        .map(|(label, draft)| Arrival {
            position: Pos(0),
            sent: label.sent,
            group: draft.group,
            delayed_until: (!draft.delay.is_zero()).then(|| now.monotonic.after(draft.delay)),
        })
        .collect();
    let messages: Vec<[u8; 16]> = match claim {
        Some(_) => new.iter().map(|(label, _)| label.message).collect(),
        None => Vec::new(),
    };
    Box::new(move |outcome| {
        // A claim that is dropped without being settled is free again.
        let Ok(positions) = outcome else { return };
        for (arrival, position) in arrivals.iter_mut().zip(positions) {
            arrival.position = *position;
        }
        // Before anybody can receive and delete them: a deletion leaves what is settled here.
        if let Some(claim) = claim {
            let originals = messages.into_iter().zip(positions);
            claim.settle(
                now.wall,
                originals.map(|(message, position)| Original {
                    message,
                    position: *position,
                }),
            );
        }
        queue.arrive(&arrivals);
    })
}

/// What the sender is told of each message.
fn receipts(
    drafts: &[Draft],
    labels: &[Label],
    verdicts: &[Verdict],
    positions: Vec<Pos>,
) -> Vec<SendReceipt> {
    let mut positions = positions.into_iter();
    let mut originals: Vec<Original> = Vec::with_capacity(drafts.len());
    for (place, label) in labels.iter().enumerate() {
        let original = match verdicts.get(place) {
            None | Some(Verdict::New) => Original {
                message: label.message,
                position: positions.next().unwrap_or_default(),
            },
            Some(Verdict::Duplicate(original)) => *original,
            Some(Verdict::SameAs(first)) => originals.get(*first).copied().unwrap_or(Original {
                message: label.message,
                position: Pos(0),
            }),
        };
        originals.push(original);
    }
    originals
        .into_iter()
        .zip(drafts)
        .map(|(original, draft)| SendReceipt {
            message: original.message,
            md5_of_body: draft.content.body_md5,
            md5_of_attributes: draft.content.attributes_md5,
            md5_of_system_attributes: draft.system_attributes_md5,
            sequence: draft.deduplication.is_some().then_some(original.position),
        })
        .collect()
}

impl Draft {
    fn meta(&self, queue: u64, label: &Label) -> Meta {
        let available = (!self.delay.is_zero()).then(|| Timestamp::from_millis(label.sent).after(self.delay));
        Meta::Message(MessageMeta {
            queue,
            sent: label.sent,
            available: available.map(Timestamp::as_millis),
            group: self.group,
            deduplication: self.deduplication.map(|tag| Deduplicated {
                tag,
                message: label.message,
            }),
            moved_from: None,
        })
    }
}

/// A message id in the text form that clients see.
pub(crate) fn message_id(bytes: [u8; 16]) -> String {
    bulla_types::RequestId::from_entropy(bytes).to_string()
}

/// What AWS answers to a parameter that belongs to the other type of queue.
pub(crate) fn other_type(name: &str, value: &str) -> SqsError {
    SqsError::InvalidParameterValue(format!(
        "Value {value} for parameter {name} is invalid. Reason: The request include parameter that is not valid for \
         this queue type."
    ))
}

/// A message group's, deduplication's or receive attempt's id.
pub(crate) fn check_identifier(name: &str, value: &str) -> Result<(), SqsError> {
    if is_message_identifier(value) {
        return Ok(());
    }
    Err(SqsError::InvalidParameterValue(format!(
        "Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and punctuation \
         characters. 1 to 128 in length."
    )))
}

/// Group and deduplication id of a message of a FIFO queue.
fn fifo_identifiers(fifo: Fifo, outgoing: &mut Outgoing) -> Result<Identifiers, SqsError> {
    let Some(group) = outgoing.group_id.take() else {
        return Err(if outgoing.in_batch {
            SqsError::InvalidParameterValue("The request must contain the parameter MessageGroupId.".into())
        } else {
            SqsError::MissingParameter("MessageGroupId")
        });
    };
    check_identifier("MessageGroupId", &group)?;
    let deduplication = match outgoing.deduplication_id.take() {
        Some(id) => {
            check_identifier("MessageDeduplicationId", &id)?;
            id
        }
        None if fifo.content_based_deduplication => {
            let digest = sha256(outgoing.body.as_bytes());
            let (halves, _) = digest.as_chunks::<16>();
            halves.iter().map(hex).collect()
        }
        None => {
            return Err(SqsError::InvalidParameterValue(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                 explicitly"
                    .into(),
            ));
        }
    };
    Ok((Some(group), Some(deduplication)))
}

/// The group of a message of a standard queue, which makes it a fair one.
fn fair_identifiers(outgoing: &mut Outgoing) -> Result<Identifiers, SqsError> {
    if let Some(id) = &outgoing.deduplication_id {
        return Err(other_type("MessageDeduplicationId", id));
    }
    let group = outgoing.group_id.take();
    if let Some(group) = &group {
        check_identifier("MessageGroupId", group)?;
    }
    Ok((group, None))
}

fn check_size(
    settings: &Settings,
    body: &SharedText,
    attributes: &BTreeMap<String, MessageAttribute>,
    in_batch: bool,
) -> Result<(), SqsError> {
    let size = body.len()
        + attributes
            .iter()
            .map(|(name, attribute)| name.len() + attribute.size())
            .sum::<usize>();
    let limit = usize::try_from(settings.message_bytes_max).unwrap_or(MESSAGE_BYTES_MAX);
    if size <= limit {
        return Ok(());
    }
    let found = if in_batch {
        "cannot be validated"
    } else {
        "are invalid"
    };
    Err(SqsError::InvalidParameterValue(format!(
        "One or more parameters {found}. Reason: Message must be shorter than {limit} bytes."
    )))
}

fn delay(settings: &Settings, asked: Option<i32>) -> Result<Duration, SqsError> {
    let of_queue = Duration::from_secs(settings.delay_seconds.into());
    let Some(asked) = asked else {
        return Ok(of_queue);
    };
    if settings.fifo.is_some() {
        // AWS lets a zero pass, which many clients send; it does not change the queue's delay.
        return if asked == 0 {
            Ok(of_queue)
        } else {
            Err(other_type("DelaySeconds", &asked.to_string()))
        };
    }
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
