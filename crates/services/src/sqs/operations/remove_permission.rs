//! `RemovePermission`: takes away what `AddPermission` gave, or any other statement of that label.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::permissions;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct RemovePermission;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "RemovePermissionRequest")]
pub struct RemovePermissionInput {
    /// The queue.
    pub queue_url: String,
    /// What the permission is called.
    pub label: String,
}

impl Operation for RemovePermission {
    const NAME: &'static str = "RemovePermission";
    type Service = Sqs;
    type Input = RemovePermissionInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: RemovePermissionInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:RemovePermission"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        sqs.change(call, &queue, |properties| {
            properties.settings.policy =
                permissions::remove(properties.settings.policy.as_deref(), &input.label)?;
            properties.modified = call.time();
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
