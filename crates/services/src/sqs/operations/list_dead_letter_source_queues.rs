//! `ListDeadLetterSourceQueues`: the queues whose redrive policy names this one.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::page::Page;
use crate::sqs::queue::Queue;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// Marker type.
#[derive(Debug)]
pub struct ListDeadLetterSourceQueues;

/// Input.
#[derive(Debug, Shape)]
#[shape(name = "ListDeadLetterSourceQueuesRequest")]
pub struct ListDeadLetterSourceQueuesInput {
    /// The dead-letter queue.
    pub queue_url: String,
    /// Where the last page ended.
    pub next_token: Option<String>,
    /// 1 to 1,000; without it there is one page of at most 1,000.
    pub max_results: Option<i32>,
}

/// Output.
#[derive(Debug, Shape)]
#[shape(name = "ListDeadLetterSourceQueuesResult")]
pub struct ListDeadLetterSourceQueuesOutput {
    /// URLs in order of name.
    #[member(name = "queueUrls", query = "QueueUrl", flattened)]
    pub queue_urls: Vec<String>,
    /// Present when there are more and `MaxResults` was given.
    pub next_token: Option<String>,
}

impl Operation for ListDeadLetterSourceQueues {
    const NAME: &'static str = "ListDeadLetterSourceQueues";
    type Service = Sqs;
    type Input = ListDeadLetterSourceQueuesInput;
    type Output = ListDeadLetterSourceQueuesOutput;
    type Error = SqsError;
    type Target = Arc<Queue>;

    async fn resolve(
        sqs: &Sqs,
        call: &Call<'_>,
        input: ListDeadLetterSourceQueuesInput,
    ) -> Result<Resolved<Self>, SqsError> {
        let target = sqs.find(call, &input.queue_url)?;
        let access = Access::one(target.access("sqs:ListDeadLetterSourceQueues").across_accounts());
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        sqs: &Sqs,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListDeadLetterSourceQueuesOutput, SqsError> {
        let (input, queue) = granted.into_parts();
        let page = Page::parse(input.max_results, input.next_token.as_ref())?;
        let sources = sqs
            .redrive_sources(&queue.key)
            .into_iter()
            .filter(|source| page.after().is_none_or(|after| source.key.name > after))
            .take(page.sought())
            .collect();
        let (queue_urls, next_token) = page.cut(call, sources);
        Ok(ListDeadLetterSourceQueuesOutput {
            queue_urls,
            next_token,
        })
    }
}
