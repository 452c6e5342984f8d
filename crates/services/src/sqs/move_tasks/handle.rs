//! Task handles: what a client cancels a task with. AWS's are the base64 of a JSON object with these members.

use super::Plan;
use crate::sqs::queue::QueueKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

/// What a handle says.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handle {
    /// Which task.
    pub(crate) task_id: String,
    source_arn: String,
}

impl Handle {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            task_id: plan.id.clone(),
            source_arn: plan.source.arn(),
        }
    }

    pub(super) fn encode(&self) -> String {
        BASE64.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` when the text is not a handle.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64.decode(text).ok()?).ok()
    }

    /// The queue that the task moves messages out of.
    pub(crate) fn source(&self) -> Option<QueueKey> {
        QueueKey::parse_arn(&self.source_arn)
    }
}

impl Plan {
    /// The handle of this task.
    pub(crate) fn handle(&self) -> String {
        Handle::of(self).encode()
    }
}
