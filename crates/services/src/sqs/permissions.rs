//! The statements that `AddPermission` makes and `RemovePermission` takes away.
//!
//! A statement's label is its `Sid`; whatever else stands in the queue's policy stays. A policy that begins here has
//! version 2008-10-17 and AWS's id.
//! Source: SQS API Reference, `AddPermission`; SQS Developer Guide, "Amazon SQS policy quotas"; the wording of refusals
//! is that of recorded answers (read 2026-11-21).

use super::errors::SqsError;
use super::limits::{PERMISSION_ACTIONS_MAX, PERMISSION_LABEL_CHARS_MAX};
use super::queue::Queue;
use bulla_policy::{Policy, PolicyKind, Reason, Vendor, is_same_account_only};
use bulla_types::AccountId;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Actions that a queue's owner can share with other accounts. Batches belong to the action they repeat.
const SHARED_ACTIONS: [&str; 9] = [
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
    "*",
];

/// A permission, checked.
#[derive(Debug)]
pub(crate) struct Permission {
    label: String,
    accounts: Vec<AccountId>,
    actions: Vec<String>,
}

/// A new policy, in AWS's order of members.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "Version")]
    version: &'a str,
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Statement")]
    statements: [&'a Statement; 1],
}

#[derive(Serialize)]
struct Statement {
    #[serde(rename = "Sid")]
    sid: String,
    #[serde(rename = "Effect")]
    effect: &'static str,
    #[serde(rename = "Principal")]
    principal: Principal,
    #[serde(rename = "Action")]
    action: Value,
    #[serde(rename = "Resource")]
    resource: String,
}

#[derive(Serialize)]
struct Principal {
    #[serde(rename = "AWS")]
    aws: Value,
}

/// One stands alone, several in a list.
fn one_or_many(mut values: Vec<String>) -> Value {
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => Value::from(only),
        (last, _) => {
            values.extend(last);
            Value::from(values)
        }
    }
}

fn refused(parameter: &str, value: &str, reason: &str) -> SqsError {
    SqsError::InvalidParameterValue(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    ))
}

impl Permission {
    /// # Errors
    /// `InvalidParameterValue`, `MissingParameter`, or `OverLimit` for more than seven actions.
    pub(crate) fn parse(label: String, accounts: &[String], actions: &[String]) -> Result<Self, SqsError> {
        let well_formed = (1..=PERMISSION_LABEL_CHARS_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !well_formed {
            return Err(refused(
                "Label",
                &label,
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
            ));
        }
        if accounts.is_empty() {
            return Err(SqsError::MissingParameter("AWSAccountIds"));
        }
        if actions.is_empty() {
            return Err(SqsError::MissingParameter("Actions"));
        }
        if actions.len() > PERMISSION_ACTIONS_MAX {
            return Err(SqsError::OverLimit(format!(
                "{} Actions were found, maximum allowed is {PERMISSION_ACTIONS_MAX}.",
                actions.len()
            )));
        }
        for action in actions {
            let full = format!("SQS:{action}");
            if is_same_account_only(&full) {
                let reason = "Only the queue owner is allowed to invoke this action.";
                return Err(refused("ActionName", &full, reason));
            }
            if !SHARED_ACTIONS.contains(&action.as_str()) {
                let reason = "Please refer to the appropriate WSDL for a list of valid actions.";
                return Err(refused("ActionName", &full, reason));
            }
        }
        let accounts = accounts
            .iter()
            .map(|id| {
                AccountId::parse(id)
                    .map_err(|_| refused("PrincipalId", &format!("[{id}]"), "Unable to verify."))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            label,
            accounts,
            actions: actions.to_vec(),
        })
    }

    fn statement(&self, queue: &Queue) -> Statement {
        let principals = self.accounts.iter().map(|id| format!("arn:aws:iam::{id}:root"));
        let actions = self.actions.iter().map(|action| format!("SQS:{action}"));
        Statement {
            sid: self.label.clone(),
            effect: "Allow",
            principal: Principal {
                aws: one_or_many(principals.collect()),
            },
            action: one_or_many(actions.collect()),
            resource: queue.arn.to_string(),
        }
    }

    /// The queue's policy with this permission.
    ///
    /// # Errors
    /// `InvalidParameterValue` when the label is taken, `OverLimit` when the policy becomes too large.
    pub(crate) fn add(&self, queue: &Queue, policy: Option<&Policy>) -> Result<Arc<Policy>, SqsError> {
        let statement = self.statement(queue);
        let text = match policy {
            None => serde_json::to_string(&Document {
                version: "2008-10-17",
                id: format!("{}/SQSDefaultPolicy", queue.arn),
                statements: [&statement],
            }),
            Some(policy) if has(policy, &self.label) => {
                return Err(refused("Label", &self.label, "Already exists."));
            }
            Some(policy) => {
                let (mut document, mut statements) = open(policy)?;
                statements.push(serde_json::to_value(&statement).map_err(|_| SqsError::Internal)?);
                document.insert("Statement".into(), Value::from(statements));
                serde_json::to_string(&document)
            }
        };
        parse(&text.map_err(|_| SqsError::Internal)?)
    }
}

/// The policy without the statements of this label; `None` when nothing is left.
///
/// # Errors
/// `InvalidParameterValue` when there is no such label.
pub(crate) fn remove(policy: Option<&Policy>, label: &str) -> Result<Option<Arc<Policy>>, SqsError> {
    let Some(policy) = policy.filter(|policy| has(policy, label)) else {
        return Err(refused("Label", label, "can't find label."));
    };
    let (mut document, mut statements) = open(policy)?;
    statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(label));
    if statements.is_empty() {
        return Ok(None);
    }
    document.insert("Statement".into(), Value::from(statements));
    let text = serde_json::to_string(&document).map_err(|_| SqsError::Internal)?;
    parse(&text).map(Some)
}

fn has(policy: &Policy, label: &str) -> bool {
    policy
        .statements()
        .iter()
        .any(|statement| statement.sid() == Some(label))
}

/// The document and its statements; a single statement may stand without a list.
fn open(policy: &Policy) -> Result<(Map<String, Value>, Vec<Value>), SqsError> {
    let mut document: Map<String, Value> =
        serde_json::from_str(policy.text()).map_err(|_| SqsError::Internal)?;
    let statements = match document.remove("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    Ok((document, statements))
}

fn parse(text: &str) -> Result<Arc<Policy>, SqsError> {
    let policy = Policy::parse(text, PolicyKind::Resource(Vendor::Sqs)).map_err(|rejection| {
        let over_limit = matches!(
            rejection.reason(),
            Reason::TooLarge | Reason::TooManyStatements | Reason::TooManyPrincipals
        );
        if over_limit {
            SqsError::OverLimit(rejection.message().to_owned())
        } else {
            SqsError::InvalidParameterValue(rejection.to_string())
        }
    })?;
    Ok(Arc::new(policy.labelled("queue policy")))
}
