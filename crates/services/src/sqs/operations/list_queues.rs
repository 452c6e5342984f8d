//! `ListQueues`: the caller's queues in one region, a page at a time.

use crate::sqs::Sqs;
use crate::sqs::errors::SqsError;
use crate::sqs::page::Page;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
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
        let page = Page::parse(input.max_results, input.next_token.as_ref())?;
        let prefix = input.queue_name_prefix.unwrap_or_default();
        let queues = sqs.list(
            call.account(),
            call.region(),
            &prefix,
            page.after(),
            page.sought(),
        );
        let (urls, next_token) = page.cut(call, queues);
        let queue_urls = (!urls.is_empty()).then_some(urls);
        Ok(ListQueuesOutput {
            queue_urls,
            next_token,
        })
    }
}
