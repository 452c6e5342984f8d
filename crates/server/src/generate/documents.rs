//! The policies that say an intent, and nothing more.
//!
//! Each forbids what is not intended besides allowing what is, so that an identity policy that is too wide does not open
//! the queue. Statement ids are those of the AWS Security Blog, "How to set up least privilege access to your encrypted
//! Amazon SQS queue" (read 2026-11-21), where it has the statement.

use super::intent::Checked;
use bulla_policy::{IdentityOwner, PolicyKind, Vendor};
use serde_json::{Map, Value, json};

/// One policy with a name to keep it under.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// `queue-policy`, `identity-policy-producer`.
    pub(crate) name: String,
    /// Whom or what it is attached to: an ARN.
    pub(crate) of: String,
    pub(crate) policy: Value,
    pub(crate) kind: PolicyKind,
}

/// Every policy of the intent.
pub(crate) fn documents(checked: &Checked) -> Vec<Document> {
    let intent = &checked.intent;
    let mut all = vec![document(
        "queue-policy",
        &checked.queue,
        PolicyKind::Resource(Vendor::Sqs),
        &queue(checked),
    )];
    if let Some(dead) = &intent.dead_letter_queue {
        all.push(document(
            "dead-letter-queue-policy",
            dead,
            PolicyKind::Resource(Vendor::Sqs),
            &dead_letter_queue(checked, dead),
        ));
    }
    if let Some(arn) = &intent.key {
        all.push(document(
            "key-policy",
            arn,
            PolicyKind::Resource(Vendor::Kms),
            &key(checked),
        ));
    }
    for arn in &intent.topics {
        let name = unique(&all, format!("topic-policy-{}", last(arn)));
        all.push(document(
            &name,
            arn,
            PolicyKind::Resource(Vendor::Sns),
            &topic(checked, arn),
        ));
    }
    let roles = [
        ("producer", &intent.producers, producer(checked)),
        ("consumer", &intent.consumers, consumer(checked)),
        ("administrator", &intent.administrators, administrator(checked)),
        ("publisher", &intent.publishers, publisher(checked)),
    ];
    for (what, people, statements) in roles {
        for person in people {
            if !statements.is_empty() {
                let name = format!("identity-policy-{what}-{}", last(person));
                let name = unique(&all, name);
                all.push(document(&name, person, IDENTITY, &statements));
            }
        }
    }
    all
}

/// As a policy of its own, to be attached.
const IDENTITY: PolicyKind = PolicyKind::Identity(IdentityOwner::Managed);

fn document(name: &str, of: &str, kind: PolicyKind, statements: &[Value]) -> Document {
    Document {
        name: name.to_owned(),
        of: of.to_owned(),
        policy: json!({ "Version": "2012-10-17", "Statement": statements }),
        kind,
    }
}

/// Roles of two accounts may have one name.
fn unique(all: &[Document], name: String) -> String {
    let taken = |name: &str| all.iter().any(|document| document.name == name);
    if !taken(&name) {
        return name;
    }
    let numbered = (2..).map(|number: u64| format!("{name}-{number}"));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(name)
}

/// The last part of an ARN, fit for a file's name.
fn last(arn: &str) -> String {
    let last = arn.rsplit(['/', ':']).next().unwrap_or_default();
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    last.chars().map(fit).collect()
}

fn statement(
    sid: &str,
    effect: &str,
    principal: &Value,
    actions: &[&str],
    resource: &str,
) -> Map<String, Value> {
    let mut statement = Map::new();
    statement.insert("Sid".into(), sid.into());
    statement.insert("Effect".into(), effect.into());
    if !principal.is_null() {
        statement.insert("Principal".into(), principal.clone());
    }
    statement.insert("Action".into(), json!(actions));
    statement.insert("Resource".into(), resource.into());
    statement
}

fn with(mut statement: Map<String, Value>, condition: Value) -> Value {
    statement.insert("Condition".into(), condition);
    Value::Object(statement)
}

fn everybody() -> Value {
    json!({ "AWS": "*" })
}

