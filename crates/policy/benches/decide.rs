//! What a decision costs: `cargo bench -p bulla-policy --bench decide`. Prints nanoseconds for each decision, the best of
//! ten rounds.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark whose policies do not parse has nothing to measure"
)]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod common;

use bulla_policy::{
    IdentityOwner, Layers, Policy, PolicyKind, Principal, Request, ResourcePolicy, Vendor, Verdicts, decide,
};
use common::{ACCOUNT, ACTION, RESOURCE, USER};
use std::hint::black_box;
use std::sync::Arc;

fn print(name: &str, request: &Request<'_>, layers: &Layers<'_>) {
    let best = common::measure(|| assert!(decide(black_box(request), black_box(layers)).is_allowed()));
    println!("{name:<60} {:>6} ns", best.as_nanos());
}

fn main() {
    let context = common::context();
    let request = Request {
        principal: Principal::User {
            account: ACCOUNT,
            arn: USER,
        },
        action: ACTION,
        resource: RESOURCE,
        resource_account: ACCOUNT,
        context: &context,
        same_account_only: false,
    };
    for statements in [1, 20] {
        let kind = PolicyKind::Resource(Vendor::Sqs);
        let queue = Policy::parse(common::queue_policy(statements), kind).unwrap();
        let layers = Layers {
            resource: ResourcePolicy::Ordinary(Some(&queue)),
            ..Layers::default()
        };
        print(
            &format!("a queue policy, statements: {statements}"),
            &request,
            &layers,
        );
        let kind = PolicyKind::Identity(IdentityOwner::Managed);
        let identity = [Arc::new(
            Policy::parse(common::identity_policy(statements), kind).unwrap(),
        )];
        let layers = Layers {
            identity: &identity,
            resource: ResourcePolicy::Ordinary(None),
            ..Layers::default()
        };
        let name = format!("an identity policy, three conditions each, statements: {statements}");
        print(&name, &request, &layers);
    }
    let verdicts = Verdicts::new(8);
    let (who, what): (Arc<str>, Arc<str>) = (USER.into(), RESOURCE.into());
    let layers = Layers {
        resource: ResourcePolicy::Mandatory(&nothing()),
        ..Layers::default()
    };
    verdicts.keep(
        1,
        (Arc::clone(&who), ACTION, Arc::clone(&what)),
        decide(&request, &layers),
    );
    let best = common::measure(|| {
        let key = black_box((Arc::clone(&who), ACTION, Arc::clone(&what)));
        assert!(verdicts.find(1, &key).is_some());
    });
    println!("{:<60} {:>6} ns", "a verdict that is kept", best.as_nanos());
}

fn nothing() -> Policy {
    let kind = PolicyKind::Resource(Vendor::Sqs);
    Policy::parse(common::queue_policy(1), kind).unwrap()
}
