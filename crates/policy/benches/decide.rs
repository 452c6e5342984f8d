//! What a decision costs: `cargo bench -p bulla-policy`. Prints nanoseconds for each decision, the best of ten rounds.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark whose policies do not parse has nothing to measure"
)]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use bulla_policy::{
    IdentityOwner, Layers, MapContext, Policy, PolicyKind, Principal, Request, ResourcePolicy, Vendor, decide,
};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: u32 = 10;
const DECISIONS: u32 = 200_000;

/// So many statements of which only the last allows the request.
fn document(statements: usize, statement: impl Fn(usize) -> String) -> String {
    let all: Vec<String> = (1..=statements).map(statement).collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, all.join(","))
}

fn queue_policy(statements: usize) -> Policy {
    let text = document(statements, |number| {
        let name = if number == statements { "orders" } else { "other" };
        format!(
            r#"{{"Sid":"S{number}","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:user/ann"}},
                "Action":["sqs:SendMessage","sqs:Receive*"],"Resource":"arn:aws:sqs:*:111122223333:{name}*"}}"#
        )
    });
    Policy::parse(text, PolicyKind::Resource(Vendor::Sqs)).unwrap()
}

fn identity_policy(statements: usize) -> Policy {
    let text = document(statements, |number| {
        let team = if number == statements { "blue" } else { "red" };
        format!(
            r#"{{"Effect":"Allow","Action":"sqs:Send*","Resource":"arn:aws:sqs:*:*:orders",
                "Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"{team}"}},"Bool":{{"aws:SecureTransport":"true"}},
                "IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}"#
        )
    });
    Policy::parse(text, PolicyKind::Identity(IdentityOwner::Managed)).unwrap()
}

fn measure(name: &str, request: &Request<'_>, layers: &Layers<'_>) {
    let round = || {
        let begun = Instant::now();
        for _ in 0..DECISIONS {
            assert!(decide(black_box(request), black_box(layers)).is_allowed());
        }
        begun.elapsed() / DECISIONS
    };
    let best = (0..ROUNDS).map(|_| round()).min().unwrap_or_default();
    println!("{name:<60} {:>6} ns", best.as_nanos());
}

fn main() {
    let context = MapContext::new()
        .with("aws:PrincipalTag/team", "blue")
        .with("aws:SecureTransport", "true")
        .with("aws:SourceIp", "10.1.2.3");
    let arn = "arn:aws:iam::111122223333:user/ann";
    let request = Request {
        principal: Principal::User {
            account: "111122223333",
            arn,
        },
        action: "sqs:SendMessage",
        resource: "arn:aws:sqs:eu-central-1:111122223333:orders",
        resource_account: "111122223333",
        context: &context,
        same_account_only: false,
    };
    for statements in [1, 20] {
        let queue = queue_policy(statements);
        let layers = Layers {
            resource: ResourcePolicy::Ordinary(Some(&queue)),
            ..Layers::default()
        };
        measure(
            &format!("a queue policy, statements: {statements}"),
            &request,
            &layers,
        );
        let identity = [Arc::new(identity_policy(statements))];
        let layers = Layers {
            identity: &identity,
            resource: ResourcePolicy::Ordinary(None),
            ..Layers::default()
        };
        let name = format!("an identity policy, three conditions each, statements: {statements}");
        measure(&name, &request, &layers);
    }
}
