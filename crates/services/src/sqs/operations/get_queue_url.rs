//! `GetQueueUrl`: from a queue's name to its URL.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::queue::{Queue, QueueKey};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::{AccountId, QueueName};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct GetQueueUrl;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "GetQueueUrlRequest")]
pub struct GetQueueUrlInput {
    /// The queue's name.
    pub queue_name: String,
    /// The owner, when it is not the caller's account.
    #[member(name = "QueueOwnerAWSAccountId")]
    pub queue_owner_aws_account_id: Option<String>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "GetQueueUrlResult")]
pub struct GetQueueUrlOutput {
    /// Where the queue is addressed.
    pub queue_url: Option<String>,
}

impl Operation for GetQueueUrl {
    const NAME: &'static str = "GetQueueUrl";
    type Service = Sqs;
    type Input = GetQueueUrlInput;
    type Output = GetQueueUrlOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: GetQueueUrlInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let account = match &input.queue_owner_aws_account_id {
            Some(owner) => AccountId::parse(owner).map_err(|_| SqsError::QueueDoesNotExist)?,
            None => call.account(),
        };
        let name = QueueName::parse(&input.queue_name).map_err(|_| SqsError::QueueDoesNotExist)?;
        let target = sqs.queue(&QueueKey {
            account,
            region: call.region(),
            name,
        })?;
        let access = Access::one(target.access("sqs:GetQueueUrl").across_accounts());
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
    ) -> Result<GetQueueUrlOutput, SqsError> {
        let (_, queue) = granted.into_parts();
        Ok(GetQueueUrlOutput {
            queue_url: Some(queue.url(call)),
        })
    }
}
