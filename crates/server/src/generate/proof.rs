//! What the policies do: every intended call is decided, and beside each one a call that is like it but for one thing.

use super::documents::Document;
use super::intent::Checked;
use bulla_policy::case::{Answer, Cases};
use bulla_types::Arn;
use serde_json::{Map, Value, json};

/// One decision, as it should be and as it is.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// Who, in words.
    pub(crate) who: String,
    pub(crate) action: &'static str,
    pub(crate) resource: String,
    /// What is special about the call.
    pub(crate) but: &'static str,
    pub(crate) expected: &'static str,
    /// `allow`, `implicit_deny`, `explicit_deny`, or why the case could not be read.
    pub(crate) found: String,
    /// The statement that decided.
    pub(crate) statement: String,
}

impl Trial {
    /// Whether it was decided as intended. A deny is a deny, whichever kind it is.
    pub(crate) fn holds(&self) -> bool {
        match self.expected {
            "allow" => self.found == "allow",
            _ => self.found.ends_with("_deny"),
        }
    }
}

/// Decides every trial.
pub(crate) fn prove(checked: &Checked, documents: &[Document]) -> Vec<Trial> {
    let mut proof = Proof {
        checked,
        documents,
        cases: Cases::new(),
        trials: Vec::new(),
    };
    proof.administrators();
    proof.producers();
    proof.consumers();
    proof.sources();
    proof.dead_letters();
    proof.publishers();
    proof.trials
}

struct Proof<'a> {
    checked: &'a Checked,
    documents: &'a [Document],
    cases: Cases,
    trials: Vec<Trial>,
}

/// One call.
struct Attempt<'a> {
    principal: &'a str,
    action: &'static str,
    resource: &'a str,
    but: &'static str,
    /// What replaces or, being null, removes a key of the usual context.
    context: Value,
    expected: &'static str,
}

const YES: &str = "allow";
const NO: &str = "deny";
const STRANGER: &str = "stranger";

