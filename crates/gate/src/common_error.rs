//! Errors that every service has in common, and how each family of services words them.
//!
//! Source: "Common Errors" in the API references of SQS, KMS, IAM, STS and Organizations (read 2026-11-21). Services
//! that speak JSON name the same failure differently from those that speak Query; SQS answers with both names.

use crate::authorize::Denial;
use crate::operation::Family;
use crate::ports::EndpointFacts;
use bulla_sigv4::{SignatureError, SignatureErrorCode};
use bulla_types::VpcEndpointId;
use bulla_wire::{ErrorRow, Fault};
use std::borrow::Cow;
use std::sync::Arc;

/// A failure that does not belong to one operation.
#[derive(Debug)]
pub enum CommonError {
    /// The signature is absent, incomplete or wrong.
    Signature(SignatureError),
    /// The access key is unknown.
    UnknownAccessKey,
    /// The session token has expired.
    ExpiredToken,
    /// The service does not take credentials of this kind for the operation, whatever policies say.
    Barred {
        /// What the client is told.
        message: String,
    },
    /// The policies do not allow it.
    Denied(Box<Denial>),
    /// The VPC endpoint by which the request came leads to another service or region.
    OtherEndpoint {
        /// What it leads to.
        leads_to: Arc<EndpointFacts>,
    },
    /// The VPC endpoint by which the request came was deleted.
    DeletedEndpoint {
        /// Its id.
        id: VpcEndpointId,
    },
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
        let fault = if status >= 500 {
            Fault::Receiver
        } else {
            Fault::Sender
        };
        let (shape, status) = match family {
            Family::Sqs => (json, status),
            Family::Json => (json, if status >= 500 { status } else { 400 }),
            Family::Query | Family::Ec2 => (query, status),
        };
        ErrorRow {
            shape,
            query_code: query,
            status,
            fault,
        }
    }

    fn names(&self, family: Family) -> Names {
        match self {
            // EC2 API Reference, "Error codes": one code for all that is wrong with credentials.
            Self::Signature(_) | Self::UnknownAccessKey if family == Family::Ec2 => {
                names("AuthFailure", "AuthFailure", 401)
            }
            Self::Signature(error) => signature_names(error.code()),
            Self::UnknownAccessKey => names("UnrecognizedClientException", "InvalidClientTokenId", 403),
            Self::ExpiredToken => names("ExpiredTokenException", "ExpiredToken", 403),
            Self::Denied(_) if family == Family::Ec2 => {
                names("UnauthorizedOperation", "UnauthorizedOperation", 403)
            }
            Self::Barred { .. }
            | Self::Denied(_)
            | Self::OtherEndpoint { .. }
            | Self::DeletedEndpoint { .. } => names("AccessDeniedException", "AccessDenied", 403),
            Self::Internal => match family {
                Family::Json => names("InternalFailureException", "InternalFailure", 500),
                Family::Sqs | Family::Query | Family::Ec2 => names("InternalFailure", "InternalFailure", 500),
            },
        }
    }

    /// Text for the client.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Signature(error) => Cow::Borrowed(error.message()),
            Self::UnknownAccessKey => Cow::Borrowed("The security token included in the request is invalid."),
            Self::ExpiredToken => Cow::Borrowed("The security token included in the request is expired"),
            Self::Barred { message } => Cow::Borrowed(message),
            Self::Denied(denial) => Cow::Borrowed(denial.message()),
            Self::OtherEndpoint { leads_to } => Cow::Owned(format!(
                "The VPC endpoint {} leads to {} in {} and to nothing else.",
                leads_to.id, leads_to.service, leads_to.region
            )),
            Self::DeletedEndpoint { id } => {
                Cow::Owned(format!("The VPC endpoint {id} does not exist any more."))
            }
            Self::Internal => Cow::Borrowed(
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
        }
    }
}

fn signature_names(code: SignatureErrorCode) -> Names {
    match code {
        SignatureErrorCode::MissingAuthenticationToken => names(
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            403,
        ),
        SignatureErrorCode::IncompleteSignature => {
            names("IncompleteSignatureException", "IncompleteSignature", 400)
        }
        SignatureErrorCode::SignatureDoesNotMatch => {
            names("InvalidSignatureException", "SignatureDoesNotMatch", 403)
        }
    }
}
