//! Errors that every service has in common, and how each family of services words them.
//!
//! Source: "Common Errors" in the API references of SQS, KMS, IAM, STS and Organizations (read 2026-11-21). Services
//! that speak JSON name the same failure differently from those that speak Query; SQS answers with both names.

use crate::authorize::Denial;
use crate::operation::Family;
use bulla_sigv4::{SignatureError, SignatureErrorCode};
use bulla_wire::{ErrorRow, Fault, Malformed};
use std::borrow::Cow;

/// A failure that does not belong to one operation.
#[derive(Debug)]
pub enum CommonError {
    /// The signature is absent, incomplete or wrong.
    Signature(SignatureError),
    /// The access key is unknown.
    UnknownAccessKey,
    /// The session token has expired.
    ExpiredToken,
    /// The policies do not allow it.
    Denied(Box<Denial>),
    /// The request does not have the operation's shape.
    Malformed(Malformed),
    /// There is no such operation, or it is not built.
    UnknownOperation(String),
    /// The body is not in the protocol's form.
    Unreadable(String),
    /// The server is stopping or overloaded.
    Unavailable,
    /// A defect or a failing disk; the log says more.
    Internal,
}

/// Names and statuses of one common error.
struct Names {
    /// Where JSON is spoken.
    json: &'static str,
    /// Where Query is spoken.
    query: &'static str,
    /// Status in Query and in SQS; JSON services answer 400 to whatever is the client's fault.
    status: u16,
}

const fn names(json: &'static str, query: &'static str, status: u16) -> Names {
    Names { json, query, status }
}

impl CommonError {
    /// The row of this error in a service of `family`.
    #[must_use]
    pub fn row(&self, family: Family) -> ErrorRow {
        let Names { json, query, status } = self.names(family);
        let fault = if status >= 500 { Fault::Receiver } else { Fault::Sender };
        let (shape, status) = match family {
            Family::Sqs => (json, status),
            Family::Json => (json, if status >= 500 { status } else { 400 }),
            Family::Query => (query, status),
        };
        ErrorRow { shape, query_code: query, status, fault }
    }

    fn names(&self, family: Family) -> Names {
        match self {
            Self::Signature(error) => signature_names(error.code()),
            Self::UnknownAccessKey => names("UnrecognizedClientException", "InvalidClientTokenId", 403),
            Self::ExpiredToken => names("ExpiredTokenException", "ExpiredToken", 403),
            Self::Denied(_) => names("AccessDeniedException", "AccessDenied", 403),
            Self::Malformed(malformed) => malformed_names(malformed, family),
            Self::UnknownOperation(_) => match family {
                Family::Sqs => names("UnknownOperationException", "InvalidAction", 400),
                Family::Json => names("UnknownOperationException", "UnknownOperationException", 400),
                Family::Query => names("InvalidAction", "InvalidAction", 400),
            },
            Self::Unreadable(_) => names("SerializationException", "MalformedInput", 400),
            Self::Unavailable => names("ServiceUnavailableException", "ServiceUnavailable", 503),
            Self::Internal => match family {
                Family::Sqs => names("InternalFailure", "InternalFailure", 500),
                Family::Json => names("InternalFailureException", "InternalFailure", 500),
                Family::Query => names("InternalFailure", "InternalFailure", 500),
            },
        }
    }

    /// Text for the client.
    #[must_use]
    pub fn message(&self, family: Family) -> Cow<'_, str> {
        match self {
            Self::Signature(error) => Cow::Borrowed(error.message()),
            Self::UnknownAccessKey => Cow::Borrowed("The security token included in the request is invalid."),
            Self::ExpiredToken => Cow::Borrowed("The security token included in the request is expired"),
            Self::Denied(denial) => Cow::Borrowed(denial.message()),
            Self::Malformed(malformed) => malformed_message(malformed, family),
            Self::UnknownOperation(name) => {
                Cow::Owned(format!("The action {name} is not valid for this endpoint, or is not built yet."))
            }
            Self::Unreadable(why) => Cow::Borrowed(why),
            Self::Unavailable => {
                Cow::Borrowed("The request has failed due to a temporary failure of the server. Try again.")
            }
            Self::Internal => Cow::Borrowed(
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
        }
    }
}

fn signature_names(code: SignatureErrorCode) -> Names {
    match code {
        SignatureErrorCode::MissingAuthenticationToken => {
            names("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403)
        }
        SignatureErrorCode::IncompleteSignature => {
            names("IncompleteSignatureException", "IncompleteSignature", 400)
        }
        SignatureErrorCode::SignatureDoesNotMatch => {
            names("InvalidSignatureException", "SignatureDoesNotMatch", 403)
        }
    }
}

fn malformed_names(malformed: &Malformed, family: Family) -> Names {
    match (family, malformed) {
        (Family::Sqs, Malformed::Missing { .. }) => names("MissingParameter", "MissingParameter", 400),
        (Family::Sqs | Family::Json, _) if !matches!(malformed, Malformed::Missing { .. }) => {
            names("SerializationException", "MalformedInput", 400)
        }
        (Family::Sqs | Family::Json | Family::Query, _) => names("ValidationException", "ValidationError", 400),
    }
}

fn malformed_message(malformed: &Malformed, family: Family) -> Cow<'static, str> {
    match (family, malformed) {
        (Family::Sqs, Malformed::Missing { path }) => {
            Cow::Owned(format!("The request must contain the parameter {path}."))
        }
        (Family::Json | Family::Query, Malformed::Missing { path }) => Cow::Owned(format!(
            "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
            lower_first(path)
        )),
        (_, other) => Cow::Owned(other.to_string()),
    }
}

/// `KeyId` as validation messages write it: `keyId`.
fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}
