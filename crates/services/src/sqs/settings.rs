//! A queue's attributes: what clients may set, what it means, and how it reads back.
//!
//! Invariant: every attribute that is stored here is also enforced.
//! Source: SQS API Reference, `SetQueueAttributes` and `GetQueueAttributes` (read 2026-11-21).

mod fifo;
mod redrive;

pub(crate) use fifo::{DeduplicationScope, Fifo};
pub(crate) use redrive::{RedriveAllowPolicy, RedrivePolicy, refused};

use super::errors::SqsError;
use super::limits;
use bulla_policy::{Policy, PolicyKind, Vendor};
use bulla_types::QueueName;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Attributes that clients may set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) visibility_seconds: u32,
    pub(crate) delay_seconds: u32,
    pub(crate) message_bytes_max: u32,
    pub(crate) retention_seconds: u32,
    pub(crate) wait_seconds: u32,
    pub(crate) encryption: EncryptionSetting,
    pub(crate) key_reuse_seconds: u32,
    pub(crate) policy: Option<Arc<Policy>>,
    /// Present when the queue is first-in-first-out.
    pub(crate) fifo: Option<Fifo>,
    /// Where messages go that were received too often.
    pub(crate) redrive: Option<RedrivePolicy>,
    /// Who may name this queue as dead-letter queue; without it, every queue of the account and region.
    pub(crate) redrive_allow: Option<RedriveAllowPolicy>,
}

/// How a queue says it is encrypted. Message bodies are sealed on disk in every case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EncryptionSetting {
    /// Neither: reads back as `SqsManagedSseEnabled` false.
    None,
    /// SSE-SQS, the default.
    SqsManaged,
    /// SSE-KMS with the key as the client named it: id, ARN, alias or alias ARN.
    Kms(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility_seconds: 30,
            delay_seconds: 0,
            message_bytes_max: 1_048_576,
            retention_seconds: 345_600,
            wait_seconds: 0,
            encryption: EncryptionSetting::SqsManaged,
            key_reuse_seconds: 300,
            policy: None,
            fifo: None,
            redrive: None,
            redrive_allow: None,
        }
    }
}

/// Attributes that can be set.
const SETTABLE: [&str; 15] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Attributes that read back but cannot be set.
const READ_ONLY: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

impl Settings {
    /// What a queue of this name begins with.
    pub(crate) fn of(name: &QueueName) -> Self {
        Self {
            fifo: name.is_fifo().then(Fifo::default),
            ..Self::default()
        }
    }

    /// These settings with the given attributes changed. Nothing changes when one of them is wrong.
    pub(crate) fn with(&self, attributes: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        let mut changed = self.clone();
        for (name, value) in attributes {
            changed.set(name, value)?;
        }
        changed.encryption = self.encryption_with(attributes)?;
        changed.fifo.map_or(Ok(()), Fifo::check)?;
        Ok(changed)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        match name {
            "VisibilityTimeout" => {
                self.visibility_seconds =
                    number(name, value, 0..=limits::VISIBILITY_SECONDS_MAX.unsigned_abs())?;
            }
            "DelaySeconds" => {
                self.delay_seconds = number(name, value, 0..=limits::DELAY_SECONDS_MAX.unsigned_abs())?;
            }
            "MaximumMessageSize" => {
                let max = u32::try_from(limits::MESSAGE_BYTES_MAX).unwrap_or(u32::MAX);
                self.message_bytes_max = number(name, value, limits::MESSAGE_BYTES_MAX_MIN..=max)?;
            }
            "MessageRetentionPeriod" => {
                let range = limits::RETENTION_SECONDS_MIN..=limits::RETENTION_SECONDS_MAX;
                self.retention_seconds = number(name, value, range)?;
            }
            "ReceiveMessageWaitTimeSeconds" => {
                self.wait_seconds = number(name, value, 0..=limits::WAIT_SECONDS_MAX.unsigned_abs())?;
            }
            "KmsDataKeyReusePeriodSeconds" => {
                let range = limits::KEY_REUSE_SECONDS_MIN..=limits::KEY_REUSE_SECONDS_MAX;
                self.key_reuse_seconds = number(name, value, range)?;
            }
            "Policy" => self.policy = parse_policy(value)?,
            "KmsMasterKeyId" | "SqsManagedSseEnabled" => {}
            "RedrivePolicy" => self.redrive = RedrivePolicy::parse(value)?,
            "RedriveAllowPolicy" => self.redrive_allow = RedriveAllowPolicy::parse(value)?,
            "FifoQueue" | "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" => {
                match &mut self.fifo {
                    Some(fifo) => fifo.set(name, value)?,
                    None => return Err(fifo::only_for_fifo(name)),
                }
            }
            _ => return Err(SqsError::InvalidAttributeName(name.into())),
        }
        Ok(())
    }

