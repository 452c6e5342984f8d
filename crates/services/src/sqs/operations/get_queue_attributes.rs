//! `GetQueueAttributes`.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::{Queue, moment};
use crate::sqs::settings::is_attribute;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct GetQueueAttributes;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "GetQueueAttributesRequest")]
pub struct GetQueueAttributesInput {
    /// The queue.
    pub queue_url: String,
    /// Names, or `All`.
    #[member(query = "AttributeName", flattened)]
    pub attribute_names: Option<Vec<String>>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "GetQueueAttributesResult")]
pub struct GetQueueAttributesOutput {
    /// Attributes by name.
    #[member(query = "Attribute", flattened, key = "Name", value = "Value")]
    pub attributes: Option<BTreeMap<String, String>>,
}

impl Operation for GetQueueAttributes {
    const NAME: &'static str = "GetQueueAttributes";
    type Service = Sqs;
    type Input = GetQueueAttributesInput;
    type Output = GetQueueAttributesOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: GetQueueAttributesInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:GetQueueAttributes").across_accounts());
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Sqs,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetQueueAttributesOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        let names = input.attribute_names.unwrap_or_default();
        if let Some(unknown) = names.iter().find(|name| *name != "All" && !is_attribute(name)) {
            return Err(SqsError::InvalidAttributeName(unknown.clone()));
        }
        let all = names.iter().any(|name| name == "All");
        let wanted = |name: &str| all || names.iter().any(|wanted| wanted == name);
        let attributes: BTreeMap<String, String> = read(&queue, call)
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .collect();
        Ok(GetQueueAttributesOutput {
            attributes: (!attributes.is_empty()).then_some(attributes),
        })
    }
}

fn read(queue: &Queue, call: &Call<'_>) -> BTreeMap<String, String> {
    let properties = queue.properties();
    let counts = queue
        .index()
        .counts(moment(call.runtime().clock.as_ref()).monotonic);
    let mut attributes: BTreeMap<String, String> = properties
        .settings
        .echo()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    attributes.extend(
        [
            ("ApproximateNumberOfMessages", counts.ready.to_string()),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
            (
                "ApproximateNumberOfMessagesNotVisible",
                counts.in_flight.to_string(),
            ),
            ("CreatedTimestamp", queue.created.as_seconds().to_string()),
            (
                "LastModifiedTimestamp",
                properties.modified.as_seconds().to_string(),
            ),
            ("QueueArn", queue.arn.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    attributes
}
