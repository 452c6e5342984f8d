//! Shapes of several services, with the names of the AWS models.
#![expect(clippy::struct_field_names, reason = "the names are those of the AWS models")]

use crate::error::common;
use crate::{Blob, Empty, MissingWording, Protocol, ServiceWire, Shape};
use bulla_types::Timestamp;
use std::collections::BTreeMap;

pub(super) const SQS: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson10),
    target_prefix: Some("AmazonSQS"),
    query_version: Some("2012-11-05"),
    xmlns: "http://queue.amazonaws.com/doc/2012-11-05/",
    error_namespace: Some("com.amazonaws.sqs"),
    query_compatible: true,
    path_member: Some("QueueUrl"),
    missing: MissingWording::Parameter(common::MISSING_PARAMETER),
    ..ServiceWire::new("sqs")
};

pub(super) const KMS: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson11),
    target_prefix: Some("TrentService"),
    ..ServiceWire::new("kms")
};

pub(super) const IAM: ServiceWire = ServiceWire {
    query_version: Some("2010-05-08"),
    xmlns: "https://iam.amazonaws.com/doc/2010-05-08/",
    ..ServiceWire::new("iam")
};

pub(super) const STS: ServiceWire = ServiceWire {
    query_version: Some("2011-06-15"),
    xmlns: "https://sts.amazonaws.com/doc/2011-06-15/",
    ..ServiceWire::new("sts")
};

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct MessageAttributeValue {
    pub(super) data_type: String,
    pub(super) string_value: Option<String>,
    pub(super) binary_value: Option<Blob>,
    #[member(query = "StringListValue", flattened)]
    pub(super) string_list_values: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "SendMessageRequest")]
pub(super) struct SendMessage {
    pub(super) queue_url: String,
    pub(super) message_body: String,
    pub(super) delay_seconds: Option<i32>,
    #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value", default)]
    pub(super) message_attributes: BTreeMap<String, MessageAttributeValue>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "SendMessageBatchRequestEntry")]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) message_body: String,
    #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value", default)]
    pub(super) message_attributes: BTreeMap<String, MessageAttributeValue>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "SendMessageBatchRequest")]
pub(super) struct SendMessageBatch {
    pub(super) queue_url: String,
    #[member(query = "SendMessageBatchRequestEntry", flattened)]
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "CreateQueueRequest")]
pub(super) struct CreateQueue {
    pub(super) queue_name: String,
    #[member(query = "Attribute", flattened, key = "Name", value = "Value")]
    pub(super) attributes: Option<BTreeMap<String, String>>,
    #[member(name = "tags", query = "Tag", flattened, key = "Key", value = "Value")]
    pub(super) tags: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "ReceiveMessageRequest")]
pub(super) struct ReceiveMessage {
    pub(super) queue_url: String,
    #[member(query = "AttributeName", flattened)]
    pub(super) attribute_names: Option<Vec<String>>,
    #[member(query = "MessageAttributeName", flattened)]
    pub(super) message_attribute_names: Option<Vec<String>>,
    pub(super) max_number_of_messages: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct Message {
    pub(super) message_id: String,
    #[member(name = "MD5OfBody")]
    pub(super) md5_of_body: String,
    pub(super) body: String,
    #[member(query = "Attribute", flattened, key = "Name", value = "Value")]
    pub(super) attributes: Option<BTreeMap<String, String>>,
    #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value")]
    pub(super) message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct ReceiveMessageResult {
    #[member(query = "Message", flattened)]
    pub(super) messages: Option<Vec<Message>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct PolicyArn {
    #[member(name = "arn")]
    pub(super) arn: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "AssumeRoleRequest")]
pub(super) struct AssumeRole {
    pub(super) role_arn: String,
    pub(super) role_session_name: String,
    pub(super) policy_arns: Option<Vec<PolicyArn>>,
    pub(super) duration_seconds: Option<i32>,
    pub(super) tags: Option<Vec<Tag>>,
    pub(super) transitive_tag_keys: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct ContextEntry {
    pub(super) context_key_name: Option<String>,
    pub(super) context_key_values: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "SimulateCustomPolicyRequest")]
pub(super) struct SimulateCustomPolicy {
    pub(super) policy_input_list: Vec<String>,
    pub(super) action_names: Vec<String>,
    pub(super) context_entries: Option<Vec<ContextEntry>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct User {
    pub(super) user_name: String,
    pub(super) create_date: Timestamp,
    pub(super) tags: Option<Vec<Tag>>,
}

#[derive(Clone, Debug, PartialEq, Shape)]
#[shape(name = "ListUsersResponse")]
pub(super) struct ListUsers {
    pub(super) users: Vec<User>,
    pub(super) is_truncated: bool,
}

/// One member of every kind, and a structure that contains itself.
#[derive(Clone, Debug, PartialEq, Shape)]
pub(super) struct Everything {
    pub(super) text: Option<String>,
    pub(super) integer: Option<i32>,
    pub(super) long: Option<i64>,
    pub(super) double: Option<f64>,
    pub(super) boolean: Option<bool>,
    pub(super) blob: Option<Blob>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) list: Option<Vec<String>>,
    pub(super) lists: Option<Vec<Vec<i64>>>,
    pub(super) map: Option<BTreeMap<String, i64>>,
    pub(super) map_of_lists: Option<BTreeMap<String, Vec<String>>>,
    pub(super) inner: Option<Box<Everything>>,
    pub(super) r#type: Option<String>,
    pub(super) nothing: Option<Empty>,
}

impl Everything {
    pub(super) const NOTHING: Self = Self {
        text: None,
        integer: None,
        long: None,
        double: None,
        boolean: None,
        blob: None,
        timestamp: None,
        list: None,
        lists: None,
        map: None,
        map_of_lists: None,
        inner: None,
        r#type: None,
        nothing: None,
    };
}
