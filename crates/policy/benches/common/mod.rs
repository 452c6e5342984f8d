//! The policies and the request that are measured.

use bulla_policy::MapContext;
use std::time::{Duration, Instant};

/// Who asks.
pub(crate) const USER: &str = "arn:aws:iam::111122223333:user/ann";
/// The account of everything.
pub(crate) const ACCOUNT: &str = "111122223333";
/// What is asked.
pub(crate) const ACTION: &str = "sqs:SendMessage";
/// Of what.
pub(crate) const RESOURCE: &str = "arn:aws:sqs:eu-central-1:111122223333:orders";
/// The condition keys of the request.
pub(crate) const CONTEXT: [(&str, &str); 3] = [
    ("aws:PrincipalTag/team", "blue"),
    ("aws:SecureTransport", "true"),
    ("aws:SourceIp", "10.1.2.3"),
];

/// Many short rounds: the best of them was disturbed by nothing else on the machine.
const ROUNDS: u32 = 1_000;
const DECISIONS: u32 = 1_000;

/// So many statements of which only the last allows the request.
fn document(statements: usize, statement: impl Fn(usize) -> String) -> String {
    let all: Vec<String> = (1..=statements).map(statement).collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, all.join(","))
}

/// A queue policy: principal, two actions, resource.
pub(crate) fn queue_policy(statements: usize) -> String {
    document(statements, |number| {
        let name = if number == statements { "orders" } else { "other" };
        format!(
            r#"{{"Sid":"S{number}","Effect":"Allow","Principal":{{"AWS":"{USER}"}},
                "Action":["sqs:SendMessage","sqs:Receive*"],"Resource":"arn:aws:sqs:*:{ACCOUNT}:{name}*"}}"#
        )
    })
}

/// An identity policy with three conditions in each statement.
pub(crate) fn identity_policy(statements: usize) -> String {
    document(statements, |number| {
        let team = if number == statements { "blue" } else { "red" };
        format!(
            r#"{{"Effect":"Allow","Action":"sqs:Send*","Resource":"arn:aws:sqs:*:*:orders",
                "Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"{team}"}},"Bool":{{"aws:SecureTransport":"true"}},
                "IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}"#
        )
    })
}

/// The condition keys of the request.
pub(crate) fn context() -> MapContext {
    let keys = CONTEXT.into_iter();
    keys.fold(MapContext::new(), |context, (key, value)| {
        context.with(key, value)
    })
}

/// What one decision takes, the best of a thousand rounds.
pub(crate) fn measure(decide: impl Fn()) -> Duration {
    let round = || {
        let begun = Instant::now();
        for _ in 0..DECISIONS {
            decide();
        }
        begun.elapsed() / DECISIONS
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}
