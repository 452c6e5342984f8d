//! The move of messages that were received too often: a send by SQS itself, on behalf of the source queue. Not on the
//! wire; the gate judges and audits it as `SendMessage`.
//!
//! The owner of the dead-letter queue made it one: same account, and its redrive allow policy did not object. So its
//! policy need not allow the move, but an explicit deny in it refuses.

use crate::sqs::Sqs;
use crate::sqs::dead_letter::Parcel;
use crate::sqs::delivery::Body;
use crate::sqs::envelope::{Label, Stored};
use crate::sqs::errors::SqsError;
use crate::sqs::index::GroupTag;
use crate::sqs::queue::{Queue, QueueKey};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved, ResourcePolicy, Service};
use bulla_policy::{Policy, PolicyKind, Vendor};
use bulla_storage::Pos;
use bulla_wire::{Blob, Empty, Shape};
use serde_json::{Value, json};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub(crate) struct MoveToDeadLetterQueue;

/// Input.
#[derive(Debug, Shape)]
pub(crate) struct DeadLetterMove {
    /// ARN of the queue that the messages are in.
    pub(crate) source: String,
    /// ARN of its dead-letter queue.
    pub(crate) destination: String,
    /// At most [`MOVED_AT_ONCE_MAX`](crate::sqs::dead_letter::MOVED_AT_ONCE_MAX).
    pub(crate) messages: Vec<DeadLetter>,
}

/// One message.
#[derive(Debug, Shape)]
pub(crate) struct DeadLetter {
    /// Its place in the log.
    pub(crate) position: i64,
    /// The tag of its group.
    pub(crate) group: Option<Blob>,
}

/// Both queues.
#[derive(Debug)]
pub(crate) struct Route {
    source: Arc<Queue>,
    destination: Arc<Queue>,
}

impl Operation for MoveToDeadLetterQueue {
    const NAME: &'static str = "SendMessage";
    type Service = Sqs;
    type Input = DeadLetterMove;
    type Output = Empty;
    type Error = SqsError;
    type Target = Route;

    async fn resolve(sqs: &Sqs, _: &Call<'_>, input: DeadLetterMove) -> Result<Resolved<Self>, SqsError> {
        let find = |arn: &str| {
            let key = QueueKey::parse_arn(arn).ok_or(SqsError::QueueDoesNotExist)?;
            sqs.queue(&key)
        };
        let target = Route {
            source: find(&input.source)?,
            destination: find(&input.destination)?,
        };
        let Route { source, destination } = &target;
        let properties = destination.properties();
        let allowed = properties.settings.redrive_allow.as_ref();
        if allowed.is_some_and(|allow| !allow.allows(&source.arn)) {
            return Err(SqsError::UnsupportedOperation(
                "The redrive allow policy of the dead-letter queue does not allow the source queue.".into(),
            ));
        }
        if source.is_fifo() != destination.is_fifo() {
            return Err(SqsError::UnsupportedOperation(
                "The dead-letter queue is not of the source queue's type.".into(),
            ));
        }
        let policy = with_move(properties.settings.policy.as_deref(), source, destination)?;
        let request = destination
            .access("sqs:SendMessage")
            .with_policy(ResourcePolicy::Attached(Some(Arc::new(policy))));
        Ok(Resolved {
            input,
            access: Access::one(request.across_accounts()),
            target,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, Route { source, destination }) = granted.into_parts();
        let now = call.runtime().clock.now().as_millis();
        let positions: Vec<Pos> = input
            .messages
            .iter()
            .map(|message| Pos(message.position.cast_unsigned()))
            .collect();
        let bodies = sqs.bodies(&source, positions.clone()).await?;
        let mut parcels = Vec::with_capacity(bodies.len());
        for ((message, position), body) in input.messages.iter().zip(positions).zip(bodies) {
            let stored = match body {
                Body::There(body) => Some(Stored::parse(body)),
                Body::Damaged => Some(None),
                Body::Gone => None,
            };
            match stored {
                Some(Some(stored)) => parcels.push(Parcel {
                    position,
                    group: message.group.as_ref().and_then(tag),
                    label: Label {
                        sent: if destination.is_fifo() {
                            now
                        } else {
                            stored.label.sent
                        },
                        ..stored.label
                    },
                    dead_letter_of: Some(Arc::clone(&source.arn)),
                    stored,
                }),
                // Its bytes are damaged: it stays where it is, and whoever receives it is told.
                Some(None) => {}
                // Deleted since.
                None => drop(source.index().end_removal(position, true)),
            }
        }
        sqs.carry(&source, &destination, &parcels).await?;
        Ok(Empty)
    }
}

fn tag(bytes: &Blob) -> Option<GroupTag> {
    bytes.0.as_slice().try_into().ok().map(GroupTag)
}

/// The queue's policy with the statement that its owner's consent amounts to.
fn with_move(policy: Option<&Policy>, source: &Queue, destination: &Queue) -> Result<Policy, SqsError> {
    let mut document: Value = match policy {
        Some(policy) => serde_json::from_str(policy.text()).map_err(|_| SqsError::Internal)?,
        None => json!({"Version": "2012-10-17", "Statement": []}),
    };
    let consent = json!({
        "Effect": "Allow",
        "Principal": {"Service": Sqs::PRINCIPAL},
        "Action": "sqs:SendMessage",
        "Resource": &*destination.arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": &*source.arn}},
    });
    let statements = document.get_mut("Statement").ok_or(SqsError::Internal)?;
    if let Some(statements) = statements.as_array_mut() {
        statements.push(consent);
    } else {
        *statements = Value::Array(vec![statements.take(), consent]);
    }
    Policy::parse_lenient(document.to_string(), PolicyKind::Resource(Vendor::Sqs))
        .map(|policy| policy.labelled("queue policy"))
        .map_err(|rejection| {
            tracing::error!(%rejection, queue = %destination.arn, "the queue's policy cannot be judged");
            SqsError::Internal
        })
}
