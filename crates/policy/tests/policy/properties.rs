//! What holds for every policy and every request.

use crate::allocations::allocations;
use crate::support::Case;
use bulla_policy::{IdentityOwner, Policy, PolicyKind, Vendor, decide, explain};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const USER: &str = "arn:aws:iam::111111111111:user/ann";
const ROLE: &str = "arn:aws:iam::111111111111:role/worker";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/worker/s";
const ROOT: &str = "arn:aws:iam::111111111111:root";
const OTHER: &str = "arn:aws:iam::222222222222:user/bob";

fn condition() -> impl Strategy<Value = Value> {
    let operator = select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "Null",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotLike",
        "ForAnyValue:StringNotEquals",
        "StringNotEqualsIgnoreCase",
        "ArnLike",
        "ArnNotLike",
        "NumericLessThan",
        "IpAddress",
        "NotIpAddress",
        "Bool",
    ]);
    let key = select(vec![
        "aws:username",
        "aws:PrincipalTag/t",
        "aws:SourceArn",
        "aws:TagKeys",
        "aws:SourceIp",
    ]);
    let values = prop::collection::vec(
        select(vec!["true", "a", "a*", "${aws:username}", "*", "10.0.0.0/8", "5"]),
        0..3,
    );
    (operator, key, values).prop_filter_map("a form the operator takes", |(operator, key, values)| {
        let condition = json!({operator: {key: values}});
        let statement = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}, "Version": "2012-10-17"});
        let parsed = Policy::parse_lenient(statement.to_string(), PolicyKind::Session);
        parsed.is_ok().then_some(condition)
    })
}

fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!("*"),
        json!({"AWS": USER}),
        json!({"AWS": ROLE}),
        json!({"AWS": SESSION}),
        json!({"AWS": ROOT}),
        json!({"AWS": ["222222222222", ROLE]}),
        json!({"Service": "sns.amazonaws.com"}),
    ]);
    let action = select(vec![
        json!("*"),
        json!("sqs:*"),
        json!(["sqs:SendMessage", "sqs:Get*"]),
        json!("s3:*"),
    ]);
    let resource = select(vec![
        json!("*"),
        json!("arn:aws:sqs:*:*:${aws:username}"),
        json!("arn:aws:sqs:*:*:o*"),
    ]);
    let shape = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (shape, principal, action, resource, prop::option::of(condition())).prop_map(
        move |((allow, not_principal, not_action, not_resource), principal, action, resource, condition)| {
            let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }});
            if with_principal {
                let negate = not_principal && principal != json!("*");
                statement[if negate { "NotPrincipal" } else { "Principal" }] = principal;
            }
            statement[if not_action { "NotAction" } else { "Action" }] = action;
            statement[if not_resource { "NotResource" } else { "Resource" }] = resource;
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        },
    )
}

fn document(with_principal: bool) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(with_principal), 1..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

/// A document as resource control policies are written.
fn for_everyone() -> impl Strategy<Value = Value> {
    document(false).prop_map(|mut document| {
        for statement in document["Statement"].as_array_mut().unwrap() {
            statement["Principal"] = json!("*");
        }
        document
    })
}

fn context() -> impl Strategy<Value = Value> {
    let pairs = vec![
        ("aws:username", json!("a")),
        ("aws:PrincipalTag/t", json!("A")),
        ("aws:SourceArn", json!("arn:aws:sns:r:1:t")),
        ("aws:TagKeys", json!(["a", "b"])),
        ("aws:SourceIp", json!("10.1.2.3")),
    ];
    let length = pairs.len();
    subsequence(pairs, 0..=length).prop_map(|pairs| {
        Value::Object(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    })
}

fn vector() -> impl Strategy<Value = Value> {
    let principal = select(vec![USER, SESSION, ROOT, OTHER, "sns.amazonaws.com", "anonymous"]);
    let action = select(vec![
        "sqs:SendMessage",
        "sqs:GetQueueUrl",
        "sqs:DeleteQueue",
        "kms:Decrypt",
    ]);
    let lists = (
        prop::collection::vec(document(false), 0..3),
        prop::option::of(document(true)),
        prop::collection::vec(prop::collection::vec(document(false), 0..2), 0..3),
        prop::collection::vec(prop::collection::vec(for_everyone(), 0..2), 0..2),
        prop::collection::vec(document(false), 0..2),
        prop::option::of(document(false)),
        prop::collection::vec(document(true), 0..2),
    );
    (principal, action, context(), lists).prop_map(
        |(principal, action, context, (identity, resource, scp, rcp, boundary, session, vpce))| {
            json!({
                "principal": principal, "action": action, "resource": "arn:aws:sqs:r:111111111111:orders",
                "resourceAccountId": "111111111111", "context": context,
                "policies": {"identity": identity, "resource": resource, "scp": scp, "rcp": rcp, "boundary": boundary,
                    "session": session, "vpce": vpce},
            })
        },
    )
}

fn allowed(vector: &Value) -> bool {
    Case::read(vector).with(decide).is_allowed()
}

/// All documents of a vector, for changing them.
fn documents(policies: &mut Value) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for value in policies.as_object_mut().unwrap().values_mut() {
        collect(value, &mut found);
    }
    found
}

