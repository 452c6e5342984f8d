//! `CreateQueue`: makes a queue, or finds the one that is there with the same attributes.

use crate::policy_warnings::warn_of_traps;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::QueueKey;
use crate::sqs::{Sqs, tags};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_policy::{PolicyKind, Vendor};
use bulla_types::QueueName;
use bulla_wire::Shape;
use std::collections::BTreeMap;

/// Marker type.
#[derive(Debug)]
pub struct CreateQueue;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "CreateQueueRequest")]
pub struct CreateQueueInput {
    /// 1 to 80 letters, digits, hyphens and underscores.
    pub queue_name: String,
    /// Attributes by name.
    #[member(query = "Attribute", flattened, key = "Name", value = "Value")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// Tags.
    #[member(name = "tags", query = "Tag", flattened, key = "Key", value = "Value")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "CreateQueueResult")]
pub struct CreateQueueOutput {
    /// Where the queue is addressed.
    pub queue_url: Option<String>,
}

impl Operation for CreateQueue {
    const NAME: &'static str = "CreateQueue";
    type Service = Sqs;
    type Input = CreateQueueInput;
    type Output = CreateQueueOutput;
    type Error = SqsError;
    type Target = QueueKey;

    async fn resolve(_: &Sqs, call: &Call<'_>, input: CreateQueueInput) -> Result<Resolved<Self>, SqsError> {
        let name = checked_name(&input)?;
        let target = QueueKey {
            account: call.account(),
            region: call.region(),
            name,
        };
        let mut requests = vec![tags::requested(
            AccessRequest::new("sqs:CreateQueue", target.arn(), target.account),
            input.tags.as_ref(),
        )];
        if input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
            requests.push(tags::requested(
                AccessRequest::new("sqs:TagQueue", target.arn(), target.account),
                input.tags.as_ref(),
            ));
        }
        Ok(Resolved {
            input,
            target,
            access: Access::Needs(requests),
        })
    }

    async fn execute(
        sqs: &Sqs,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateQueueOutput, SqsError> {
        let (input, key) = granted.into_parts();
        let attributes = input.attributes.unwrap_or_default();
        let tags = input.tags.unwrap_or_default();
        let queue = sqs.create(call, key, &attributes, tags).await?;
        if let Some(policy) = attributes.get("Policy").filter(|policy| !policy.is_empty()) {
            warn_of_traps(call, &queue.arn, policy, PolicyKind::Resource(Vendor::Sqs));
        }
        Ok(CreateQueueOutput {
            queue_url: Some(queue.url(call)),
        })
    }
}

/// The name, when it fits the type of queue that the attributes ask for.
fn checked_name(input: &CreateQueueInput) -> Result<QueueName, SqsError> {
    let fifo = input
        .attributes
        .as_ref()
        .and_then(|attributes| attributes.get("FifoQueue"))
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    QueueName::parse(&input.queue_name)
        .ok()
        .filter(|name| name.is_fifo() == fifo)
        .ok_or_else(|| {
            let text = if fifo {
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end \
                 with .fifo suffix and be 1 to 80 in length"
            } else {
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
            };
            SqsError::InvalidParameterValue(text.into())
        })
}
