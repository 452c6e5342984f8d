//! A decision allocates nothing, whatever the policies and the request are.

use crate::support::{Case, document, vectors};
use bulla_policy::{
    ConditionKey, Context, KnownKey, Layers, Policy, PolicyKind, Principal, Request, ResourcePolicy, Value,
    Values, Vendor, decide,
};
use serde_json::json;
use std::hint::black_box;
use std::net::IpAddr;

/// The allocations of one decision.
pub(crate) fn allocations(request: &Request<'_>, layers: &Layers<'_>) -> u64 {
    let counted = allocation_counter::measure(|| {
        black_box(decide(black_box(request), black_box(layers)));
    });
    counted.count_total
}

/// A request whose keys are numbers, times and addresses, as a server knows them.
struct Plain;

impl Context for Plain {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys are text")]
    fn values(&self, key: &ConditionKey) -> Option<Values<'_>> {
        let value = match key.known() {
            KnownKey::AwsSourceIp => Value::Address(IpAddr::from([10, 1, 2, 3])),
            KnownKey::AwsVpcSourceIp => Value::Address(IpAddr::from([0x2001, 0xdb8, 1, 2, 3, 4, 5, 6])),
            KnownKey::AwsCurrentTime => Value::Time(1_795_255_200),
            KnownKey::AwsEpochTime => Value::Number(1_795_255_200),
            KnownKey::AwsMultiFactorAuthAge => Value::Text("0900.50"),
            KnownKey::AwsTokenIssueTime => Value::Text("2026-11-21T10:00:00.5Z"),
            KnownKey::AwsSourceArn => Value::Text("arn:aws:sqs:eu-central-1:1795255200:orders"),
            KnownKey::AwsReferer => Value::Text("x2026-11-21T10:00:00Zy1795255200"),
            KnownKey::AwsUserAgent => Value::Text("10.1.Zm9v!"),
            KnownKey::AwsSecureTransport => Value::Bool(true),
            _ => Value::Text("Zm9v"),
        };
        Some(Values::One(value))
    }
}

#[test]
fn the_allocations_of_a_decision_are_counted() {
    let counted = allocation_counter::measure(|| drop(black_box(Box::new(1))));
    assert_eq!(counted.count_total, 1);
}

#[test]
fn no_documented_decision_allocates() {
    let decisions = vectors().into_iter().filter(|vector| vector["kind"] == "decide");
    let mut count = 0;
    for vector in decisions {
        let allocated = Case::read(&vector).with(allocations);
        assert_eq!(allocated, 0, "{vector}");
        count += 1;
    }
    assert!(count > 100, "{count} decisions");
}

#[test]
fn no_operator_allocates_whatever_it_compares() {
    // Each with a key whose value it matches, so that it comes to its end.
    let operators = [
        ("StringEquals", "${aws:CurrentTime}", "aws:CurrentTime"),
        ("StringNotEquals", "${aws:SourceIp}", "aws:username"),
        (
            "StringEqualsIgnoreCase",
            "X${aws:CurrentTime}Y${aws:EpochTime}",
            "aws:referer",
        ),
        ("StringLike", "1?.*.${aws:username}*", "aws:UserAgent"),
        ("ArnLike", "arn:aws:sqs:*:${aws:EpochTime}:*", "aws:SourceArn"),
        ("NumericLessThan", "900.75", "aws:MultiFactorAuthAge"),
        ("DateGreaterThan", "2026-11-21T10:00:00Z", "aws:TokenIssueTime"),
        ("Bool", "true", "aws:SecureTransport"),
        ("BinaryEquals", "Zm9v", "aws:username"),
        ("IpAddress", "10.0.0.0/8", "aws:SourceIp"),
        ("Null", "false", "aws:EpochTime"),
    ];
    let keys = [
        "aws:SourceIp",
        "aws:VpcSourceIp",
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:MultiFactorAuthAge",
        "aws:SecureTransport",
        "aws:username",
        "aws:TokenIssueTime",
        "aws:SourceArn",
        "aws:referer",
        "aws:UserAgent",
    ];
    for (operator, value, matching) in operators {
        for key in keys {
            let condition = json!({ operator: { key: value } });
            let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*",
                "Condition": condition});
            let text = document(&json!([statement])).to_string();
            let policy = Policy::parse_lenient(text, PolicyKind::Resource(Vendor::Sqs)).unwrap();
            let request = Request {
                principal: Principal::Anonymous,
                action: "sqs:SendMessage",
                resource: "arn:aws:sqs:eu-central-1:111111111111:orders",
                resource_account: "111111111111",
                context: &Plain,
                same_account_only: false,
            };
            let layers = Layers {
                resource: ResourcePolicy::Ordinary(Some(&policy)),
                ..Layers::default()
            };
            assert_eq!(allocations(&request, &layers), 0, "{condition}");
            if key == matching {
                assert!(decide(&request, &layers).is_allowed(), "{condition}");
            }
        }
    }
}
