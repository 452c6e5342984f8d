//! Conditions: one operator, one key, its values.
//!
//! The rules that people get wrong, and that must stay true here (IAM User Guide, "Condition operators" and
//! "Multivalued context keys"):
//! - Values of one key are alternatives; keys and operators must all hold. A negated operator over several values
//!   means none of them.
//! - An absent key makes an operator false, a negated operator true, `ForAllValues` true, `ForAnyValue` false,
//!   anything with `IfExists` true.
//! - Without set operator, a key with several values matches when any of them does, and a negated operator holds
//!   when none does.
//! - A policy variable without value equals nothing, so a negated operator then holds.

mod base64;
pub(crate) mod date;
mod decimal;
pub(crate) mod network;
pub(crate) mod operator;

use crate::arn::ArnPattern;
use crate::context::{Context, Value, Values};
use crate::key::ConditionKey;
use crate::pattern::{Case, Pattern, VariableError, Variables, Wildcards};
use date::Moment;
use decimal::Decimal;
use network::Network;
use operator::{Comparison, Operator, Quantifier};
use std::net::IpAddr;

/// The values of a condition in the form their operator compares; `None` marks one that has not that form.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Operand {
    Text(Box<[Pattern]>),
    Number(Box<[Option<Decimal>]>),
    Date(Box<[Option<Moment>]>),
    Bool(Box<[Option<bool>]>),
    Binary(Box<[Option<Box<[u8]>>]>),
    Address(Box<[Option<Network>]>),
    Arn(Box<[ArnPattern]>),
}

/// One operator applied to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    pub(crate) key: ConditionKey,
    pub(crate) line: usize,
    required: Box<[Box<str>]>,
    operand: Operand,
}

/// Why a value cannot stand in a condition.
#[derive(Debug)]
pub(crate) enum ValueError {
    /// The operator takes no variables, or the variable is malformed; offset within the value.
    Variable(VariableError),
    /// The value has not the form the operator compares.
    Form(&'static str),
}

impl Condition {
    /// Compiles a condition.
    ///
    /// `lenient` keeps values that the operator cannot compare; they then match nothing.
    ///
    /// # Errors
    /// The index of the value at fault and what is wrong with it.
    pub(crate) fn compile(
        operator: Operator,
        key: ConditionKey,
        values: &[String],
        line: usize,
        variables: Variables,
        lenient: bool,
    ) -> Result<Self, (usize, ValueError)> {
        let compared = |(index, text): (usize, &String)| {
            check(operator.comparison, text, variables, lenient).map_err(|error| (index, error))
        };
        values.iter().enumerate().try_for_each(compared)?;
        let operand = Operand::compile(operator.comparison, values, variables)
            .map_err(|(index, error)| (index, ValueError::Variable(error)))?;
        let required = values.iter().map(|value| value.as_str().into()).collect();
        Ok(Self {
            operator,
            key,
            line,
            required,
            operand,
        })
    }

    /// The values as the policy writes them.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.required.iter().map(|text| &**text)
    }

    /// The values with policy variables replaced, for people: `None` where a variable has no value.
    pub(crate) fn resolved(&self, context: &dyn Context) -> Vec<(String, Option<String>)> {
        let texts = self.required().map(str::to_owned);
        let Operand::Text(patterns) = &self.operand else {
            return texts.map(|text| (text.clone(), Some(text))).collect();
        };
        texts
            .zip(patterns.iter().map(|pattern| pattern.resolve(context)))
            .collect()
    }

    /// Whether the condition holds for a request with this context.
    pub(crate) fn holds(&self, context: &dyn Context) -> bool {
        let operator = &self.operator;
        let values = context.values(&self.key).filter(|values| !values.is_empty());
        if operator.comparison == Comparison::Null {
            return self.null(values.is_none());
        }
        let values = match operator.quantifier {
            Quantifier::One => values,
            Quantifier::All | Quantifier::Any => values.filter(|values| !is_null_set(*values)),
        };
        let Some(values) = values else {
            return operator.if_exists
                || match operator.quantifier {
                    Quantifier::One => operator.negated,
                    Quantifier::All => true,
                    Quantifier::Any => false,
                };
        };
        let matches = |value| self.operand.matches(operator.comparison, value, context);
        match operator.quantifier {
            Quantifier::One => values.any(matches) != operator.negated,
            Quantifier::All => !values.any(|value| matches(value) == operator.negated),
            Quantifier::Any => values.any(|value| matches(value) != operator.negated),
        }
    }

    fn null(&self, absent: bool) -> bool {
        match self.operator.quantifier {
            Quantifier::All => true,
            Quantifier::Any => false,
            Quantifier::One => {
                matches!(&self.operand, Operand::Bool(wanted) if wanted.contains(&Some(absent)))
            }
        }
    }
}

/// Set operators treat a lone empty string as no value. Source: IAM User Guide, "Multivalued context keys".
fn is_null_set(values: Values<'_>) -> bool {
    let mut each = values.iter();
    each.next() == Some(Value::Text("")) && each.next().is_none()
}

fn check(comparison: Comparison, text: &str, variables: Variables, lenient: bool) -> Result<(), ValueError> {
    let form = match comparison {
        Comparison::Text | Comparison::TextIgnoringCase | Comparison::TextLike | Comparison::Arn => None,
        Comparison::Number(_) => Decimal::parse(text)
            .is_none()
            .then_some("this operator compares numbers"),
        Comparison::Date(_) => Moment::parse(text)
            .is_none()
            .then_some("this operator compares dates such as `2026-11-21T10:00:00Z`, or seconds since 1970"),
        Comparison::Bool | Comparison::Null => boolean(text)
            .is_none()
            .then_some("this operator takes `true` or `false`"),
        Comparison::Binary => base64::decode(text)
            .is_none()
            .then_some("this operator compares base64"),
        Comparison::Address => Network::parse(text)
            .is_none()
            .then_some("this operator compares addresses and CIDR ranges"),
    };
    let Some(form) = form else {
        return arn_form(comparison, text, variables, lenient);
    };
    if variables == Variables::Active && text.contains("${") {
        let message = "policy variables can stand in values of string and ARN operators only";
        return Err(ValueError::Variable(VariableError { at: 0, message }));
    }
    if lenient {
        Ok(())
    } else {
        Err(ValueError::Form(form))
    }
}