impl Proof<'_> {
    fn administrators(&mut self) {
        let intent = &self.checked.intent;
        for queue in self.checked.queues() {
            for administrator in &intent.administrators {
                self.attempt(
                    administrator,
                    "sqs:SetQueueAttributes",
                    &queue,
                    "",
                    json!({}),
                    YES,
                );
                if !intent.consumers.contains(administrator) {
                    self.attempt(administrator, "sqs:ReceiveMessage", &queue, "", json!({}), NO);
                }
            }
            self.attempt(
                &self.stranger(),
                "sqs:SetQueueAttributes",
                &queue,
                "",
                json!({}),
                NO,
            );
        }
        if let Some(key) = &intent.key {
            for administrator in &intent.administrators {
                self.attempt(administrator, "kms:ScheduleKeyDeletion", key, "", json!({}), YES);
            }
            self.attempt(
                &self.stranger(),
                "kms:ScheduleKeyDeletion",
                key,
                "",
                json!({}),
                NO,
            );
            self.attempt(
                &self.stranger(),
                "kms:Decrypt",
                key,
                "through SQS",
                self.through_sqs(),
                NO,
            );
        }
    }

    fn producers(&mut self) {
        let (intent, queue) = (&self.checked.intent, &self.checked.queue);
        for producer in &intent.producers {
            self.attempt(producer, "sqs:SendMessage", queue, "", json!({}), YES);
            self.plain(producer, "sqs:SendMessage", queue);
            if !intent.consumers.contains(producer) {
                self.attempt(producer, "sqs:ReceiveMessage", queue, "", json!({}), NO);
            }
            if let Some(key) = &intent.key {
                self.attempt(
                    producer,
                    "kms:GenerateDataKey",
                    key,
                    "through SQS",
                    self.through_sqs(),
                    YES,
                );
                self.attempt(
                    producer,
                    "kms:GenerateDataKey",
                    key,
                    "not through SQS",
                    json!({}),
                    NO,
                );
            }
        }
        self.attempt(&self.stranger(), "sqs:SendMessage", queue, "", json!({}), NO);
    }

    fn consumers(&mut self) {
        let intent = &self.checked.intent;
        for queue in self.checked.queues() {
            for consumer in &intent.consumers {
                self.attempt(consumer, "sqs:ReceiveMessage", &queue, "", json!({}), YES);
                self.attempt(consumer, "sqs:DeleteMessage", &queue, "", json!({}), YES);
                self.plain(consumer, "sqs:ReceiveMessage", &queue);
                if intent.endpoint.is_some() {
                    let elsewhere = json!({ "aws:SourceVpce": "vpce-00000000000000000" });
                    self.attempt(
                        consumer,
                        "sqs:ReceiveMessage",
                        &queue,
                        "through another endpoint",
                        elsewhere,
                        NO,
                    );
                }
                if intent.organization.is_some() || intent.organizational_unit.is_some() {
                    let outside = json!({ "aws:PrincipalOrgID": null, "aws:PrincipalOrgPaths": null });
                    self.attempt(
                        consumer,
                        "sqs:ReceiveMessage",
                        &queue,
                        "outside the organization",
                        outside,
                        NO,
                    );
                }
            }
            self.attempt(&self.stranger(), "sqs:ReceiveMessage", &queue, "", json!({}), NO);
        }
        if let Some(key) = &intent.key {
            for consumer in &intent.consumers {
                self.attempt(
                    consumer,
                    "kms:Decrypt",
                    key,
                    "through SQS",
                    self.through_sqs(),
                    YES,
                );
                self.attempt(consumer, "kms:Decrypt", key, "not through SQS", json!({}), NO);
            }
        }
    }

    fn sources(&mut self) {
        let queue = &self.checked.queue;
        for (_, service, arns) in self.checked.sources() {
            for arn in arns {
                let owner = Arn::parse(arn).ok().map(|arn| arn.account().to_owned());
                let owner = owner.filter(|owner| !owner.is_empty());
                let owner = owner.unwrap_or_else(|| self.checked.account.clone());
                let from = json!({ "aws:SourceArn": arn, "aws:SourceAccount": owner });
                let other = json!({ "aws:SourceArn": format!("{arn}-other"), "aws:SourceAccount": owner });
                self.attempt(
                    service,
                    "sqs:SendMessage",
                    queue,
                    "for its source",
                    from.clone(),
                    YES,
                );
                self.attempt(
                    service,
                    "sqs:SendMessage",
                    queue,
                    "for another source",
                    other.clone(),
                    NO,
                );
                if let Some(key) = &self.checked.intent.key {
                    self.attempt(service, "kms:GenerateDataKey", key, "for its source", from, YES);
                    self.attempt(
                        service,
                        "kms:GenerateDataKey",
                        key,
                        "for another source",
                        other,
                        NO,
                    );
                }
            }
        }
    }

    fn dead_letters(&mut self) {
        let Some(dead) = &self.checked.intent.dead_letter_queue else {
            return;
        };
        for producer in &self.checked.intent.producers {
            self.attempt(producer, "sqs:SendMessage", dead, "", json!({}), NO);
        }
        self.attempt(&self.stranger(), "sqs:SendMessage", dead, "", json!({}), NO);
    }

    fn publishers(&mut self) {
        let intent = &self.checked.intent;
        for topic in &intent.topics {
            for publisher in &intent.publishers {
                self.attempt(publisher, "sns:Publish", topic, "", json!({}), YES);
                self.plain(publisher, "sns:Publish", topic);
            }
            if !intent.publishers.is_empty() {
                self.attempt(&self.stranger(), "sns:Publish", topic, "", json!({}), NO);
            }
        }
    }

    /// A role of the queue's account that its own policies allow everything.
    fn stranger(&self) -> String {
        format!("arn:aws:iam::{}:role/{STRANGER}", self.checked.account)
    }

    fn through_sqs(&self) -> Value {
        json!({
            "kms:ViaService": format!("sqs.{}.amazonaws.com", self.checked.region),
            "kms:EncryptionContext:aws:sqs:arn": self.checked.queue,
        })
    }

    fn plain(&mut self, principal: &str, action: &'static str, resource: &str) {
        if !self.checked.intent.allow_plain_http {
            let plain = json!({ "aws:SecureTransport": "false" });
            self.attempt(principal, action, resource, "without TLS", plain, NO);
        }
    }

    fn attempt(
        &mut self,
        principal: &str,
        action: &'static str,
        resource: &str,
        but: &'static str,
        context: Value,
        expected: &'static str,
    ) {
        let attempt = Attempt {
            principal,
            action,
            resource,
            but,
            context,
            expected,
        };
        let case = self.case(&attempt).to_string();
        let (found, statement) = match self.cases.answer(&case) {
            Answer::Decided {
                decision, statement, ..
            } => (decision.to_owned(), statement.unwrap_or_default()),
            Answer::Unreadable { message, .. } | Answer::Rejected { message, .. } => (message, String::new()),
            Answer::Accepted { .. } => ("no decision".to_owned(), String::new()),
        };
        self.trials.push(Trial {
            who: principal.rsplit(':').next().unwrap_or_default().to_owned(),
            action: attempt.action,
            resource: resource.to_owned(),
            but: attempt.but,
            expected: attempt.expected,
            found,
            statement,
        });
    }

    fn case(&self, attempt: &Attempt<'_>) -> Value {
        let is_person = attempt.principal.starts_with("arn:");
        let stranger = self.stranger();
        let identity: Vec<Value> = if attempt.principal == stranger {
            vec![
                json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] }),
            ]
        } else {
            let own = self
                .documents
                .iter()
                .filter(|document| document.of == attempt.principal);
            own.map(|document| document.policy.clone()).collect()
        };
        let resource = self
            .documents
            .iter()
            .find(|document| document.of == attempt.resource);
        let owner = Arn::parse(attempt.resource)
            .ok()
            .map(|arn| arn.account().to_owned());
        let mut context = if is_person {
            self.usual(attempt.principal)
        } else {
            Map::from_iter([("aws:PrincipalIsAWSService".to_owned(), json!("true"))])
        };
        for (key, value) in attempt.context.as_object().into_iter().flatten() {
            if value.is_null() {
                context.remove(key);
            } else {
                context.insert(key.clone(), value.clone());
            }
        }
        json!({
            "id": "proof",
            "kind": "decide",
            "principal": session(attempt.principal),
            "action": attempt.action,
            "resource": attempt.resource,
            "resourceAccountId": owner.unwrap_or_default(),
            "context": context,
            "policies": { "identity": identity, "resource": resource.map(|document| &document.policy) },
        })
    }

    /// What is so in a call as it should be.
    fn usual(&self, principal: &str) -> Map<String, Value> {
        let intent = &self.checked.intent;
        let account = Arn::parse(principal).ok().map(|arn| arn.account().to_owned());
        let mut context = Map::new();
        let mut put = |key: &str, value: Value| drop(context.insert(key.to_owned(), value));
        put("aws:SecureTransport", json!("true"));
        put("aws:PrincipalArn", json!(principal));
        put("aws:PrincipalAccount", json!(account.unwrap_or_default()));
        if let Some(path) = &intent.organizational_unit {
            put("aws:PrincipalOrgPaths", json!([path]));
            put(
                "aws:PrincipalOrgID",
                json!(path.split('/').next().unwrap_or_default()),
            );
        }
        if let Some(organization) = &intent.organization {
            put("aws:PrincipalOrgID", json!(organization));
        }
        if let Some(endpoint) = &intent.endpoint {
            put("aws:SourceVpce", json!(endpoint));
        }
        context
    }
}

/// A role acts by a session of it.
fn session(principal: &str) -> String {
    let role = principal.split_once(":role/").and_then(|(before, path)| {
        let account = before.rsplit(':').next()?;
        Some(format!(
            "arn:aws:sts::{account}:assumed-role/{}/proof",
            path.rsplit('/').next()?
        ))
    });
    role.unwrap_or_else(|| principal.to_owned())
}
