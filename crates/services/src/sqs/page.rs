//! Pages of queues: at most 1,000, and where the next begins.
//!
//! A token is the name of the last queue that was listed, so it stays good however long it is kept and whatever is
//! created or deleted meanwhile.
//! Source: SQS API Reference, `ListQueues` and `ListDeadLetterSourceQueues` (read 2026-11-21).

use super::errors::SqsError;
use super::limits::LIST_PAGE_MAX;
use super::queue::Queue;
use bulla_gate::Call;
use bulla_types::QueueName;
use std::sync::Arc;

/// What a client asks for, checked.
#[derive(Debug)]
pub(crate) struct Page {
    limit: usize,
    /// Without `MaxResults` there is one page and no token.
    asked: bool,
    after: Option<QueueName>,
}

impl Page {
    /// # Errors
    /// `InvalidParameterValue`.
    pub(crate) fn parse(max_results: Option<i32>, next_token: Option<&String>) -> Result<Self, SqsError> {
        let page = max_results.unwrap_or(LIST_PAGE_MAX);
        let limit = usize::try_from(page)
            .ok()
            .filter(|_| (1..=LIST_PAGE_MAX).contains(&page))
            .ok_or_else(|| {
                SqsError::InvalidParameterValue(format!(
                    "Value {page} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 \
                     and {LIST_PAGE_MAX}."
                ))
            })?;
        let after = match next_token {
            Some(token) => Some(
                QueueName::parse(token)
                    .map_err(|_| SqsError::InvalidParameterValue("Invalid or expired next token.".into()))?,
            ),
            None => None,
        };
        Ok(Self {
            limit,
            asked: max_results.is_some(),
            after,
        })
    }

    /// How many queues must be looked for: one more than are shown.
    pub(crate) fn sought(&self) -> usize {
        self.limit + 1
    }

    /// Queues up to this name were on earlier pages.
    pub(crate) fn after(&self) -> Option<QueueName> {
        self.after
    }

    /// The URLs of the first queues, which lie in order of name, and the token for the rest.
    pub(crate) fn cut(&self, call: &Call<'_>, mut queues: Vec<Arc<Queue>>) -> (Vec<String>, Option<String>) {
        let more = queues.len() > self.limit;
        queues.truncate(self.limit);
        let token = queues
            .last()
            .filter(|_| more && self.asked)
            .map(|queue| queue.key.name.to_string());
        (queues.iter().map(|queue| queue.url(call)).collect(), token)
    }
}
