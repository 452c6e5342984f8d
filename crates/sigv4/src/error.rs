//! Why a signature is refused, in AWS's codes and wording.

use std::fmt;

/// The code of a refused signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureErrorCode {
    /// The signature material is there but not whole, or not well-formed.
    IncompleteSignature,
    /// There is no signature material at all.
    MissingAuthenticationToken,
    /// The signature, its date or its scope is wrong.
    SignatureDoesNotMatch,
}

impl SignatureErrorCode {
    /// The code in the Query and REST-XML protocols.
    ///
    /// Source: IAM API Reference, "Common Errors"; IAM User Guide, "Troubleshoot Signature Version 4 signing".
    #[must_use]
    pub const fn query_code(self) -> &'static str {
        match self {
            Self::IncompleteSignature => "IncompleteSignature",
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
        }
    }

    /// The code in the JSON protocols.
    #[must_use]
    pub const fn json_code(self) -> &'static str {
        match self {
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::SignatureDoesNotMatch => "InvalidSignatureException",
        }
    }

    /// The HTTP status in the Query and REST-XML protocols.
    #[must_use]
    pub const fn query_status(self) -> u16 {
        match self {
            Self::IncompleteSignature => 400,
            Self::MissingAuthenticationToken | Self::SignatureDoesNotMatch => 403,
        }
    }

    /// The HTTP status in the JSON protocols.
    #[must_use]
    pub const fn json_status(self) -> u16 {
        match self {
            Self::IncompleteSignature | Self::MissingAuthenticationToken | Self::SignatureDoesNotMatch => 400,
        }
    }
}

/// A refused signature: AWS's code and a message that says what is wrong with the request.
///
/// The message repeats parts of the request (the credential, and on a mismatch the canonical request), never a secret
/// or a signature that would have been right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureError {
    code: SignatureErrorCode,
    message: String,
}

impl SignatureError {
    pub(crate) fn incomplete(message: impl Into<String>) -> Self {
        Self {
            code: SignatureErrorCode::IncompleteSignature,
            message: message.into(),
        }
    }

    pub(crate) fn mismatch(message: impl Into<String>) -> Self {
        Self {
            code: SignatureErrorCode::SignatureDoesNotMatch,
            message: message.into(),
        }
    }

    pub(crate) fn missing() -> Self {
        Self {
            code: SignatureErrorCode::MissingAuthenticationToken,
            message: "Request is missing Authentication Token".to_owned(),
        }
    }

    /// Which error it is.
    #[must_use]
    pub fn code(&self) -> SignatureErrorCode {
        self.code
    }

    /// The message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.query_code(), self.message)
    }
}

impl std::error::Error for SignatureError {}
