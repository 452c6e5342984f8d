//! Errors as clients see them.

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request cannot succeed as it is.
    Sender,
    /// The service failed; trying again may help.
    Receiver,
}

impl Fault {
    /// `Sender` or `Receiver`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }
}

/// One row of a service's error table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorRow {
    /// Name of the error in the model, `QueueDoesNotExist`: JSON's `__type`. The service's namespace is put before
    /// it; a name that brings its own (`com.amazon.coral.service#InternalFailure`) keeps it.
    pub shape: &'static str,
    /// Code in Query: `AWS.SimpleQueueService.NonExistentQueue`.
    pub query_code: &'static str,
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// Whose fault.
    pub fault: Fault,
}

impl ErrorRow {
    /// An error of the sender with the same name everywhere.
    #[must_use]
    pub const fn sender(name: &'static str, status: u16) -> Self {
        Self {
            shape: name,
            query_code: name,
            status,
            fault: Fault::Sender,
        }
    }

    /// The name without a namespace.
    #[must_use]
    pub fn bare_shape(&self) -> &'static str {
        self.shape.rsplit_once('#').map_or(self.shape, |(_, name)| name)
    }
}

/// Errors that every service has (AWS: "Common Errors" of each API reference).
pub mod common {
    use super::{ErrorRow, Fault};

    /// A body or a value that cannot be decoded.
    pub const SERIALIZATION: ErrorRow = ErrorRow {
        shape: "com.amazon.coral.service#SerializationException",
        query_code: "MalformedInput",
        status: 400,
        fault: Fault::Sender,
    };
    /// A query string with broken escapes.
    pub const MALFORMED_QUERY_STRING: ErrorRow = ErrorRow::sender("MalformedQueryString", 404);
    /// A required parameter is absent, said as SQS says it.
    pub const MISSING_PARAMETER: ErrorRow = ErrorRow {
        shape: "com.amazon.coral.service#MissingRequiredParameterException",
        query_code: "MissingParameter",
        status: 400,
        fault: Fault::Sender,
    };
    /// A constraint of the model does not hold.
    pub const VALIDATION: ErrorRow = ErrorRow {
        shape: "com.amazon.coral.validate#ValidationException",
        query_code: "ValidationError",
        status: 400,
        fault: Fault::Sender,
    };
    /// An operation that does not exist or is not built.
    pub const UNKNOWN_OPERATION: ErrorRow = ErrorRow {
        shape: "com.amazon.coral.service#UnknownOperationException",
        query_code: "InvalidAction",
        status: 400,
        fault: Fault::Sender,
    };
    /// An operation of AWS's that is known and not built, said by services whose model has no error for that.
    pub const NOT_BUILT: ErrorRow = ErrorRow {
        shape: "UnsupportedOperationException",
        query_code: "UnsupportedOperation",
        status: 400,
        fault: Fault::Sender,
    };
    /// No operation is named.
    pub const MISSING_ACTION: ErrorRow = ErrorRow {
        shape: "com.amazon.coral.service#UnknownOperationException",
        query_code: "MissingAction",
        status: 400,
        fault: Fault::Sender,
    };
    /// A version of an API that is not served.
    pub const NO_SUCH_VERSION: ErrorRow = ErrorRow::sender("NoSuchVersion", 400);
    /// A protocol that is not spoken, such as CBOR.
    pub const UNSUPPORTED_PROTOCOL: ErrorRow = ErrorRow::sender("UnsupportedMediaTypeException", 415);
    /// A method other than `POST` or `GET`.
    pub const METHOD_NOT_ALLOWED: ErrorRow = ErrorRow::sender("MethodNotAllowed", 405);
}