fn collect<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, found)),
        Value::Object(_) => found.push(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #[test]
    fn no_decision_allocates(vector in vector()) {
        let allocated = Case::read(&vector).with(allocations);
        prop_assert_eq!(allocated, 0);
    }

    #[test]
    fn an_explanation_decides_as_the_decision_does(vector in vector()) {
        Case::read(&vector).with(|request, layers| {
            assert_eq!(explain(request, layers).decision, decide(request, layers));
        });
    }

    #[test]
    fn adding_a_deny_never_allows_more(vector in vector(), mut deny in statement(false), at in any::<prop::sample::Index>()) {
        let mut changed = vector.clone();
        let mut all = documents(&mut changed["policies"]);
        prop_assume!(!all.is_empty());
        let chosen = at.index(all.len());
        let statements = all[chosen]["Statement"].as_array_mut().unwrap();
        deny["Effect"] = json!("Deny");
        for element in ["Principal", "NotPrincipal"] {
            if let Some(principal) = statements[0].get(element) {
                deny[element] = principal.clone();
            }
        }
        statements.push(deny);
        prop_assert!(allowed(&vector) || !allowed(&changed));
    }

    #[test]
    fn adding_a_limit_never_allows_more(vector in vector(), limit in document(false)) {
        for name in ["boundary", "scp", "session"] {
            let mut changed = vector.clone();
            match name {
                "boundary" if vector["policies"][name] == json!([]) => changed["policies"][name] = json!([limit]),
                "scp" => changed["policies"][name].as_array_mut().unwrap().push(json!([limit])),
                "session" if vector["policies"][name].is_null() => changed["policies"][name] = limit.clone(),
                _ => continue,
            }
            prop_assert!(allowed(&vector) || !allowed(&changed), "{}", name);
        }
    }

    #[test]
    fn the_order_of_statements_and_policies_never_matters(vector in vector()) {
        let mut changed = vector.clone();
        for document in documents(&mut changed["policies"]) {
            document["Statement"].as_array_mut().unwrap().reverse();
        }
        changed["policies"]["identity"].as_array_mut().unwrap().reverse();
        let outcome = |vector: &Value| Case::read(vector).with(decide).outcome;
        prop_assert_eq!(outcome(&vector), outcome(&changed));
    }

    #[test]
    fn printing_and_parsing_again_never_changes_a_policy(document in document(true)) {
        let text = serde_json::to_string_pretty(&document).unwrap();
        let policy = Policy::parse_lenient(&text, PolicyKind::Resource(Vendor::Sqs)).unwrap();
        let printed = Policy::parse_lenient(policy.compact(), PolicyKind::Resource(Vendor::Sqs)).unwrap();
        prop_assert_eq!(policy.text(), text);
        prop_assert_eq!(printed.compact(), policy.compact());
        let same = json!({"text": serde_json::from_str::<Value>(&policy.compact()).unwrap()});
        prop_assert_eq!(&same["text"], &document);
    }

    #[test]
    fn printing_and_parsing_again_never_changes_a_decision(vector in vector(), document in document(true)) {
        let mut before = vector;
        before["policies"]["resource"] = document;
        let mut after = before.clone();
        for document in documents(&mut after["policies"]) {
            let policy = Policy::parse_lenient(document.to_string(), PolicyKind::VpcEndpoint)
                .or_else(|_| Policy::parse_lenient(document.to_string(), PolicyKind::Session));
            *document = serde_json::from_str(&policy.unwrap().compact()).unwrap();
        }
        prop_assert_eq!(Case::read(&before).with(decide), Case::read(&after).with(decide));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [PolicyKind::Identity(IdentityOwner::User), PolicyKind::Resource(Vendor::Sqs), PolicyKind::Trust] {
            if let Err(rejection) = Policy::parse(&bytes, kind) {
                prop_assert!(rejection.render("policy.json").contains('^'));
            }
        }
    }

    #[test]
    fn no_damage_to_a_policy_makes_the_parser_panic(
        document in document(true),
        at in any::<prop::sample::Index>(),
        with in select(vec!["", "\"", "{", "}", "${", "\\u", "\u{e9}", "\n", ",", "'", "*", "\\ud800"]),
    ) {
        let text = document.to_string();
        let mut cut = at.index(text.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let damaged = format!("{}{with}{}", &text[..cut], &text[cut..].chars().skip(1).collect::<String>());
        if let Err(rejection) = Policy::parse(&damaged, PolicyKind::Resource(Vendor::Kms)) {
            prop_assert!(rejection.line() >= 1 && rejection.column() >= 1);
        }
    }
}
