//! Which queue is whose dead-letter queue.
//!
//! A redrive policy is checked against the target when it is set: the target exists in the same account and region,
//! is of the same type, and its redrive allow policy lets this source name it. What happens to the target later (it is
//! deleted, its allow policy changes) leaves the source's policy as it is, as on AWS.
//! Source: SQS Developer Guide, "Dead-letter queues"; the wording of refusals is that of recorded answers (read
//! 2026-11-21).

use super::Sqs;
use super::errors::SqsError;
use super::queue::{Queue, QueueKey};
use super::settings::{Settings, refused};
use bulla_gate::Call;
use std::sync::{Arc, PoisonError};

impl Sqs {
    /// Whether the queue `source` may have the redrive policy that stands in `settings`; `text` is the attribute as
    /// the client wrote it.
    ///
    /// # Errors
    /// `InvalidParameterValue` with AWS's reason.
    pub(super) fn check_redrive(
        &self,
        source: &QueueKey,
        settings: &Settings,
        text: Option<&String>,
    ) -> Result<(), SqsError> {
        let (Some(policy), Some(text)) = (&settings.redrive, text) else {
            return Ok(());
        };
        let refuse = |reason: &str| Err(refused("RedrivePolicy", text, reason));
        let target = &policy.target;
        if target.account != source.account {
            return refuse("Dead-letter target owner should be same as the source.");
        }
        let found = self.queue(target).ok().filter(|_| target.region == source.region);
        let Some(found) = found else {
            return refuse("Dead letter target does not exist.");
        };
        if target == source {
            return refuse("Dead-letter target should not be the source itself.");
        }
        if target.name.is_fifo() != source.name.is_fifo() {
            return refuse("Dead-letter queue must be same type of queue as the source.");
        }
        let properties = found.properties();
        let allow = properties.settings.redrive_allow.as_ref();
        if allow.is_some_and(|allow| !allow.allows(&source.arn())) {
            return refuse("The redrive allow policy of the dead-letter target does not allow the source.");
        }
        Ok(())
    }

    /// The queue of an ARN in the region of the call; `parameter` is what the client calls the ARN.
    ///
    /// # Errors
    /// `InvalidParameterValue` for what is not the ARN of a queue, `ResourceNotFoundException` when there is none.
    pub(super) fn find_arn(
        &self,
        call: &Call<'_>,
        parameter: &str,
        arn: &str,
    ) -> Result<Arc<Queue>, SqsError> {
        let key = QueueKey::parse_arn(arn).ok_or_else(|| {
            SqsError::InvalidParameterValue(format!(
                "You must use this format to specify the {parameter}: \
                 arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
            ))
        })?;
        self.queue(&key)
            .ok()
            .filter(|_| key.region == call.region())
            .ok_or_else(|| {
                SqsError::ResourceNotFound(format!(
                    "The resource that you specified for the {parameter} parameter doesn't exist."
                ))
            })
    }

    /// The queues that name this one as their dead-letter queue, in order of name.
    pub(super) fn redrive_sources(&self, target: &QueueKey) -> Vec<Arc<Queue>> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues
            .values()
            .filter(|queue| {
                let properties = queue.properties();
                properties
                    .settings
                    .redrive
                    .is_some_and(|policy| policy.target == *target)
            })
            .map(Arc::clone)
            .collect()
    }
}
