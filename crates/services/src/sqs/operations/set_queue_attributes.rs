//! `SetQueueAttributes`.

use crate::policy_warnings::warn_of_traps;
use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_policy::{PolicyKind, Vendor};
use bulla_wire::{Empty, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct SetQueueAttributes;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "SetQueueAttributesRequest")]
pub struct SetQueueAttributesInput {
    /// The queue.
    pub queue_url: String,
    /// Attributes by name.
    #[member(query = "Attribute", flattened, key = "Name", value = "Value")]
    pub attributes: BTreeMap<String, String>,
}

impl Operation for SetQueueAttributes {
    const NAME: &'static str = "SetQueueAttributes";
    type Service = Sqs;
    type Input = SetQueueAttributesInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: SetQueueAttributesInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:SetQueueAttributes"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        sqs.change(call, &queue, |properties| {
            let settings = properties.settings.with(&input.attributes)?;
            sqs.check_redrive(&queue.key, &settings, input.attributes.get("RedrivePolicy"))?;
            properties.settings = settings;
            properties.modified = call.time();
            Ok(())
        })
        .await?;
        queue.wake(1);
        if let Some(policy) = input.attributes.get("Policy").filter(|policy| !policy.is_empty()) {
            warn_of_traps(call, &queue.arn, policy, PolicyKind::Resource(Vendor::Sqs));
        }
        Ok(Empty)
    }
}
