//! The errors of STS: one enum, one table.

use bulla_gate::ErrorCode;
use bulla_wire::{ErrorRow, Fault};
use std::borrow::Cow;

/// What STS operations answer when they do not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StsError {
    /// A defect; the log says more.
    Internal,
    /// The message names no denial that this account may know the reasons of.
    InvalidAuthorizationMessage,
    /// A session policy that is not understood.
    MalformedPolicyDocument {
        /// What is wrong with it.
        reason: String,
    },
    /// Session policy and tags are too large together.
    PackedPolicyTooLarge {
        /// What is too large.
        reason: String,
    },
    /// The caller is a root user, or the role went away meanwhile.
    RefusedRole {
        /// Why.
        reason: &'static str,
    },
    /// The caller's credentials are those of a session.
    RefusedSession,
    /// What the caller's own session passes on is not at hand; asking again helps.
    SessionNotAtHand,
    /// A member of the request that is out of its bounds, or something that is not built.
    Validation {
        /// Which member and which bounds.
        reason: String,
    },
}

impl StsError {
    /// Every row of the table that the service model has too, for comparison with it.
    #[must_use]
    pub fn rows() -> Vec<ErrorRow> {
        [
            Self::InvalidAuthorizationMessage,
            Self::MalformedPolicyDocument {
                reason: String::new(),
            },
            Self::PackedPolicyTooLarge {
                reason: String::new(),
            },
        ]
        .iter()
        .map(ErrorCode::row)
        .collect()
    }
}

impl ErrorCode for StsError {
    fn row(&self) -> ErrorRow {
        match self {
            Self::Internal => receiver("InternalFailure", 500),
            Self::InvalidAuthorizationMessage => sender(
                "InvalidAuthorizationMessageException",
                "InvalidAuthorizationMessageException",
                400,
            ),
            Self::MalformedPolicyDocument { .. } => {
                sender("MalformedPolicyDocumentException", "MalformedPolicyDocument", 400)
            }
            Self::PackedPolicyTooLarge { .. } => {
                sender("PackedPolicyTooLargeException", "PackedPolicyTooLarge", 400)
            }
            Self::RefusedRole { .. } | Self::RefusedSession => sender("AccessDenied", "AccessDenied", 403),
            Self::SessionNotAtHand => receiver("ServiceUnavailable", 503),
            Self::Validation { .. } => sender("ValidationError", "ValidationError", 400),
        }
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Internal => {
                "The request processing has failed because of an unknown error. Try again.".into()
            }
            Self::SessionNotAtHand => {
                "The request has failed due to a temporary failure of the server. Try again.".into()
            }
            Self::InvalidAuthorizationMessage => {
                "The authorization message is not valid: it names no denied call of this account, or one too long ago.".into()
            }
            Self::RefusedRole { reason } => (*reason).into(),
            Self::RefusedSession => "Cannot make a session with session credentials".into(),
            Self::MalformedPolicyDocument { reason }
            | Self::PackedPolicyTooLarge { reason }
            | Self::Validation { reason } => reason.into(),
        }
    }
}

const fn sender(shape: &'static str, query_code: &'static str, status: u16) -> ErrorRow {
    ErrorRow {
        shape,
        query_code,
        status,
        fault: Fault::Sender,
    }
}

const fn receiver(name: &'static str, status: u16) -> ErrorRow {
    ErrorRow {
        shape: name,
        query_code: name,
        status,
        fault: Fault::Receiver,
    }
}
