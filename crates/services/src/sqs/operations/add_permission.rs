//! `AddPermission`: lets other accounts use the queue, by a statement in its policy.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::permissions::Permission;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct AddPermission;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "AddPermissionRequest")]
pub struct AddPermissionInput {
    /// The queue.
    pub queue_url: String,
    /// What the permission is called, 1 to 80 letters, digits, hyphens and underscores.
    pub label: String,
    /// Who is allowed.
    #[member(name = "AWSAccountIds", query = "AWSAccountId", flattened)]
    pub aws_account_ids: Vec<String>,
    /// What is allowed: names of actions, or `*`.
    #[member(query = "ActionName", flattened)]
    pub actions: Vec<String>,
}

impl Operation for AddPermission {
    const NAME: &'static str = "AddPermission";
    type Service = Sqs;
    type Input = AddPermissionInput;
    type Output = Empty;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: AddPermissionInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:AddPermission"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(sqs: &Sqs, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, SqsError> {
        let (input, queue) = granted.into_parts();
        let permission = Permission::parse(input.label, &input.aws_account_ids, &input.actions)?;
        sqs.change(call, &queue, |properties| {
            properties.settings.policy = Some(permission.add(&queue, properties.settings.policy.as_deref())?);
            properties.modified = call.time();
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