/// What holds for both queues.
fn both(checked: &Checked, queue: &str) -> Vec<Value> {
    let intent = &checked.intent;
    let deny = |sid: &str, actions: &[&str]| statement(sid, "Deny", &everybody(), actions, queue);
    let mut all = vec![with(
        deny(
            "RestrictAdminQueueActions",
            &[
                "sqs:AddPermission",
                "sqs:DeleteQueue",
                "sqs:RemovePermission",
                "sqs:SetQueueAttributes",
                "sqs:PurgeQueue",
            ],
        ),
        json!({ "ArnNotEquals": { "aws:PrincipalArn": intent.administrators } }),
    )];
    let outside = [
        "sqs:AddPermission",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteQueue",
        "sqs:RemovePermission",
        "sqs:SetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    // A unit is of one organization, so that naming both says no more.
    if let Some(organization) = &intent.organization
        && intent.organizational_unit.is_none()
    {
        all.push(with(
            deny("DenyQueueActionsOutsideOrg", &outside),
            json!({ "StringNotEquals": { "aws:PrincipalOrgID": organization } }),
        ));
    }
    if let Some(path) = &intent.organizational_unit {
        // Who is in no organization has no paths at all; `ForAllValues` holds then, and the deny with it.
        all.push(with(
            deny("DenyQueueActionsOutsideOrganizationalUnit", &outside),
            json!({ "ForAllValues:StringNotLike": { "aws:PrincipalOrgPaths": format!("{path}*") } }),
        ));
    }
    if !intent.consumers.is_empty() {
        all.push(Value::Object(statement(
            "AllowConsumersToReceiveFromTheQueue",
            "Allow",
            &json!({ "AWS": intent.consumers }),
            &RECEIVING,
            queue,
        )));
    }
    all.push(with(
        deny("DenyOtherConsumersFromReceiving", &RECEIVING[..3]),
        others(&intent.consumers),
    ));
    if !intent.allow_plain_http {
        all.push(with(
            deny("DenyUnsecureTransport", &["sqs:*"]),
            json!({ "Bool": { "aws:SecureTransport": "false" } }),
        ));
    }
    if let Some(endpoint) = &intent.endpoint {
        all.push(with(
            deny("DenyReceivingIfNotThroughVPCE", &["sqs:ReceiveMessage"]),
            json!({ "StringNotEquals": { "aws:SourceVpce": endpoint } }),
        ));
    }
    all
}

const RECEIVING: [&str; 4] = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:ReceiveMessage",
    "sqs:GetQueueAttributes",
];

/// All but these; everybody when there are none.
fn others(people: &[String]) -> Value {
    if people.is_empty() {
        json!({ "Null": { "aws:PrincipalArn": "false" } })
    } else {
        json!({ "ArnNotEquals": { "aws:PrincipalArn": people } })
    }
}

fn queue(checked: &Checked) -> Vec<Value> {
    let intent = &checked.intent;
    let mut all = both(checked, &checked.queue);
    if !intent.producers.is_empty() {
        all.push(Value::Object(statement(
            "AllowProducersToSendToTheQueue",
            "Allow",
            &json!({ "AWS": intent.producers }),
            &["sqs:SendMessage"],
            &checked.queue,
        )));
    }
    for (what, service, arns) in checked.sources() {
        all.push(with(
            statement(
                &format!("Allow{what}ToSendToTheQueue"),
                "Allow",
                &json!({ "Service": service }),
                &["sqs:SendMessage"],
                &checked.queue,
            ),
            from(checked, service, arns),
        ));
    }
    let mut others = Map::new();
    let sources = checked.source_arns();
    if !sources.is_empty() {
        others.insert("aws:SourceArn".into(), json!(sources));
    }
    if !intent.producers.is_empty() {
        others.insert("aws:PrincipalArn".into(), json!(intent.producers));
    }
    let deny = statement(
        "DenyOtherProducersFromSending",
        "Deny",
        &everybody(),
        &["sqs:SendMessage"],
        &checked.queue,
    );
    all.push(if others.is_empty() {
        Value::Object(deny)
    } else {
        with(deny, json!({ "ArnNotEquals": others }))
    });
    all
}

/// In whose name a service may act. A bucket's ARN names no account, and a bucket's name can be taken over.
fn from(checked: &Checked, service: &str, arns: &[String]) -> Value {
    let mut condition = json!({ "ArnEquals": { "aws:SourceArn": arns } });
    if service == "s3.amazonaws.com"
        && let Some(conditions) = condition.as_object_mut()
    {
        let account = json!({ "aws:SourceAccount": checked.account });
        conditions.insert("StringEquals".into(), account);
    }
    condition
}

fn dead_letter_queue(checked: &Checked, dead: &str) -> Vec<Value> {
    let mut all = both(checked, dead);
    all.push(with(
        statement(
            "DenyAnyProducersExceptSQS",
            "Deny",
            &everybody(),
            &["sqs:SendMessage"],
            dead,
        ),
        json!({ "ArnNotEquals": { "aws:SourceArn": checked.queue } }),
    ));
    all
}

