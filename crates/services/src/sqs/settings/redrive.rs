//! Where messages go that nobody could process, and who may send such messages to a queue.
//!
//! Both policies are JSON in an attribute and read back in one form, whatever white space or kind of number was set:
//! AWS answers with a number where a client sent text. Whether a target exists and allows it is checked where queues
//! are known.
//! Source: SQS API Reference, `SetQueueAttributes`; SQS Developer Guide, "Dead-letter queues" (read 2026-11-21).

use crate::sqs::errors::SqsError;
use crate::sqs::limits::{REDRIVE_RECEIVES_MAX, REDRIVE_SOURCES_MAX};
use crate::sqs::queue::QueueKey;
use serde_json::{Map, Value};

/// `RedrivePolicy`: after how many receives a message goes where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    /// The dead-letter queue. It may be gone by now.
    pub(crate) target: QueueKey,
    /// Receives after which a message is moved instead of delivered, 1 to 1,000.
    pub(crate) receives_max: u32,
}

const TARGET: &str = "deadLetterTargetArn";
const RECEIVES: &str = "maxReceiveCount";
const PERMISSION: &str = "redrivePermission";
const SOURCES: &str = "sourceQueueArns";

impl RedrivePolicy {
    /// Reads the attribute; an empty text takes the policy away.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, SqsError> {
        if text.is_empty() {
            return Ok(None);
        }
        let refuse = |reason: &str| refused("RedrivePolicy", text, reason);
        let members = object(text).ok_or_else(|| refuse("Redrive policy is not a valid JSON map."))?;
        if members.keys().any(|name| name != TARGET && name != RECEIVES) {
            return Err(refuse(
                "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].",
            ));
        }
        let member = |name: &str| {
            members.get(name).ok_or_else(|| {
                refuse(&format!(
                    "Redrive policy does not contain mandatory attribute: {name}."
                ))
            })
        };
        let (target, receives) = (member(TARGET)?, member(RECEIVES)?);
        let target = target
            .as_str()
            .and_then(QueueKey::parse_arn)
            .ok_or_else(|| refuse("Dead letter target does not exist."))?;
        let receives_max = count(receives).ok_or_else(|| {
            let shown = receives.as_str().map_or_else(|| receives.to_string(), str::to_owned);
            refuse(&format!(
                "Invalid value for maxReceiveCount: {shown}, valid values are from 1 to {REDRIVE_RECEIVES_MAX} both \
                 inclusive."
            ))
        })?;
        Ok(Some(Self { target, receives_max }))
    }

    /// As it reads back.
    pub(crate) fn text(&self) -> String {
        format!(
            r#"{{"{TARGET}":"{}","{RECEIVES}":{}}}"#,
            self.target.arn(),
            self.receives_max
        )
    }
}

/// A number, or a text that is one.
fn count(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (1..=REDRIVE_RECEIVES_MAX).contains(&number).then_some(number)
}

/// `RedriveAllowPolicy`: which queues may name this one as their dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RedriveAllowPolicy {
    /// All of the same account and region.
    AllowAll,
    /// None.
    DenyAll,
    /// These, by ARN.
    ByQueue(Vec<String>),
}

impl RedriveAllowPolicy {
    /// Reads the attribute; an empty text takes the policy away.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, SqsError> {
        if text.is_empty() {
            return Ok(None);
        }
        let refuse = |reason: &str| {
            let reason = format!("Amazon SQS can't create the redrive allow policy. {reason}");
            refused("RedriveAllowPolicy", text, &reason)
        };
        let members = object(text).ok_or_else(|| refuse("It is not a valid JSON map."))?;
        if members.keys().any(|name| name != PERMISSION && name != SOURCES) {
            return Err(refuse(
                "Only following attributes are supported: [redrivePermission, sourceQueueArns].",
            ));
        }
        let sources = match members.get(SOURCES) {
            None => None,
            Some(value) => Some(arns(value).ok_or_else(|| {
                refuse("The sourceQueueArns value must be a list of ARNs of Amazon SQS queues.")
            })?),
        };
        let permission = members.get(PERMISSION).and_then(Value::as_str);
        match (permission, sources) {
            (Some("allowAll"), None) => Ok(Some(Self::AllowAll)),
            (Some("denyAll"), None) => Ok(Some(Self::DenyAll)),
            (Some("allowAll" | "denyAll"), Some(_)) => Err(refuse(
                "To specify one or more source queue ARNs, you must set redrivePermission to byQueue.",
            )),
            (Some("byQueue"), sources) => match sources.unwrap_or_default() {
                none if none.is_empty() => Err(refuse(
                    "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns \
                     values.",
                )),
                many if many.len() > REDRIVE_SOURCES_MAX => Err(refuse(&format!(
                    "You can specify up to {REDRIVE_SOURCES_MAX} sourceQueueArns values. To allow more, set \
                     redrivePermission to allowAll."
                ))),
                some => Ok(Some(Self::ByQueue(some))),
            },
            (_, _) => Err(refuse(
                "The redrivePermission value must be one of allowAll, denyAll and byQueue.",
            )),
        }
    }

    /// Whether a queue of the same account and region may name this one as its dead-letter queue.
    pub(crate) fn allows(&self, source_arn: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue(sources) => sources.iter().any(|source| source == source_arn),
        }
    }

    /// As it reads back.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::AllowAll => format!(r#"{{"{PERMISSION}":"allowAll"}}"#),
            Self::DenyAll => format!(r#"{{"{PERMISSION}":"denyAll"}}"#),
            Self::ByQueue(sources) => {
                let sources = Value::from(sources.clone());
                format!(r#"{{"{PERMISSION}":"byQueue","{SOURCES}":{sources}}}"#)
            }
        }
    }
}

