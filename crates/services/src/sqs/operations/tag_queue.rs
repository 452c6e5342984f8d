//! `TagQueue` and `UntagQueue`.

use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use crate::sqs::{Sqs, tags};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct TagQueue;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "TagQueueRequest")]
pub struct TagQueueInput {
    /// The queue.
    pub queue_url: String,
    /// Tags to set.
    #[member(query = "Tag", flattened, key = "Key", value = "Value")]
    pub tags: BTreeMap<String, String>,
}

impl Operation for TagQueue {
    const NAME: &'static str = "TagQueue";
    type Service = Sqs;
    type Input = TagQueueInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(sqs: &Sqs, call: &Call<'_>, input: TagQueueInput) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let request = tags::requested(target.access("sqs:TagQueue"), Some(&input.tags));
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        sqs.change(call, &queue, |properties| {
            let mut tags = properties.tags.clone();
            tags.extend(input.tags.clone());
            properties.tags = tags::checked(tags)?;
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}

/// Marker type.
#[derive(Debug)]
pub struct UntagQueue;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "UntagQueueRequest")]
pub struct UntagQueueInput {
    /// The queue.
    pub queue_url: String,
    /// Keys of tags to remove.
    #[member(query = "TagKey", flattened)]
    pub tag_keys: Vec<String>,
}

impl Operation for UntagQueue {
    const NAME: &'static str = "UntagQueue";
    type Service = Sqs;
    type Input = UntagQueueInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(sqs: &Sqs, call: &Call<'_>, input: UntagQueueInput) -> Result<Resolved<Self>, SqsError> {
        if input.tag_keys.is_empty() {
            return Err(SqsError::MissingParameter("TagKeys"));
        }
        let target = sqs.find(call, &input.queue_url)?;
        let request = target
            .access("sqs:UntagQueue")
            .with_keys("aws:TagKeys", input.tag_keys.clone());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        sqs.change(call, &queue, |properties| {
            properties.tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
