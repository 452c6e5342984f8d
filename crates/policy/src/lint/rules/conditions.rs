//! What a statement's conditions compare.

use crate::condition::operator::{Comparison, Quantifier};
use crate::json::{Node, Value};
use crate::key::{Cardinality, KnownKey};
use crate::lint::statement::{Found, Test, View, texts};

fn each(
    view: &View<'_>,
    holds: impl Fn(&Test<'_>) -> bool,
    found: impl Fn(&Test<'_>) -> Found,
) -> Vec<Found> {
    view.conditions
        .iter()
        .filter(|test| holds(test))
        .map(found)
        .collect()
}

/// `ForAllValues` on a key that has one value at most holds for every request that lacks the key.
pub(super) fn for_all_values_single(view: &View<'_>) -> Vec<Found> {
    let single = |test: &Test<'_>| {
        test.operator.quantifier == Quantifier::All
            && test.operator.comparison != Comparison::Null
            && test.key.cardinality() == Some(Cardinality::Single)
    };
    each(view, single, |test| {
        let message = format!(
            "`ForAllValues` on `{}`, which has one value at most, holds for every request that lacks the key",
            test.key
        );
        Found::new(test.at, message, "leave `ForAllValues:` out")
    })
}

/// `ForAllValues` holds for no values at all: an Allow needs `Null` beside it.
pub(super) fn for_all_values_absent(view: &View<'_>) -> Vec<Found> {
    let requires = |key: &str| {
        view.conditions.iter().any(|test| {
            let is_required = match test.operator.comparison {
                Comparison::Null => true,
                Comparison::Text
                | Comparison::TextIgnoringCase
                | Comparison::TextLike
                | Comparison::Number(_)
                | Comparison::Date(_)
                | Comparison::Bool
                | Comparison::Binary
                | Comparison::Address
                | Comparison::Arn => test.operator.quantifier == Quantifier::Any && !test.operator.if_exists,
            };
            is_required && test.key.lower() == key
        })
    };
    let open = |test: &Test<'_>| {
        view.allows()
            && test.operator.quantifier == Quantifier::All
            && test.operator.comparison != Comparison::Null
            && test.key.cardinality() != Some(Cardinality::Single)
            && !requires(test.key.lower())
    };
    each(view, open, |test| {
        let message = format!(
            "`ForAllValues` on `{}` holds for every request that lacks the key",
            test.key
        );
        let help = "use `ForAnyValue`, or add `\"Null\": {\"<the key>\": \"false\"}`";
        Found::new(test.at, message, help)
    })
}

/// A key with several values wants to be told whether one or all of them count.
pub(super) fn missing_qualifier(view: &View<'_>) -> Vec<Found> {
    let unqualified = |test: &Test<'_>| {
        test.operator.quantifier == Quantifier::One
            && test.operator.comparison != Comparison::Null
            && test.key.cardinality() == Some(Cardinality::Many)
    };
    each(view, unqualified, |test| {
        let message = format!(
            "`{}` has several values: the operator does not say whether all must match",
            test.key
        );
        Found::new(
            test.at,
            message,
            "put `ForAnyValue:` or `ForAllValues:` before the operator",
        )
    })
}

/// `ForAllValues:Null` is always true, `ForAnyValue:Null` always false.
pub(super) fn null_with_qualifier(view: &View<'_>) -> Vec<Found> {
    let qualified = |test: &Test<'_>| {
        test.operator.comparison == Comparison::Null && test.operator.quantifier != Quantifier::One
    };
    each(view, qualified, |test| {
        let message = "`Null` asks whether the key exists: a set operator has no meaning with it";
        Found::new(test.at, message, "leave the set operator out")
    })
}

fn is_unknown_of(test: &Test<'_>, prefixes: &[&str]) -> bool {
    let known_prefix = |prefix: &&str| test.key.lower().starts_with(*prefix);
    test.key.known() == KnownKey::Other && prefixes.iter().any(known_prefix)
}