    /// SSE-SQS and SSE-KMS exclude each other; the one that a request sets wins over the one that was.
    fn encryption_with(&self, attributes: &BTreeMap<String, String>) -> Result<EncryptionSetting, SqsError> {
        let key = attributes.get("KmsMasterKeyId").map(String::as_str);
        let managed = attributes
            .get("SqsManagedSseEnabled")
            .map(|value| boolean("SqsManagedSseEnabled", value));
        match (key, managed.transpose()?) {
            (Some(key), Some(true)) if !key.is_empty() => Err(SqsError::InvalidAttributeValue(
                "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS \
                 SSE."
                    .into(),
            )),
            (Some(key), _) if !key.is_empty() => {
                if key.len() > limits::KMS_KEY_CHARS_MAX {
                    return Err(invalid("KmsMasterKeyId"));
                }
                Ok(EncryptionSetting::Kms(key.to_owned()))
            }
            (_, Some(true)) => Ok(EncryptionSetting::SqsManaged),
            (Some(_), _) => Ok(match &self.encryption {
                // Clearing the key leaves the queue without either.
                EncryptionSetting::Kms(_) | EncryptionSetting::None => EncryptionSetting::None,
                EncryptionSetting::SqsManaged => EncryptionSetting::SqsManaged,
            }),
            (None, Some(false)) => Ok(match &self.encryption {
                EncryptionSetting::Kms(key) => EncryptionSetting::Kms(key.clone()),
                EncryptionSetting::SqsManaged | EncryptionSetting::None => EncryptionSetting::None,
            }),
            (None, None) => Ok(self.encryption.clone()),
        }
    }

    /// The first of these attributes whose value differs from what is set, by name.
    pub(crate) fn first_difference(
        &self,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Option<String>, SqsError> {
        let blank = Self {
            fifo: self.fifo.map(|_| Fifo::default()),
            ..Self::default()
        };
        let wanted = blank.with(attributes)?.echo();
        let have = self.echo();
        Ok(attributes
            .keys()
            .find(|name| wanted.get(name.as_str()) != have.get(name.as_str()))
            .cloned())
    }

    /// The attributes as they read back.
    pub(crate) fn echo(&self) -> BTreeMap<&'static str, String> {
        let mut echo = BTreeMap::from([
            ("VisibilityTimeout", self.visibility_seconds.to_string()),
            ("DelaySeconds", self.delay_seconds.to_string()),
            ("MaximumMessageSize", self.message_bytes_max.to_string()),
            ("MessageRetentionPeriod", self.retention_seconds.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait_seconds.to_string()),
            (
                "SqsManagedSseEnabled",
                (self.encryption == EncryptionSetting::SqsManaged).to_string(),
            ),
        ]);
        if let EncryptionSetting::Kms(key) = &self.encryption {
            echo.insert("KmsMasterKeyId", key.clone());
            echo.insert("KmsDataKeyReusePeriodSeconds", self.key_reuse_seconds.to_string());
        }
        if let Some(policy) = &self.policy {
            echo.insert("Policy", policy.text().to_owned());
        }
        if let Some(fifo) = self.fifo {
            fifo.echo(&mut echo);
        }
        if let Some(redrive) = &self.redrive {
            echo.insert("RedrivePolicy", redrive.text());
        }
        if let Some(allow) = &self.redrive_allow {
            echo.insert("RedriveAllowPolicy", allow.text());
        }
        echo
    }

    /// The attributes that make these settings again, for the record on disk.
    pub(crate) fn stored(&self) -> BTreeMap<String, String> {
        let mut stored: BTreeMap<String, String> = self
            .echo()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        stored.insert(
            "KmsDataKeyReusePeriodSeconds".into(),
            self.key_reuse_seconds.to_string(),
        );
        stored
    }

    /// How long a received message stays hidden when the receiver does not say.
    pub(crate) fn visibility(&self) -> Duration {
        Duration::from_secs(self.visibility_seconds.into())
    }

    /// How long messages are kept.
    pub(crate) fn retention(&self) -> Duration {
        Duration::from_secs(self.retention_seconds.into())
    }

    /// How long a data key is used again.
    pub(crate) fn key_reuse(&self) -> Duration {
        Duration::from_secs(self.key_reuse_seconds.into())
    }
}

/// Whether there is a queue attribute of this name.
pub(crate) fn is_attribute(name: &str) -> bool {
    SETTABLE.contains(&name) || READ_ONLY.contains(&name)
}

fn invalid(name: &str) -> SqsError {
    SqsError::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
}

fn number(name: &str, value: &str, range: RangeInclusive<u32>) -> Result<u32, SqsError> {
    value
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| invalid(name))
}

fn boolean(name: &str, value: &str) -> Result<bool, SqsError> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(invalid(name))
    }
}

/// An empty text takes the policy away.
fn parse_policy(text: &str) -> Result<Option<Arc<Policy>>, SqsError> {
    if text.is_empty() {
        return Ok(None);
    }
    match Policy::parse(text, PolicyKind::Resource(Vendor::Sqs)) {
        Ok(policy) => Ok(Some(Arc::new(policy.labelled("queue policy")))),
        Err(rejection) => Err(SqsError::InvalidAttributeValue(format!(
            "Invalid value for the parameter Policy. {rejection}"
        ))),
    }
}