fn key(checked: &Checked) -> Vec<Value> {
    let intent = &checked.intent;
    let allow =
        |sid: &str, principal: Value, actions: &[&str]| statement(sid, "Allow", &principal, actions, "*");
    let root = format!("arn:aws:iam::{}:root", checked.account);
    let mut all = vec![
        Value::Object(allow(
            "AllowKeyAdminPermissions",
            json!({ "AWS": intent.administrators }),
            &KEY_ADMINISTRATION,
        )),
        Value::Object(allow(
            "AllowReadAccessToKeyMetaData",
            json!({ "AWS": root }),
            &["kms:Describe*", "kms:Get*", "kms:List*"],
        )),
    ];
    for (what, service, arns) in checked.sources() {
        all.push(with(
            allow(
                &format!("Allow{what}ToSendToSQS"),
                json!({ "Service": service }),
                &SENDING_KEY,
            ),
            from(checked, service, arns),
        ));
    }
    let through = json!({ "StringEquals": {
        "kms:ViaService": format!("sqs.{}.amazonaws.com", checked.region),
        "kms:EncryptionContext:aws:sqs:arn": checked.queues(),
    } });
    if !intent.producers.is_empty() {
        all.push(with(
            allow(
                "AllowProducersToSendToTheQueue",
                json!({ "AWS": intent.producers }),
                &SENDING_KEY,
            ),
            through.clone(),
        ));
    }
    if !intent.consumers.is_empty() {
        all.push(with(
            allow(
                "AllowConsumersToReceiveFromTheQueue",
                json!({ "AWS": intent.consumers }),
                &["kms:Decrypt"],
            ),
            through,
        ));
    }
    all
}

const SENDING_KEY: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

const KEY_ADMINISTRATION: [&str; 14] = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
];

fn topic(checked: &Checked, arn: &str) -> Vec<Value> {
    let intent = &checked.intent;
    let root = format!("arn:aws:iam::{}:root", checked.account);
    let mut all = vec![with(
        statement(
            "AllowTheQueueToBeSubscribed",
            "Allow",
            &json!({ "AWS": root }),
            &["sns:Subscribe"],
            arn,
        ),
        json!({ "StringEquals": { "sns:Protocol": "sqs", "sns:Endpoint": checked.queue } }),
    )];
    if !intent.publishers.is_empty() {
        all.push(Value::Object(statement(
            "AllowPublishersToPublish",
            "Allow",
            &json!({ "AWS": intent.publishers }),
            &["sns:Publish"],
            arn,
        )));
        all.push(with(
            statement("DenyOtherPublishers", "Deny", &everybody(), &["sns:Publish"], arn),
            others(&intent.publishers),
        ));
    }
    if !intent.allow_plain_http {
        all.push(with(
            statement(
                "DenyUnsecureTransport",
                "Deny",
                &everybody(),
                &["sns:Publish"],
                arn,
            ),
            json!({ "Bool": { "aws:SecureTransport": "false" } }),
        ));
    }
    all
}

fn identity(sid: &str, actions: &[&str], resources: &[String]) -> Value {
    let mut statement = statement(sid, "Allow", &Value::Null, actions, "");
    statement.insert("Resource".into(), json!(resources));
    Value::Object(statement)
}

fn key_of(checked: &Checked) -> Vec<String> {
    checked.intent.key.clone().into_iter().collect()
}

fn producer(checked: &Checked) -> Vec<Value> {
    let queue = [checked.queue.clone()];
    let mut all = vec![identity("Send", &["sqs:SendMessage", "sqs:GetQueueUrl"], &queue)];
    if checked.intent.key.is_some() {
        all.push(identity("SealMessages", &SENDING_KEY, &key_of(checked)));
    }
    all
}

fn consumer(checked: &Checked) -> Vec<Value> {
    let actions: Vec<&str> = RECEIVING.into_iter().chain(["sqs:GetQueueUrl"]).collect();
    let mut all = vec![identity("Receive", &actions, &checked.queues())];
    if checked.intent.key.is_some() {
        all.push(identity("OpenMessages", &["kms:Decrypt"], &key_of(checked)));
    }
    all
}

fn administrator(checked: &Checked) -> Vec<Value> {
    let mut all = vec![identity(
        "ManageQueues",
        &[
            "sqs:AddPermission",
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListDeadLetterSourceQueues",
            "sqs:ListQueueTags",
            "sqs:PurgeQueue",
            "sqs:RemovePermission",
            "sqs:SetQueueAttributes",
            "sqs:TagQueue",
            "sqs:UntagQueue",
        ],
        &checked.queues(),
    )];
    if checked.intent.key.is_some() {
        all.push(identity("ManageTheKey", &KEY_ADMINISTRATION, &key_of(checked)));
    }
    all
}

fn publisher(checked: &Checked) -> Vec<Value> {
    if checked.intent.topics.is_empty() {
        return Vec::new();
    }
    vec![identity("Publish", &["sns:Publish"], &checked.intent.topics)]
}
