//! The protocols. Each is one file; here is only what they have in common and the choice between them.

mod aws_json;
mod aws_query;
mod ec2_query;

use crate::error::{ErrorRow, common};
use crate::form::Form;
use crate::kind::Structure;
use crate::malformed::Malformed;
use crate::node::Node;
use crate::service::{MissingWording, ServiceWire};
use crate::value::Shape;
use crate::writer::Writer;
use bytes::Bytes;
use std::borrow::Cow;

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0.
    AwsJson10,
    /// AWS JSON 1.1.
    AwsJson11,
    /// AWS Query: form parameters in, XML out.
    AwsQuery,
    /// EC2 Query: the same parameters, another XML.
    Ec2Query,
}

/// A request's input before it is decoded.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// A JSON document.
    Json(&'a [u8]),
    /// A JSON document in memory that long texts may hold on to.
    SharedJson(&'a Bytes),
    /// Query parameters.
    Form(Form<'a>),
}

/// An answer but for the transport's own headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values; `content-type` and `x-amzn-requestid` are among them.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An error as it is about to be answered.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The row of the table.
    pub row: ErrorRow,
    /// For the client.
    pub message: &'a str,
    /// Further members of the error shape, such as Organizations' `Reason`.
    pub details: &'a [(&'static str, &'a str)],
}

impl<'a> Failure<'a> {
    /// An error with a message only.
    #[must_use]
    pub const fn new(row: ErrorRow, message: &'a str) -> Self {
        Self {
            row,
            message,
            details: &[],
        }
    }
}

/// What is answered when nothing went wrong: written by [`Protocol::success`] for any shape.
pub(crate) struct Success<'a> {
    pub(crate) service: &'a ServiceWire,
    pub(crate) operation: &'a str,
    /// Whether the operation has an output at all.
    pub(crate) has_output: bool,
    pub(crate) write: &'a dyn Fn(&mut dyn Writer),
    /// About how many bytes `write` writes.
    pub(crate) length_hint: usize,
}

impl Protocol {
    /// The `content-type` of answers.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::AwsJson10 => "application/x-amz-json-1.0",
            Self::AwsJson11 => "application/x-amz-json-1.1",
            Self::AwsQuery | Self::Ec2Query => "text/xml",
        }
    }

    /// Decodes a request into a tree.
    ///
    /// # Errors
    /// [`Malformed`] when the payload is not of this protocol or breaks its rules.
    pub fn decode<'a>(
        self,
        payload: Payload<'a>,
        structure: &'static Structure,
    ) -> Result<Node<'a>, Malformed> {
        match (self, payload) {
            (Self::AwsJson10 | Self::AwsJson11, Payload::Json(body)) => crate::json_reader::read(body, None),
            (Self::AwsJson10 | Self::AwsJson11, Payload::SharedJson(body)) => {
                crate::json_reader::read(body, Some(body))
            }
            (Self::AwsQuery | Self::Ec2Query, Payload::Form(form)) => {
                crate::query_reader::read(form, structure)
            }
            (Self::AwsJson10 | Self::AwsJson11, Payload::Form(_))
            | (Self::AwsQuery | Self::Ec2Query, Payload::Json(_) | Payload::SharedJson(_)) => Err(
                Malformed::syntax("the payload is not of the protocol that was declared"),
            ),
        }
    }

    /// Decodes a request into the input of an operation.
    ///
    /// # Errors
    /// [`Malformed`]; [`Protocol::malformed`] gives the words for it.
    pub fn read<T: Shape>(self, payload: Payload<'_>) -> Result<T, Malformed> {
        T::read(self.decode(payload, T::structure())?)
    }

    /// The answer of an operation that succeeded.
    #[must_use]
    pub fn success<T: Shape>(
        self,
        service: &ServiceWire,
        operation: &str,
        output: &T,
        request_id: &str,
    ) -> Reply {
        let success = Success {
            service,
            operation,
            has_output: !T::structure().name.is_empty(),
            write: &|out| output.write(out),
            length_hint: output.length_hint(),
        };
        let body = match self {
            Self::AwsJson10 | Self::AwsJson11 => aws_json::success(&success),
            Self::AwsQuery => aws_query::success(&success, request_id),
            Self::Ec2Query => ec2_query::success(&success, request_id),
        };
        Reply {
            status: 200,
            headers: self.headers(request_id),
            body,
        }
    }

    /// The answer of an operation that failed.
    #[must_use]
    pub fn failure(self, service: &ServiceWire, failure: &Failure<'_>, request_id: &str) -> Reply {
        let mut headers = self.headers(request_id);
        let body = match self {
            Self::AwsJson10 | Self::AwsJson11 => aws_json::failure(service, failure, &mut headers),
            Self::AwsQuery => aws_query::failure(service, failure, request_id),
            Self::Ec2Query => ec2_query::failure(service, failure, request_id),
        };
        Reply {
            status: failure.row.status,
            headers,
            body,
        }
    }

    /// Code and message for a request that does not have the operation's shape.
    #[must_use]
    pub fn malformed(self, service: &ServiceWire, malformed: &Malformed) -> (ErrorRow, String) {
        match (malformed, self) {
            (Malformed::Missing { path }, _) => match service.missing {
                MissingWording::Parameter(row) => {
                    (row, format!("The request must contain the parameter {path}."))
                }
                MissingWording::Constraint(row) => (
                    row,
                    format!(
                        "1 validation error detected: Value null at '{}' failed to satisfy constraint: \
                         Member must not be null",
                        path.constraint_style()
                    ),
                ),
            },
            (Malformed::Syntax { .. }, Self::AwsQuery | Self::Ec2Query) => {
                (common::MALFORMED_QUERY_STRING, malformed.to_string())
            }
            (Malformed::Syntax { .. } | Malformed::WrongType { .. }, _) => {
                (common::SERIALIZATION, malformed.to_string())
            }
        }
    }

    fn headers(self, request_id: &str) -> Vec<(&'static str, Cow<'static, str>)> {
        vec![
            ("content-type", Cow::Borrowed(self.content_type())),
            ("x-amzn-requestid", Cow::Owned(request_id.to_owned())),
        ]
    }
}
