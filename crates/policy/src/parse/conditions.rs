//! `Condition`: operator, key, values.

use super::Reading;
use crate::condition::operator::{Comparison, Operator};
use crate::condition::{Condition, ValueError};
use crate::diagnostic::{Fault, Reason, line_of};
use crate::json::{Member, Node, Value};
use crate::key::{ConditionKey, KnownKey};
use crate::kind::{PolicyKind, Vendor};

pub(super) fn read(reading: &mut Reading<'_>, node: &Node) -> Result<Vec<Condition>, Fault> {
    let Value::Object(operators) = &node.value else {
        let message = format!("`Condition` is an object, not {}", node.value.kind());
        return Err(Fault::new(Reason::DataTypeMismatch, node.at, message));
    };
    unique_ignoring_case(operators, "operator")?;
    let mut conditions = Vec::new();
    for member in operators {
        let operator = operator(member)?;
        let Value::Object(keys) = &member.value.value else {
            let kind = member.value.value.kind();
            let message = format!("`{}` takes an object of condition keys, not {kind}", member.name);
            return Err(Fault::new(Reason::DataTypeMismatch, member.value.at, message));
        };
        unique_ignoring_case(keys, "condition key")?;
        for key in keys {
            conditions.push(condition(reading, operator, key)?);
        }
    }
    reading.conditions = reading.conditions.saturating_add(conditions.len());
    let max = reading.limits.conditions_max;
    reading.quota(
        Reason::TooManyConditions,
        node.at,
        reading.conditions,
        max,
        "conditions",
    )?;
    Ok(conditions)
}

fn unique_ignoring_case(members: &[Member], noun: &str) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::new();
    match members
        .iter()
        .find(|member| !seen.insert(member.name.to_lowercase()))
    {
        None => Ok(()),
        Some(member) => {
            let message = format!(
                "the {noun} `{}` stands here twice, in different letter case",
                member.name
            );
            Err(Fault::new(Reason::DuplicateConditionKey, member.at, message))
        }
    }
}

fn operator(member: &Member) -> Result<Operator, Fault> {
    let name = &member.name;
    let operator = Operator::parse(name).ok_or_else(|| {
        let fault = Fault::new(
            Reason::InvalidConditionOperator,
            member.at,
            format!("`{name}` is not a condition operator"),
        );
        if ConditionKey::parse(name).is_some() {
            fault.help("this is a condition key: it stands inside an operator, such as `StringEquals`")
        } else {
            fault
        }
    })?;
    if operator.comparison == Comparison::Null && operator.if_exists {
        let message = "`Null` asks whether the key exists: `IfExists` has no meaning with it";
        return Err(Fault::new(Reason::NullWithIfExists, member.at, message));
    }
    Ok(operator)
}

fn condition(reading: &Reading<'_>, operator: Operator, member: &Member) -> Result<Condition, Fault> {
    let key = ConditionKey::parse(&member.name).ok_or_else(|| {
        let message = format!("`{}` is not a condition key", member.name);
        Fault::new(Reason::InvalidConditionKey, member.at, message)
            .help("a condition key is `service:name`, such as `aws:SourceArn`")
    })?;
    let bucket = reading.kind == PolicyKind::Resource(Vendor::S3);
    if bucket && reading.is_strict() && key.known() == KnownKey::Other {
        let message = format!(
            "`{}` is not a condition key that a bucket policy knows",
            member.name
        );
        return Err(Fault::new(Reason::InvalidConditionKey, member.at, message));
    }
    let scalars = match &member.value.value {
        Value::List(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            vec![&member.value]
        }
    };
    let mut values = Vec::with_capacity(scalars.len());
    for node in &scalars {
        values.push(scalar(node, &member.name)?);
    }
    let line = line_of(reading.text, member.at);
    let variables = reading.version.variables();
    let compiled = Condition::compile(operator, key, &values, line, variables, !reading.is_strict());
    compiled.map_err(|(index, error)| {
        let at = scalars.get(index).map_or(member.value.at, |node| node.at);
        let text = values.get(index).map_or("", String::as_str);
        match error {
            ValueError::Variable(error) => {
                let at = at.saturating_add(error.at).saturating_add(1);
                Fault::new(Reason::InvalidVariable, at, error.message)
            }
            ValueError::Form(wanted) => {
                Fault::new(Reason::InvalidConditionValue, at, format!("`{text}`: {wanted}"))
            }
        }
    })
}

fn scalar(node: &Node, key: &str) -> Result<String, Fault> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other @ (Value::Null | Value::List(_) | Value::Object(_)) => {
            let message = format!(
                "the value of `{key}` is a string, a number or a boolean, not {}",
                other.kind()
            );
            Err(Fault::new(Reason::DataTypeMismatch, node.at, message))
        }
    }
}