fn arn_form(
    comparison: Comparison,
    text: &str,
    variables: Variables,
    lenient: bool,
) -> Result<(), ValueError> {
    if comparison != Comparison::Arn || lenient {
        return Ok(());
    }
    let compiled = ArnPattern::compile(text, variables).map_err(ValueError::Variable)?;
    match compiled {
        ArnPattern::Any | ArnPattern::Parts(_) => Ok(()),
        // A value that is one variable can be a whole ARN; it then matches nothing part by part, but it is no typo.
        ArnPattern::Never if variables == Variables::Active && text.starts_with("${") => Ok(()),
        ArnPattern::Never => Err(ValueError::Form(
            "this operator compares ARNs of six parts: `arn:partition:service:region:account:resource`",
        )),
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

impl Operand {
    fn compile(
        comparison: Comparison,
        values: &[String],
        variables: Variables,
    ) -> Result<Self, (usize, VariableError)> {
        let texts = values.iter().map(String::as_str);
        let patterns = |wildcards| {
            let compiled = values.iter().enumerate().map(|(index, text)| {
                Pattern::compile(text, wildcards, variables).map_err(|error| (index, error))
            });
            compiled.collect::<Result<Box<[_]>, _>>()
        };
        Ok(match comparison {
            Comparison::Text | Comparison::TextIgnoringCase => Self::Text(patterns(Wildcards::Literal)?),
            Comparison::TextLike => Self::Text(patterns(Wildcards::Active)?),
            Comparison::Number(_) => Self::Number(texts.map(Decimal::parse).collect()),
            Comparison::Date(_) => Self::Date(texts.map(Moment::parse).collect()),
            Comparison::Bool | Comparison::Null => Self::Bool(texts.map(boolean).collect()),
            Comparison::Binary => Self::Binary(texts.map(base64::decode).collect()),
            Comparison::Address => Self::Address(texts.map(Network::parse).collect()),
            Comparison::Arn => {
                let compiled = values.iter().enumerate().map(|(index, text)| {
                    ArnPattern::compile(text, variables).map_err(|error| (index, error))
                });
                Self::Arn(compiled.collect::<Result<_, _>>()?)
            }
        })
    }

    /// Whether any of the policy's values matches `value`.
    fn matches(&self, comparison: Comparison, value: Value<'_>, context: &dyn Context) -> bool {
        match self {
            Self::Text(patterns) if comparison == Comparison::TextIgnoringCase => value.with_text(|text| {
                patterns
                    .iter()
                    .any(|pattern| pattern.equals_ignoring_case(text, context))
            }),
            Self::Text(patterns) => value.with_text(|text| {
                patterns
                    .iter()
                    .any(|pattern| pattern.matches(text, context, Case::Sensitive))
            }),
            Self::Arn(patterns) => {
                value.with_text(|text| patterns.iter().any(|pattern| pattern.matches(text, context)))
            }
            Self::Number(wanted) => as_number(value).is_some_and(|actual| {
                let holds = |number: &Decimal| order(comparison).holds(actual.cmp(number));
                wanted.iter().flatten().any(holds)
            }),
            Self::Date(wanted) => as_moment(value).is_some_and(|actual| {
                let holds = |moment: &Moment| order(comparison).holds(actual.cmp(moment));
                wanted.iter().flatten().any(holds)
            }),
            Self::Bool(wanted) => as_bool(value).is_some_and(|actual| wanted.contains(&Some(actual))),
            Self::Binary(wanted) => {
                value.with_text(|text| wanted.iter().flatten().any(|bytes| base64::is_of(text, bytes)))
            }
            Self::Address(wanted) => as_address(value)
                .is_some_and(|actual| wanted.iter().flatten().any(|network| network.contains(actual))),
        }
    }
}

fn order(comparison: Comparison) -> operator::Order {
    match comparison {
        Comparison::Number(order) | Comparison::Date(order) => order,
        Comparison::Text
        | Comparison::TextIgnoringCase
        | Comparison::TextLike
        | Comparison::Bool
        | Comparison::Binary
        | Comparison::Address
        | Comparison::Arn
        | Comparison::Null => operator::Order::Equal,
    }
}

fn as_number(value: Value<'_>) -> Option<Decimal> {
    match value {
        Value::Number(number) | Value::Time(number) => Some(Decimal::from_integer(number)),
        Value::Text(text) => Decimal::parse(text),
        Value::Bool(_) | Value::Address(_) => None,
    }
}

fn as_moment(value: Value<'_>) -> Option<Moment> {
    match value {
        Value::Number(seconds) | Value::Time(seconds) => Some(Moment::from_seconds(seconds)),
        Value::Text(text) => Moment::parse(text),
        Value::Bool(_) | Value::Address(_) => None,
    }
}

fn as_bool(value: Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(truth),
        Value::Text(text) => boolean(text),
        Value::Number(_) | Value::Time(_) | Value::Address(_) => None,
    }
}

fn as_address(value: Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Address(address) => Some(address),
        Value::Text(text) => text.parse().ok(),
        Value::Bool(_) | Value::Number(_) | Value::Time(_) => None,
    }
}
