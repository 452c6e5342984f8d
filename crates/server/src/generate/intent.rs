//! What shall be allowed, in the words of whoever runs a queue.

use crate::cli::OutputFormat;
use crate::operator_error::OperatorError;
use bulla_types::Arn;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Flags of `bulla policy generate`.
#[derive(Args, Clone, Debug)]
pub struct GenerateArguments {
    /// The intent in TOML; its keys are the flags' names with `_` for `-`. Flags add to it.
    #[arg(long, value_name = "FILE")]
    pub intent: Option<PathBuf>,

    /// What the flags say.
    #[command(flatten)]
    pub flags: Intent,

    /// A folder for the policies, one file each; without it they are printed.
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,

    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// What shall be allowed.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intent {
    /// The queue's ARN.
    #[arg(long, value_name = "ARN")]
    pub queue: Option<String>,
    /// The ARN of its dead-letter queue.
    #[arg(long, value_name = "ARN")]
    pub dead_letter_queue: Option<String>,
    /// The ARN of the KMS key of both queues.
    #[arg(long, value_name = "ARN")]
    pub key: Option<String>,
    /// A role or user that sends.
    #[arg(long = "producer", value_name = "ARN")]
    pub producers: Vec<String>,
    /// A role or user that receives and deletes.
    #[arg(long = "consumer", value_name = "ARN")]
    pub consumers: Vec<String>,
    /// A role or user that manages queues and key, and may not read messages.
    #[arg(long = "administrator", value_name = "ARN")]
    pub administrators: Vec<String>,
    /// An SNS topic that delivers to the queue.
    #[arg(long = "topic", value_name = "ARN")]
    pub topics: Vec<String>,
    /// A role or user that publishes to the topics.
    #[arg(long = "publisher", value_name = "ARN")]
    pub publishers: Vec<String>,
    /// An S3 bucket of the queue's account that sends its events to the queue.
    #[arg(long = "bucket", value_name = "ARN")]
    pub buckets: Vec<String>,
    /// An EventBridge rule that delivers to the queue.
    #[arg(long = "rule", value_name = "ARN")]
    pub rules: Vec<String>,
    /// The organization (o-…) outside of which nobody receives or manages.
    #[arg(long, value_name = "ID")]
    pub organization: Option<String>,
    /// The path of an organizational unit (o-…/r-…/ou-…/) outside of which nobody receives or manages.
    #[arg(long, value_name = "PATH")]
    pub organizational_unit: Option<String>,
    /// The VPC endpoint (vpce-…) through which alone messages are received.
    #[arg(long, value_name = "ID")]
    pub endpoint: Option<String>,
    /// Leave out that every call must come over TLS.
    #[arg(long)]
    pub allow_plain_http: bool,
}

impl GenerateArguments {
    /// The file's intent and the flags' together, checked.
    ///
    /// # Errors
    /// What the operator must change.
    pub(crate) fn read(&self) -> Result<Checked, OperatorError> {
        let mut intent = match &self.intent {
            None => Intent::default(),
            Some(path) => read(path)?,
        };
        intent.add(self.flags.clone());
        Checked::of(intent)
    }
}

fn read(path: &Path) -> Result<Intent, OperatorError> {
    let what = || format!("the intent `{}` cannot be read", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| OperatorError::usage(what()).why(error))?;
    toml::from_str(&text).map_err(|error| {
        OperatorError::usage(what())
            .why(error)
            .fix("its keys are the flags' names with `_` for `-`; what may stand many times is a list under its plural")
    })
}

impl Intent {
    fn add(&mut self, flags: Self) {
        let one = |mine: &mut Option<String>, theirs: Option<String>| {
            if theirs.is_some() {
                *mine = theirs;
            }
        };
        one(&mut self.queue, flags.queue);
        one(&mut self.dead_letter_queue, flags.dead_letter_queue);
        one(&mut self.key, flags.key);
        one(&mut self.organization, flags.organization);
        one(&mut self.organizational_unit, flags.organizational_unit);
        one(&mut self.endpoint, flags.endpoint);
        self.producers.extend(flags.producers);
        self.consumers.extend(flags.consumers);
        self.administrators.extend(flags.administrators);
        self.topics.extend(flags.topics);
        self.publishers.extend(flags.publishers);
        self.buckets.extend(flags.buckets);
        self.rules.extend(flags.rules);
        self.allow_plain_http |= flags.allow_plain_http;
    }
}

/// An intent that makes sense.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) intent: Intent,
    pub(crate) queue: String,
    /// Of the queue, and so of the key and of buckets.
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Checked {
    fn of(intent: Intent) -> Result<Self, OperatorError> {
        let Some(queue) = intent.queue.clone() else {
            return Err(OperatorError::usage("no queue is named").fix("name its ARN with `--queue`"));
        };
        let parsed = arn("queue", &queue, &["sqs"])?;
        let (account, region) = (parsed.account().to_owned(), parsed.region().to_owned());
        if let Some(other) = &intent.dead_letter_queue {
            arn("dead-letter queue", other, &["sqs"])?;
        }
        if let Some(key) = &intent.key {
            arn("key", key, &["kms"])?;
        }
        let people = [
            ("producer", &intent.producers),
            ("consumer", &intent.consumers),
            ("administrator", &intent.administrators),
            ("publisher", &intent.publishers),
        ];
        for (name, list) in people {
            for principal in list {
                arn(name, principal, &["iam"])?;
            }
        }
        for (name, list, service) in [
            ("topic", &intent.topics, "sns"),
            ("bucket", &intent.buckets, "s3"),
            ("rule", &intent.rules, "events"),
        ] {
            for source in list {
                arn(name, source, &[service])?;
            }
        }
        if intent.administrators.is_empty() {
            return Err(OperatorError::usage("no administrator is named")
                .why("the policies forbid everybody else to change them, and a key that nobody manages is lost")
                .fix("name one with `--administrator`"));
        }
        Ok(Self {
            intent,
            queue,
            account,
            region,
        })
    }

    /// Both queues.
    pub(crate) fn queues(&self) -> Vec<String> {
        let dead = self.intent.dead_letter_queue.clone();
        std::iter::once(self.queue.clone()).chain(dead).collect()
    }

    /// Services that send to the queue: principal, and the ARNs in whose name.
    pub(crate) fn sources(&self) -> Vec<(&'static str, &'static str, &[String])> {
        let Intent {
            topics,
            buckets,
            rules,
            ..
        } = &self.intent;
        [
            ("Topics", "sns.amazonaws.com", topics.as_slice()),
            ("Buckets", "s3.amazonaws.com", buckets.as_slice()),
            ("Rules", "events.amazonaws.com", rules.as_slice()),
        ]
        .into_iter()
        .filter(|(.., arns)| !arns.is_empty())
        .collect()
    }

    /// The ARNs of all sources.
    pub(crate) fn source_arns(&self) -> Vec<String> {
        let arns = self.sources().into_iter().flat_map(|(.., arns)| arns.to_vec());
        arns.collect()
    }
}

fn arn(name: &str, text: &str, services: &[&str]) -> Result<Arn, OperatorError> {
    let refused = |why: &str| {
        OperatorError::usage(format!("`{text}` is no {name}"))
            .why(why)
            .fix(format!("give the ARN of the {name}"))
    };
    let parsed = Arn::parse(text).map_err(|_| refused("it is not an ARN"))?;
    if services.contains(&parsed.service()) {
        Ok(parsed)
    } else {
        Err(refused("it is the ARN of another kind of thing"))
    }
}
