//! `ListQueueTags`.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct ListQueueTags;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ListQueueTagsRequest")]
pub struct ListQueueTagsInput {
    /// The queue.
    pub queue_url: String,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "ListQueueTagsResult")]
pub struct ListQueueTagsOutput {
    /// Tags.
    #[member(query = "Tag", flattened, key = "Key", value = "Value")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Operation for ListQueueTags {
    const NAME: &'static str = "ListQueueTags";
    type Service = Sqs;
    type Input = ListQueueTagsInput;
    type Output = ListQueueTagsOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: ListQueueTagsInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:ListQueueTags"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Sqs,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListQueueTagsOutput, SqsError> {
        let (_, queue) = granted.into_parts();
        let tags = queue.properties().tags.clone();
        Ok(ListQueueTagsOutput {
            tags: (!tags.is_empty()).then_some(tags),
        })
    }
}
