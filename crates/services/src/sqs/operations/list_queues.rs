//! `ListQueues`: the caller's queues in one region, a page at a time.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::limits::LIST_PAGE_MAX;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::QueueName;
use bulla_wire::Shape;

/// Marker type.
#[derive(Debug)]
pub struct ListQueues;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ListQueuesRequest")]
pub struct ListQueuesInput {
    /// Only names that begin like this.
    pub queue_name_prefix: Option<String>,
    /// Where the last page ended.
    pub next_token: Option<String>,
    /// 1 to 1,000; without it there is one page of at most 1,000.
    pub max_results: Option<i32>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "ListQueuesResult")]
pub struct ListQueuesOutput {
    /// URLs in order of name.
    #[member(query = "QueueUrl", flattened)]
    pub queue_urls: Option<Vec<String>>,
    /// Present when there are more and `MaxResults` was given.
    pub next_token: Option<String>,
}

impl Operation for ListQueues {
    const NAME: &'static str = "ListQueues";
    type Service = Sqs;
    type Input = ListQueuesInput;
    type Output = ListQueuesOutput;
    type Error = SqsError;
    type Target = ();

    async fn resolve(_: &Sqs, call: &Call<'_>, input: ListQueuesInput) -> Result<Resolved<Self>, SqsError> {
        let resource = format!("arn:aws:sqs:{}:{}:*", call.region(), call.account());
        let access = Access::one(AccessRequest::new("sqs:ListQueues", resource, call.account()));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        sqs: &Sqs,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListQueuesOutput, SqsError> {
        let (input, ()) = granted.into_parts();
        let page = input.max_results.unwrap_or(LIST_PAGE_MAX);
        let limit = usize::try_from(page).ok().filter(|_| (1..=LIST_PAGE_MAX).contains(&page)).ok_or_else(|| {
            SqsError::InvalidParameterValue(format!(
                "Value {page} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and \
                 {LIST_PAGE_MAX}."
            ))
        })?;
        let after = match &input.next_token {
            Some(token) => Some(
                QueueName::parse(token)
                    .map_err(|_| SqsError::InvalidParameterValue("Invalid or expired next token.".into()))?,
            ),
            None => None,
        };
        let prefix = input.queue_name_prefix.unwrap_or_default();
        let mut queues = sqs.list(call.account(), call.region(), &prefix, after, limit + 1);
        let more = queues.len() > limit;
        queues.truncate(limit);
        let next_token = queues
            .last()
            .filter(|_| more && input.max_results.is_some())
            .map(|queue| queue.key.name.to_string());
        let queue_urls = (!queues.is_empty()).then(|| queues.iter().map(|queue| queue.url(call)).collect());
        Ok(ListQueuesOutput {
            queue_urls,
            next_token,
        })
    }
}
