//! What a service looks like from outside, as data that the caller's table holds.

use crate::error::{ErrorRow, common};
use crate::protocol::Protocol;

/// Names and habits of one service.
///
/// Start from [`ServiceWire::new`] and say what differs.
#[derive(Clone, Copy, Debug)]
pub struct ServiceWire {
    /// Name in the signature's scope: `sqs`.
    pub signing_name: &'static str,
    /// Which JSON it speaks, if any.
    pub json: Option<Protocol>,
    /// What stands before the operation in `X-Amz-Target`: `AmazonSQS`.
    pub target_prefix: Option<&'static str>,
    /// `Version` of its Query API: `2012-11-05`.
    pub query_version: Option<&'static str>,
    /// Which Query it speaks, if any: [`Protocol::AwsQuery`] but for EC2.
    pub query: Protocol,
    /// XML namespace of its answers, for errors too.
    pub xmlns: &'static str,
    /// Whether its XML begins with `<?xml version="1.0"?>`.
    pub xml_declaration: bool,
    /// Namespace before error names in JSON, `com.amazonaws.sqs`; without one the names stand alone.
    pub error_namespace: Option<&'static str>,
    /// The member that carries an error's message in JSON: `message` or `Message`.
    pub error_message_member: &'static str,
    /// Whether JSON errors carry the Query code in `x-amzn-query-error` (Smithy `awsQueryCompatible`).
    pub query_compatible: bool,
    /// The member that a request path other than `/` stands for, in Query: SQS's `QueueUrl`.
    pub path_member: Option<&'static str>,
    /// How it says that a member is missing.
    pub missing: MissingWording,
}

impl ServiceWire {
    /// A service without protocols.
    #[must_use]
    pub const fn new(signing_name: &'static str) -> Self {
        Self {
            signing_name,
            json: None,
            target_prefix: None,
            query_version: None,
            query: Protocol::AwsQuery,
            xmlns: "",
            xml_declaration: false,
            error_namespace: None,
            error_message_member: "message",
            query_compatible: false,
            path_member: None,
            missing: MissingWording::Constraint(common::VALIDATION),
        }
    }
}

/// How a service words the absence of a required member.
#[derive(Clone, Copy, Debug)]
pub enum MissingWording {
    /// `The request must contain the parameter QueueUrl.`
    Parameter(ErrorRow),
    /// `1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null`
    Constraint(ErrorRow),
}
