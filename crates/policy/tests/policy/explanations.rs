//! Explanations: the same decision, with its reasons.

use crate::support::{Case, document, vectors};
use bulla_policy::{Decision, Layer, Outcome, decide, explain};
use serde_json::{Value, json};

#[test]
fn explanations_of_all_documented_cases_agree_with_their_decisions_and_are_json() {
    for vector in vectors().iter().filter(|vector| vector["kind"] == "decide") {
        Case::read(vector).with(|request, layers| {
            let explanation = explain(request, layers);
            assert_eq!(explanation.decision, decide(request, layers), "{}", vector["id"]);
            let json: Value = serde_json::from_str(&explanation.to_json()).unwrap();
            assert_eq!(json["decision"], explanation.decision.outcome.as_str());
            assert!(explanation.to_string().contains(request.action));
        });
    }
}

fn denied() -> Value {
    json!({
        "principal": "arn:aws:sts::111111111111:assumed-role/worker/s",
        "action": "sqs:SendMessage",
        "resource": "arn:aws:sqs:eu-central-1:111111111111:orders",
        "resourceAccountId": "111111111111",
        "context": {"aws:PrincipalTag/team": "red"},
        "policies": {"identity": [document(&json!([
            {"Sid": "Read", "Effect": "Allow", "Action": "sqs:Get*", "Resource": "*"},
            {"Sid": "Write", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*",
             "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["blue", "${aws:username}"]}}},
        ]))]},
    })
}

#[test]
fn the_tree_shows_required_and_actual_values_and_the_nearest_change() {
    let shown = Case::read(&denied()).with(|request, layers| explain(request, layers).to_string());
    for line in [
        "DENY (implicit)  sqs:SendMessage on arn:aws:sqs:eu-central-1:111111111111:orders",
        "statement `Write` (line 1) Allow does not apply",
        "StringEquals aws:PrincipalTag/team fails: wants `blue`, `${aws:username}` (has no value); got `red`",
        "1 of 2 about other actions",
        "resource: silent (the resource has no policy)",
        "because no identity-based policy allows the sqs:SendMessage action",
        "hint: identity policy statement `Write` (line 1) would allow it if StringEquals aws:PrincipalTag/team (line 1) held",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn denials_are_worded_as_aws_words_them() {
    let deny = |outcome, layer| Decision {
        outcome,
        layer,
        position: None,
        level: None,
    };
    let implicit = [
        (Layer::Identity, "identity-based policy"),
        (Layer::Resource, "resource-based policy"),
        (Layer::ServiceControl, "service control policy"),
        (Layer::Boundary, "permissions boundary"),
        (Layer::Session, "session policy"),
        (Layer::Endpoint, "VPC endpoint policy"),
        (Layer::Trust, "role trust policy"),
    ];
    for (layer, named) in implicit {
        let expected = format!("because no {named} allows the sqs:SendMessage action");
        let denial = deny(Outcome::ImplicitDeny, layer).denial("sqs:SendMessage");
        assert_eq!(denial, Some(expected));
    }
    let explicit = [
        (Layer::Identity, "an identity-based policy"),
        (Layer::Resource, "a resource-based policy"),
        (Layer::ServiceControl, "a service control policy"),
        (Layer::ResourceControl, "a resource control policy"),
        (Layer::Boundary, "a permissions boundary"),
        (Layer::Session, "a session policy"),
        (Layer::Endpoint, "a VPC endpoint policy"),
        (Layer::Trust, "the role trust policy"),
    ];
    for (layer, named) in explicit {
        let expected = format!("with an explicit deny in {named}");
        let denial = deny(Outcome::ExplicitDeny, layer).denial("sqs:SendMessage");
        assert_eq!(denial, Some(expected));
    }
    assert_eq!(
        deny(Outcome::Allow, Layer::Identity).denial("sqs:SendMessage"),
        None
    );
}

#[test]
fn the_deciding_policy_and_statement_can_be_named() {
    let mut vector = denied();
    vector["policies"]["resource"] = document(&json!([
        {"Sid": "Other", "Effect": "Allow", "Principal": "*", "Action": "sqs:Get*", "Resource": "*"},
        {"Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"},
    ]));
    Case::read(&vector).with(|request, layers| {
        let decision = decide(request, layers);
        assert_eq!((decision.outcome, decision.layer), (Outcome::ExplicitDeny, Layer::Resource));
        assert_eq!(decision.policy(layers).unwrap().label(), "queue policy");
        assert_eq!(decision.statement(layers).unwrap().sid(), Some("Never"));
        assert_eq!(
            decision.message(request).unwrap(),
            "User: arn:aws:sts::111111111111:assumed-role/worker/s is not authorized to perform: sqs:SendMessage on \
             resource: arn:aws:sqs:eu-central-1:111111111111:orders with an explicit deny in a resource-based policy"
        );
    });
}