fn arns(value: &Value) -> Option<Vec<String>> {
    let arn = |value: &Value| {
        let text = value.as_str()?;
        QueueKey::parse_arn(text).map(|_| text.to_owned())
    };
    value.as_array()?.iter().map(arn).collect()
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// What a policy is refused with.
pub(crate) fn refused(parameter: &str, value: &str, reason: &str) -> SqsError {
    SqsError::InvalidParameterValue(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    ))
}

#[cfg(test)]
mod tests {
    use super::{RedriveAllowPolicy, RedrivePolicy};
    use proptest::prelude::*;

    const ARN: &str = "arn:aws:sqs:us-east-1:111122223333:dead";

    fn refusal(text: &str) -> String {
        format!("{:?}", RedrivePolicy::parse(text).unwrap_err())
    }

    #[test]
    fn a_count_may_be_a_number_or_text_and_reads_back_as_a_number() {
        for count in ["5", "\"5\""] {
            let policy = RedrivePolicy::parse(&format!(
                r#"{{"maxReceiveCount": {count}, "deadLetterTargetArn": "{ARN}"}}"#
            ))
            .unwrap()
            .unwrap();
            assert_eq!(
                policy.text(),
                format!(r#"{{"deadLetterTargetArn":"{ARN}","maxReceiveCount":5}}"#)
            );
        }
    }

    #[test]
    fn counts_outside_1_to_1000_are_refused() {
        for count in ["0", "1001", "-1", "1.5", "\"many\"", "null", "[]"] {
            let text = format!(r#"{{"maxReceiveCount": {count}, "deadLetterTargetArn": "{ARN}"}}"#);
            assert!(
                refusal(&text).contains("Invalid value for maxReceiveCount"),
                "{count}"
            );
        }
    }

    #[test]
    fn what_is_missing_or_not_json_is_named() {
        assert!(refusal("nonsense").contains("not a valid JSON map"));
        assert!(refusal("[1]").contains("not a valid JSON map"));
        assert!(refusal(r#"{"maxReceiveCount": 1}"#).contains("mandatory attribute: deadLetterTargetArn"));
        let target = format!(r#"{{"deadLetterTargetArn": "{ARN}"}}"#);
        assert!(refusal(&target).contains("mandatory attribute: maxReceiveCount"));
    }

    #[test]
    fn an_allow_policy_allows_whom_it_names() {
        let by_queue = format!(r#"{{"redrivePermission": "byQueue", "sourceQueueArns": ["{ARN}"]}}"#);
        for (text, named, other) in [
            (r#"{"redrivePermission":"allowAll"}"#, true, true),
            (r#"{"redrivePermission":"denyAll"}"#, false, false),
            (by_queue.as_str(), true, false),
        ] {
            let policy = RedriveAllowPolicy::parse(text).unwrap().unwrap();
            assert_eq!(policy.allows(ARN), named, "{text}");
            assert_eq!(
                policy.allows("arn:aws:sqs:us-east-1:111122223333:x"),
                other,
                "{text}"
            );
        }
    }

    #[test]
    fn allow_policies_that_contradict_themselves_are_refused() {
        let eleven = serde_json::to_string(&vec![ARN; 11]).unwrap();
        for text in [
            "x".to_owned(),
            "{}".to_owned(),
            r#"{"redrivePermission":"some"}"#.to_owned(),
            r#"{"redrivePermission":"byQueue"}"#.to_owned(),
            r#"{"redrivePermission":"byQueue","sourceQueueArns":[]}"#.to_owned(),
            r#"{"redrivePermission":"byQueue","sourceQueueArns":["orders"]}"#.to_owned(),
            format!(r#"{{"redrivePermission":"byQueue","sourceQueueArns":{eleven}}}"#),
            format!(r#"{{"redrivePermission":"allowAll","sourceQueueArns":["{ARN}"]}}"#),
        ] {
            assert!(RedriveAllowPolicy::parse(&text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,80}") {
            let _ = RedrivePolicy::parse(&text);
            let _ = RedriveAllowPolicy::parse(&text);
        }

        #[test]
        fn what_reads_back_parses_to_the_same(receives in 1_u32..=1000, name in "[a-z]{1,20}(\\.fifo)?") {
            let text = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:{name}","maxReceiveCount":{receives}}}"#
            );
            let policy = RedrivePolicy::parse(&text).unwrap().unwrap();
            prop_assert_eq!(policy.text(), text);
        }
    }
}
