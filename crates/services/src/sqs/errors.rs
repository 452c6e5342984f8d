//! The error table of SQS: shape in JSON, code in Query, status, whose fault.
//!
//! Source: SQS API Reference, errors of each operation, and the `awsQueryError` codes of the service model
//! (read 2026-11-21).

use crate::kms::KmsError;
use bulla_gate::{ErrorCode, Refusal};
use bulla_wire::{ErrorRow, Fault, Protocol};
use std::borrow::Cow;

/// What can go wrong in SQS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqsError {
    /// Two entries of a batch have the same id.
    BatchEntryIdsNotDistinct(String),
    /// The messages of a batch are larger together than one message may be.
    BatchRequestTooLong(usize),
    /// A batch without entries.
    EmptyBatchRequest(&'static str),
    /// An attribute that only FIFO queues have.
    FifoAttribute(String),
    /// A failing disk or a defect.
    Internal,
    /// A queue URL that is none.
    InvalidAddress(String),
    /// An unknown queue attribute.
    InvalidAttributeName(String),
    /// A queue attribute with a value it cannot have.
    InvalidAttributeValue(String),
    /// The id of a batch entry has the wrong form.
    InvalidBatchEntryId,
    /// A body with characters that are not allowed.
    InvalidMessageContents,
    /// A parameter with a value it cannot have.
    InvalidParameterValue(String),
    /// The principal may not use the queue's key.
    KmsAccessDenied(String),
    /// The queue's key is disabled.
    KmsDisabled(String),
    /// The queue's key is not for encryption.
    KmsInvalidKeyUsage(String),
    /// The queue's key cannot be used in its state.
    KmsInvalidState(String),
    /// The queue's key does not exist.
    KmsNotFound(String),
    /// KMS is overloaded.
    KmsThrottled(String),
    /// A required parameter is missing.
    MissingParameter(&'static str),
    /// Too many messages are in flight.
    OverLimit(String),
    /// The queue was purged less than a minute ago.
    PurgeQueueInProgress(String),
    /// A queue of that name was deleted less than a minute ago.
    QueueDeletedRecently,
    /// There is no such queue.
    QueueDoesNotExist,
    /// There is a queue of that name with other attributes; the text names the first that differs.
    QueueNameExists(String),
    /// Not a receipt handle.
    ReceiptHandleIsInvalid(String),
    /// More is asked at once than can be done.
    RequestThrottled,
    /// A queue that an ARN names, or a message move task, that is not there.
    ResourceNotFound(String),
    /// More entries than a batch may have.
    TooManyEntriesInBatchRequest(usize),
    /// Not built, or not possible for this queue.
    UnsupportedOperation(String),
}

const fn row(shape: &'static str, query_code: &'static str) -> ErrorRow {
    ErrorRow {
        shape,
        query_code,
        status: 400,
        fault: Fault::Sender,
    }
}

const fn not_found(name: &'static str) -> ErrorRow {
    ErrorRow {
        status: 404,
        ..row(name, name)
    }
}

const fn forbidden(name: &'static str) -> ErrorRow {
    ErrorRow {
        status: 403,
        ..row(name, name)
    }
}

impl SqsError {
    /// Every row of the table, for comparison with the service model.
    #[must_use]
    pub fn rows() -> Vec<ErrorRow> {
        let text = String::new;
        [
            Self::BatchEntryIdsNotDistinct(text()),
            Self::BatchRequestTooLong(0),
            Self::EmptyBatchRequest(""),
            Self::FifoAttribute(text()),
            Self::InvalidAddress(text()),
            Self::InvalidAttributeName(text()),
            Self::InvalidAttributeValue(text()),
            Self::InvalidBatchEntryId,
            Self::InvalidMessageContents,
            Self::KmsAccessDenied(text()),
            Self::KmsDisabled(text()),
            Self::KmsInvalidKeyUsage(text()),
            Self::KmsInvalidState(text()),
            Self::KmsNotFound(text()),
            Self::KmsThrottled(text()),
            Self::OverLimit(text()),
            Self::PurgeQueueInProgress(text()),
            Self::QueueDeletedRecently,
            Self::QueueDoesNotExist,
            Self::QueueNameExists(text()),
            Self::ReceiptHandleIsInvalid(text()),
            Self::RequestThrottled,
            Self::ResourceNotFound(text()),
            Self::TooManyEntriesInBatchRequest(0),
            Self::UnsupportedOperation(text()),
        ]
        .iter()
        .map(ErrorCode::row)
        .collect()
    }

    /// What a refusal by KMS means for whoever sends or receives.
    pub(crate) fn from_kms(refusal: Refusal<KmsError>) -> Self {
        match refusal {
            Refusal::Denied(denial) => Self::KmsAccessDenied(format!(
                "{} (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)",
                denial.message()
            )),
            Refusal::Internal => Self::Internal,
            Refusal::Operation(error) => {
                let row = error.row();
                let text = format!(
                    "{} (Service: AWSKMS; Status Code: {}; Error Code: {})",
                    error.message(),
                    row.status,
                    row.shape
                );
                match row.shape {
                    "DisabledException" => Self::KmsDisabled(text),
                    "InvalidKeyUsageException" => Self::KmsInvalidKeyUsage(text),
                    "KMSInvalidStateException" => Self::KmsInvalidState(text),
                    "NotFoundException" | "InvalidArnException" => Self::KmsNotFound(text),
                    "LimitExceededException" => Self::KmsThrottled(text),
                    _ if row.status >= 500 => Self::Internal,
                    _ => Self::KmsAccessDenied(text),
                }
            }
        }
    }
}

impl ErrorCode for SqsError {
    fn row(&self) -> ErrorRow {
        match self {
            Self::BatchEntryIdsNotDistinct(_) => row(
                "BatchEntryIdsNotDistinct",
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            ),
            Self::BatchRequestTooLong(_) => row(
                "BatchRequestTooLong",
                "AWS.SimpleQueueService.BatchRequestTooLong",
            ),
            Self::EmptyBatchRequest(_) => {
                row("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest")
            }
            Self::Internal => ErrorRow {
                shape: "InternalFailure",
                query_code: "InternalFailure",
                status: 500,
                fault: Fault::Receiver,
            },
            Self::InvalidAddress(_) => not_found("InvalidAddress"),
            Self::FifoAttribute(_) | Self::InvalidAttributeName(_) => {
                row("InvalidAttributeName", "InvalidAttributeName")
            }
            Self::InvalidAttributeValue(_) => row("InvalidAttributeValue", "InvalidAttributeValue"),
            Self::InvalidBatchEntryId => row(
                "InvalidBatchEntryId",
                "AWS.SimpleQueueService.InvalidBatchEntryId",
            ),
            Self::InvalidMessageContents => row("InvalidMessageContents", "InvalidMessageContents"),
            Self::InvalidParameterValue(_) => row("InvalidParameterValueException", "InvalidParameterValue"),
            Self::KmsAccessDenied(_) => row("KmsAccessDenied", "KMS.AccessDeniedException"),
            Self::KmsDisabled(_) => row("KmsDisabled", "KMS.DisabledException"),
            Self::KmsInvalidKeyUsage(_) => row("KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException"),
            Self::KmsInvalidState(_) => row("KmsInvalidState", "KMS.InvalidStateException"),
            Self::KmsNotFound(_) => row("KmsNotFound", "KMS.NotFoundException"),
            Self::KmsThrottled(_) => row("KmsThrottled", "KMS.ThrottlingException"),
            Self::MissingParameter(_) => row("MissingRequiredParameterException", "MissingParameter"),
            Self::OverLimit(_) => forbidden("OverLimit"),
            Self::PurgeQueueInProgress(_) => ErrorRow {
                status: 403,
                ..row(
                    "PurgeQueueInProgress",
                    "AWS.SimpleQueueService.PurgeQueueInProgress",
                )
            },
            Self::QueueDeletedRecently => row(
                "QueueDeletedRecently",
                "AWS.SimpleQueueService.QueueDeletedRecently",
            ),
            Self::QueueDoesNotExist => row("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::QueueNameExists(_) => row("QueueNameExists", "QueueAlreadyExists"),
            Self::ReceiptHandleIsInvalid(_) => not_found("ReceiptHandleIsInvalid"),
            Self::RequestThrottled => forbidden("RequestThrottled"),
            Self::ResourceNotFound(_) => not_found("ResourceNotFoundException"),
            Self::TooManyEntriesInBatchRequest(_) => row(
                "TooManyEntriesInBatchRequest",
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            ),
            Self::UnsupportedOperation(_) => row(
                "UnsupportedOperation",
                "AWS.SimpleQueueService.UnsupportedOperation",
            ),
        }
    }

    fn message_in(&self, protocol: Protocol) -> Cow<'_, str> {
        if *self == Self::QueueDoesNotExist && protocol == Protocol::AwsQuery {
            return Cow::Borrowed("The specified queue does not exist for this wsdl version.");
        }
        self.message()
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::BatchEntryIdsNotDistinct(id) => Cow::Owned(format!("Id {id} repeated.")),
            Self::BatchRequestTooLong(bytes) => Cow::Owned(format!(
                "Batch requests cannot be longer than {} bytes. You have sent {bytes} bytes.",
                super::limits::MESSAGE_BYTES_MAX
            )),
            Self::EmptyBatchRequest(entry) => {
                Cow::Owned(format!("There should be at least one {entry} in the request."))
            }
            Self::Internal => Cow::Borrowed(
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
            Self::InvalidAddress(url) => {
                Cow::Owned(format!("The address {url} is not valid for this endpoint."))
            }
            Self::FifoAttribute(name) => Cow::Owned(format!(
                "You can specify the {name} only when FifoQueue is set to true."
            )),
            Self::InvalidAttributeName(name) => Cow::Owned(format!("Unknown Attribute {name}.")),
            Self::InvalidBatchEntryId => Cow::Borrowed(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                 80 letters long.",
            ),
            Self::InvalidMessageContents => Cow::Borrowed(
                "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
            ),
            Self::MissingParameter(name) => {
                Cow::Owned(format!("The request must contain the parameter {name}."))
            }
            Self::PurgeQueueInProgress(name) => Cow::Owned(format!(
                "Only one PurgeQueue operation on {name} is allowed every 60 seconds."
            )),
            Self::QueueDeletedRecently => Cow::Borrowed(
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            ),
            Self::QueueDoesNotExist => Cow::Borrowed("The specified queue does not exist."),
            Self::QueueNameExists(attribute) => Cow::Owned(format!(
                "A queue already exists with the same name and a different value for attribute {attribute}"
            )),
            Self::ReceiptHandleIsInvalid(handle) => Cow::Owned(format!(
                "The input receipt handle \"{handle}\" is not a valid receipt handle."
            )),
            Self::RequestThrottled => Cow::Borrowed("The request was denied due to request throttling."),
            Self::TooManyEntriesInBatchRequest(count) => Cow::Owned(format!(
                "Maximum number of entries per request are 10. You have sent {count}."
            )),
            Self::InvalidAttributeValue(text)
            | Self::InvalidParameterValue(text)
            | Self::KmsAccessDenied(text)
            | Self::KmsDisabled(text)
            | Self::KmsInvalidKeyUsage(text)
            | Self::KmsInvalidState(text)
            | Self::KmsNotFound(text)
            | Self::KmsThrottled(text)
            | Self::OverLimit(text)
            | Self::ResourceNotFound(text)
            | Self::UnsupportedOperation(text) => Cow::Borrowed(text),
        }
    }
}
