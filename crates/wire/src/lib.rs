//! Shapes and the AWS wire protocols that carry them.
//!
//! An operation declares its input and output once; the same declaration is read from and written to every protocol.
//! The derive makes data (the member tables of [`Structure`], which conformance tests compare with the AWS models)
//! and one call per field into this crate.
//!
//! # A shape
//!
//! ```
//! use bulla_wire::{Blob, Shape};
//! use std::collections::BTreeMap;
//!
//! /// Input: `Option` may be absent, `default` may be absent too, everything else is required.
//! #[derive(Debug, Shape)]
//! #[shape(name = "SendMessageRequest")]
//! pub struct SendMessageInput {
//!     pub queue_url: String,
//!     pub message_body: String,
//!     pub delay_seconds: Option<i32>,
//!     // JSON says `MessageAttributes`, Query says `MessageAttribute.1.Name` and `MessageAttribute.1.Value`.
//!     #[member(query = "MessageAttribute", flattened, key = "Name", value = "Value", default)]
//!     pub message_attributes: BTreeMap<String, MessageAttributeValue>,
//! }
//!
//! #[derive(Debug, Shape)]
//! pub struct MessageAttributeValue {
//!     pub data_type: String,
//!     pub string_value: Option<String>,
//!     pub binary_value: Option<Blob>,
//! }
//!
//! /// Output: an absent `Option` is not written; an empty `Vec` or map without `Option` is.
//! #[derive(Debug, Shape)]
//! #[shape(name = "SendMessageResult")]
//! pub struct SendMessageOutput {
//!     #[member(name = "MD5OfMessageBody")]
//!     pub md5_of_message_body: String,
//!     pub message_id: String,
//! }
//! ```
//!
//! Field names become `PascalCase`. Lists and maps follow the Query rules of most services (`X.member.1`,
//! `X.entry.1.key`) unless the field says otherwise. An operation without input or output uses [`Empty`]. A type of
//! your own (an ARN, a secret) implements [`Value`].
//!
//! # A service and its errors
//!
//! ```
//! use bulla_wire::error::common;
//! use bulla_wire::{ErrorRow, Failure, Fault, MissingWording, Protocol, Request, ServiceWire, route};
//!
//! const SQS: ServiceWire = ServiceWire {
//!     json: Some(Protocol::AwsJson10),
//!     target_prefix: Some("AmazonSQS"),
//!     query_version: Some("2012-11-05"),
//!     xmlns: "http://queue.amazonaws.com/doc/2012-11-05/",
//!     xml_declaration: true,
//!     error_namespace: Some("com.amazonaws.sqs"),
//!     query_compatible: true,
//!     path_member: Some("QueueUrl"),
//!     missing: MissingWording::Parameter(common::MISSING_PARAMETER),
//!     ..ServiceWire::new("sqs")
//! };
//!
//! const QUEUE_DOES_NOT_EXIST: ErrorRow = ErrorRow {
//!     shape: "QueueDoesNotExist",
//!     query_code: "AWS.SimpleQueueService.NonExistentQueue",
//!     status: 400,
//!     fault: Fault::Sender,
//! };
//!
//! let services = [SQS];
//! let request = Request {
//!     method: "POST",
//!     path: "/",
//!     target: Some("AmazonSQS.SendMessage"),
//!     content_type: Some("application/x-amz-json-1.0"),
//!     body: br#"{"QueueUrl":"http://localhost/1/q"}"#,
//!     ..Request::default()
//! };
//! let route = route(&services, &request).unwrap();
//! assert_eq!((route.service.signing_name, route.operation.as_ref()), ("sqs", "SendMessage"));
//!
//! // let input: SendMessageInput = route.protocol.read(route.payload)?; and when that fails:
//! // let (row, message) = route.protocol.malformed(route.service, &malformed);
//!
//! let message = "The specified queue does not exist.";
//! let reply = route.protocol.failure(route.service, &Failure::new(QUEUE_DOES_NOT_EXIST, message), "request-1");
//! assert_eq!(
//!     reply.body,
//!     br#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#,
//! );
//! assert!(reply.headers.contains(&(
//!     "x-amzn-query-error",
//!     "AWS.SimpleQueueService.NonExistentQueue;Sender".into(),
//! )));
//! ```

// The derive names this crate by its outside name, also in its own tests.
extern crate self as bulla_wire;

pub mod error;
mod form;
mod json_reader;
mod json_writer;
mod kind;
mod malformed;
mod node;
mod protocol;
mod query_reader;
mod route;
mod service;
mod shared_text;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod writer;
mod xml_writer;

pub use bulla_wire_derive::Shape;
pub use error::{ErrorRow, Fault};
pub use form::{FORM_PARAMETERS_MAX, Form};
pub use json_writer::JsonWriter;
pub use kind::{Kind, Member, Structure};
pub use malformed::{Malformed, Path, Step};
pub use node::{NODE_COUNT_MAX, NODE_DEPTH_MAX, Node};
pub use protocol::{Failure, Payload, Protocol, Reply};
pub use route::{Request, Route, RouteError, route};
pub use service::{MissingWording, ServiceWire};
pub use shared_text::SharedText;
pub use value::{Blob, Empty, Members, Shape, Value, length_hint, put, read_structure, write_structure};
pub use writer::Writer;
pub use xml_writer::XmlWriter;
