//! The names of condition operators, taken apart.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators".

use std::fmt;

/// How two numbers or two moments are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What an operator compares, without negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Text,
    TextIgnoringCase,
    TextLike,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// How the values of the request are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No prefix: for single-valued keys.
    One,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) quantifier: Quantifier,
    pub(crate) if_exists: bool,
}

const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::Text, false),
    ("StringNotEquals", Comparison::Text, true),
    ("StringEqualsIgnoreCase", Comparison::TextIgnoringCase, false),
    ("StringNotEqualsIgnoreCase", Comparison::TextIgnoringCase, true),
    ("StringLike", Comparison::TextLike, false),
    ("StringNotLike", Comparison::TextLike, true),
    ("NumericEquals", Comparison::Number(Order::Equal), false),
    ("NumericNotEquals", Comparison::Number(Order::Equal), true),
    ("NumericLessThan", Comparison::Number(Order::Less), false),
    (
        "NumericLessThanEquals",
        Comparison::Number(Order::LessOrEqual),
        false,
    ),
    ("NumericGreaterThan", Comparison::Number(Order::Greater), false),
    (
        "NumericGreaterThanEquals",
        Comparison::Number(Order::GreaterOrEqual),
        false,
    ),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    ("DateLessThanEquals", Comparison::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    (
        "DateGreaterThanEquals",
        Comparison::Date(Order::GreaterOrEqual),
        false,
    ),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::Binary, false),
    ("IpAddress", Comparison::Address, false),
    ("NotIpAddress", Comparison::Address, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("Null", Comparison::Null, false),
];

impl Operator {
    /// Reads an operator name, ignoring case; `None` when there is no such operator.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (Quantifier::One, name),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Quantifier::All, rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, rest),
            Some(_) => return None,
        };
        let cut = rest.len().saturating_sub("IfExists".len());
        let (base, if_exists) = match rest.split_at_checked(cut) {
            Some((base, suffix)) if suffix.eq_ignore_ascii_case("IfExists") => (base, true),
            Some(_) | None => (rest, false),
        };
        let (name, comparison, negated) = OPERATORS
            .into_iter()
            .find(|(known, _, _)| known.eq_ignore_ascii_case(base))?;
        Some(Self {
            name,
            comparison,
            negated,
            quantifier,
            if_exists,
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.quantifier {
            Quantifier::One => "",
            Quantifier::All => "ForAllValues:",
            Quantifier::Any => "ForAnyValue:",
        })?;
        formatter.write_str(self.name)?;
        formatter.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}