/// No request ever has such a key.
pub(super) fn unknown_global_key(view: &View<'_>) -> Vec<Found> {
    each(
        view,
        |test| is_unknown_of(test, &["aws:"]),
        |test| {
            let message = format!(
                "there is no global condition key `{}`: no request has it",
                test.key
            );
            Found::new(
                test.at,
                message,
                "see the IAM User Guide, \"AWS global condition context keys\"",
            )
        },
    )
}

/// No request ever has such a key.
pub(super) fn unknown_service_key(view: &View<'_>) -> Vec<Found> {
    each(
        view,
        |test| is_unknown_of(test, &["kms:", "sns:", "sqs:"]),
        |test| {
            let message = format!(
                "the service has no condition key `{}`: no request has it",
                test.key
            );
            Found::new(test.at, message, "see the Service Authorization Reference")
        },
    )
}

/// `aws:SourceIp` is the public address, or absent behind an endpoint: never a private one.
pub(super) fn private_source_ip(view: &View<'_>) -> Vec<Found> {
    const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    let is_private = |text: &str| {
        let address = text.split('/').next().and_then(|address| address.parse().ok());
        let within = |range: &&str| {
            let network = crate::condition::network::Network::parse(range);
            network
                .zip(address)
                .is_some_and(|(network, address)| network.contains(address))
        };
        PRIVATE.iter().any(within)
    };
    let only_private = |test: &Test<'_>| {
        test.key.known() == KnownKey::AwsSourceIp
            && !test.values.is_empty()
            && test.values.iter().all(|value| is_private(value.text))
    };
    each(view, only_private, |test| {
        let message = "`aws:SourceIp` is compared with private addresses only: no request comes from them";
        Found::new(
            test.at,
            message,
            "use `aws:VpcSourceIp` with `aws:SourceVpc` for what comes through an endpoint",
        )
    })
}

/// Private addresses repeat in every network.
pub(super) fn unpaired_vpc_address(view: &View<'_>) -> Vec<Found> {
    let unpaired = |test: &Test<'_>| {
        test.key.known() == KnownKey::AwsVpcSourceIp
            && !view.tests_one_of(&["aws:sourcevpc", "aws:sourcevpce"])
    };
    each(view, unpaired, |test| {
        let message = "`aws:VpcSourceIp` alone means that address in anybody's network";
        Found::new(
            test.at,
            message,
            "add a condition on `aws:SourceVpc` or `aws:SourceVpce`",
        )
    })
}

/// Keys that AWS replaced.
pub(super) fn deprecated_key(view: &View<'_>) -> Vec<Found> {
    each(
        view,
        |test| test.key.known() == KnownKey::AwsSourceOwner,
        |test| {
            Found::new(
                test.at,
                format!("`{}` is deprecated", test.key),
                "use `aws:SourceAccount`",
            )
        },
    )
}

/// `*` is plain text unless the operator is `StringLike`.
pub(super) fn wildcard_without_like(view: &View<'_>) -> Vec<Found> {
    let plain = |test: &&Test<'_>| {
        matches!(
            test.operator.comparison,
            Comparison::Text | Comparison::TextIgnoringCase
        )
    };
    let values = view.conditions.iter().filter(plain).flat_map(|test| &test.values);
    values
        .filter(|value| value.text.replace("${*}", "").contains('*'))
        .map(|value| {
            let message = format!("`{}`: this operator takes `*` for a plain character", value.text);
            Found::new(value.at, message, "use `StringLike` or `StringNotLike`")
        })
        .collect()
}

/// Policy variables are plain text before 2012-10-17.
pub(super) fn variable_in_old_version(view: &View<'_>) -> Vec<Found> {
    if view.is_current_version {
        return Vec::new();
    }
    let mut found = Vec::new();
    walk(view.node, &mut found);
    found
}

fn walk(node: &Node, found: &mut Vec<Found>) {
    match &node.value {
        Value::Text(_) => {
            for text in texts(Some(node)).iter().filter(|text| text.text.contains("${")) {
                let message = format!(
                    "`{}`: a policy of 2008-10-17 takes this for plain text",
                    text.text
                );
                found.push(Found::new(
                    text.at,
                    message,
                    "write `\"Version\": \"2012-10-17\"`",
                ));
            }
        }
        // As deep as the reader allows at most.
        Value::List(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(members) => members.iter().for_each(|member| walk(&member.value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
