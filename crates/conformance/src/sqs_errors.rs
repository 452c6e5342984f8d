//! Codes and statuses of SQS errors in the Query protocol, which the JSON model no longer carries.
//!
//! Source: the `error` traits of the SQS model in botocore 1.29.165 and the errors of the SQS API Reference; the status of
//! `ReceiptHandleIsInvalid` is that of recorded answers.

/// Shape, code, status.
pub(crate) const SQS_ERRORS: &[(&str, &str, u16)] = &[
    (
        "BatchEntryIdsNotDistinct",
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        400,
    ),
    (
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.BatchRequestTooLong",
        400,
    ),
    (
        "EmptyBatchRequest",
        "AWS.SimpleQueueService.EmptyBatchRequest",
        400,
    ),
    ("InvalidAttributeName", "InvalidAttributeName", 400),
    ("InvalidAttributeValue", "InvalidAttributeValue", 400),
    (
        "InvalidBatchEntryId",
        "AWS.SimpleQueueService.InvalidBatchEntryId",
        400,
    ),
    ("InvalidMessageContents", "InvalidMessageContents", 400),
    ("KmsAccessDenied", "KMS.AccessDeniedException", 400),
    ("KmsDisabled", "KMS.DisabledException", 400),
    ("KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException", 400),
    ("KmsInvalidState", "KMS.InvalidStateException", 400),
    ("KmsNotFound", "KMS.NotFoundException", 400),
    ("KmsOptInRequired", "KMS.OptInRequired", 403),
    ("KmsThrottled", "KMS.ThrottlingException", 400),
    (
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        400,
    ),
    ("OverLimit", "OverLimit", 403),
    (
        "PurgeQueueInProgress",
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        403,
    ),
    (
        "QueueDeletedRecently",
        "AWS.SimpleQueueService.QueueDeletedRecently",
        400,
    ),
    (
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        400,
    ),
    ("QueueNameExists", "QueueAlreadyExists", 400),
    ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404),
    ("RequestThrottled", "RequestThrottled", 403),
    ("ResourceNotFoundException", "ResourceNotFoundException", 404),
    (
        "TooManyEntriesInBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        400,
    ),
    (
        "UnsupportedOperation",
        "AWS.SimpleQueueService.UnsupportedOperation",
        400,
    ),
];
