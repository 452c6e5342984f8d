//! The errors of KMS: one enum, one table.
//!
//! Wording follows AWS's answers where they are known; clients and tools match on some of it.

use bulla_gate::ErrorCode;
use bulla_wire::{ErrorRow, Fault};
use std::borrow::Cow;
use std::sync::Arc;

/// What KMS operations answer when they do not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KmsError {
    /// An alias of that name exists.
    AliasExists {
        /// ARN of the alias.
        alias: String,
    },
    /// There is no such alias.
    AliasNotFound {
        /// ARN of the alias.
        alias: String,
    },
    /// A ciphertext names a key that does not exist in this region, or no longer.
    CiphertextKeyUnknown,
    /// The key is disabled.
    Disabled {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// `DryRun` was set, and the call would have succeeded.
    DryRun,
    /// The import token is too old.
    ExpiredImportToken,
    /// The ciphertext was made with another key than the request names.
    IncorrectKey,
    /// Imported material that is not what the key needs.
    IncorrectKeyMaterial {
        /// What it needs.
        reason: String,
    },
    /// A defect, or the storage failed; the log says more.
    Internal,
    /// An alias that is reserved or misspelt.
    InvalidAliasName {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An ARN that is none, or not one of a key or alias.
    InvalidArn {
        /// The text.
        text: String,
    },
    /// The ciphertext does not open: it was changed, or its encryption context was another.
    InvalidCiphertext,
    /// There is no such grant on the key, or no longer.
    GrantNotFound {
        /// Id of the grant.
        id: Arc<str>,
    },
    /// A text that cannot be the id of a grant.
    InvalidGrantId {
        /// The text.
        id: String,
    },
    /// A grant token that was not made here, or whose grant has ended.
    InvalidGrantToken,
    /// An import token that was not made here, or is for another key.
    InvalidImportToken,
    /// A text that is neither a key id nor any other name of a key.
    InvalidKeyId {
        /// The text.
        text: String,
    },
    /// The key is not for the operation, or does not know the algorithm.
    InvalidKeyUsage {
        /// What the key is for.
        reason: String,
    },
    /// The message authentication code is not that of the message.
    InvalidMac,
    /// The signature is not one of the message by the key.
    InvalidSignature,
    /// A marker that no page of this operation gave.
    InvalidMarker,
    /// There is no such key, or no longer.
    KeyNotFound {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// A quota is exhausted.
    LimitExceeded {
        /// Which.
        reason: String,
    },
    /// A key policy that is not understood, or that locks its author out.
    MalformedPolicy {
        /// What is wrong with it.
        reason: String,
    },
    /// The key is not scheduled for deletion.
    NotPendingDeletion {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// An ARN of another region than the signature's.
    OtherRegion {
        /// The region that the ARN names.
        region: String,
    },
    /// The key is scheduled for deletion.
    PendingDeletion {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// The key has no material.
    PendingImport {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// The key is scheduled for deletion once its replicas are gone.
    PendingReplicaDeletion {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// The key has no policy of that name.
    PolicyNotFound,
    /// There is such a key in the region already.
    ReplicaExists {
        /// ARN of the key that is there.
        key: Arc<str>,
    },
    /// Tags that break a rule.
    Tag {
        /// Which rule.
        reason: String,
    },
    /// The key's material cannot be used: its erasure key is missing.
    Unavailable {
        /// ARN of the key.
        key: Arc<str>,
    },
    /// Something that KMS has and Bulla has not built.
    Unsupported {
        /// What.
        reason: String,
    },
    /// A member of the request that is out of its bounds.
    Validation {
        /// Which member and which bounds.
        reason: String,
    },
}

impl KmsError {
    /// Every row of the table, for comparison with the service model.
    #[must_use]
    pub fn rows() -> Vec<ErrorRow> {
        let text = String::new;
        let key = || Arc::from("");
        [
            Self::AliasExists { alias: text() },
            Self::AliasNotFound { alias: text() },
            Self::CiphertextKeyUnknown,
            Self::Disabled { key: key() },
            Self::DryRun,
            Self::ExpiredImportToken,
            Self::IncorrectKey,
            Self::IncorrectKeyMaterial { reason: text() },
            Self::Internal,
            Self::InvalidAliasName { reason: "" },
            Self::InvalidArn { text: text() },
            Self::InvalidCiphertext,
            Self::GrantNotFound { id: key() },
            Self::InvalidGrantId { id: text() },
            Self::InvalidGrantToken,
            Self::InvalidImportToken,
            Self::InvalidKeyId { text: text() },
            Self::InvalidKeyUsage { reason: text() },
            Self::InvalidMac,
            Self::InvalidSignature,
            Self::InvalidMarker,
            Self::KeyNotFound { key: key() },
            Self::LimitExceeded { reason: text() },
            Self::MalformedPolicy { reason: text() },
            Self::NotPendingDeletion { key: key() },
            Self::OtherRegion { region: text() },
            Self::PendingDeletion { key: key() },
            Self::PendingImport { key: key() },
            Self::PendingReplicaDeletion { key: key() },
            Self::PolicyNotFound,
            Self::ReplicaExists { key: key() },
            Self::Tag { reason: text() },
            Self::Unavailable { key: key() },
            Self::Unsupported { reason: text() },
            Self::Validation { reason: text() },
        ]
        .iter()
        .map(ErrorCode::row)
        .collect()
    }
}

impl ErrorCode for KmsError {
    fn row(&self) -> ErrorRow {
        match self {
            Self::AliasExists { .. } | Self::ReplicaExists { .. } => sender("AlreadyExistsException"),
            Self::AliasNotFound { .. }
            | Self::GrantNotFound { .. }
            | Self::InvalidKeyId { .. }
            | Self::KeyNotFound { .. }
            | Self::OtherRegion { .. }
            | Self::PolicyNotFound => sender("NotFoundException"),
            Self::CiphertextKeyUnknown => sender("AccessDeniedException"),
            Self::Disabled { .. } => sender("DisabledException"),
            Self::DryRun => sender("DryRunOperationException"),
            Self::ExpiredImportToken => sender("ExpiredImportTokenException"),
            Self::IncorrectKey => sender("IncorrectKeyException"),
            Self::IncorrectKeyMaterial { .. } => sender("IncorrectKeyMaterialException"),
            Self::Internal => ErrorRow {
                shape: "KMSInternalException",
                query_code: "KMSInternalException",
                status: 500,
                fault: Fault::Receiver,
            },
            Self::InvalidAliasName { .. } => sender("InvalidAliasNameException"),
            Self::InvalidArn { .. } => sender("InvalidArnException"),
            Self::InvalidCiphertext => sender("InvalidCiphertextException"),
            Self::InvalidGrantId { .. } => sender("InvalidGrantIdException"),
            Self::InvalidGrantToken => sender("InvalidGrantTokenException"),
            Self::InvalidImportToken => sender("InvalidImportTokenException"),
            Self::InvalidKeyUsage { .. } => sender("InvalidKeyUsageException"),
            Self::InvalidMac => sender("KMSInvalidMacException"),
            Self::InvalidSignature => sender("KMSInvalidSignatureException"),
            Self::InvalidMarker => sender("InvalidMarkerException"),
            Self::LimitExceeded { .. } => sender("LimitExceededException"),
            Self::MalformedPolicy { .. } => sender("MalformedPolicyDocumentException"),
            Self::NotPendingDeletion { .. }
            | Self::PendingDeletion { .. }
            | Self::PendingImport { .. }
            | Self::PendingReplicaDeletion { .. }
            | Self::Unavailable { .. } => sender("KMSInvalidStateException"),
            Self::Tag { .. } => sender("TagException"),
            Self::Unsupported { .. } => UNSUPPORTED,
            Self::Validation { .. } => sender("ValidationException"),
        }
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::AliasExists { alias } => format!("An alias with the name {alias} already exists").into(),
            Self::AliasNotFound { alias } => format!("Alias {alias} is not found.").into(),
            Self::CiphertextKeyUnknown => {
                "The ciphertext refers to a customer master key that does not exist, does \
                                           not exist in this region, or you are not allowed to access."
                    .into()
            }
            Self::Disabled { key } => format!("{key} is disabled.").into(),
            Self::DryRun => "The request would have succeeded, but the DryRun option is set.".into(),
            Self::ExpiredImportToken => "The import token has expired.".into(),
            Self::IncorrectKey => {
                "The key ID in the request does not identify a CMK that can perform this operation.".into()
            }
            Self::Internal => {
                "The request was rejected because an internal error occurred. Try again.".into()
            }
            Self::InvalidAliasName { reason } => (*reason).into(),
            Self::InvalidArn { text } => format!("Invalid arn {text}").into(),
            // A message would tell which of key, context and bytes was wrong.
            Self::InvalidCiphertext | Self::InvalidMac | Self::InvalidSignature => "".into(),
            Self::GrantNotFound { id } => format!("Grant ID {id} not found").into(),
            Self::InvalidGrantId { id } => format!("Invalid grant ID {id}").into(),
            Self::InvalidGrantToken => "Invalid grant token".into(),
            Self::InvalidImportToken => "The import token is invalid or is for another key.".into(),
            Self::InvalidKeyId { text } => format!("Invalid keyId '{text}'").into(),
            Self::InvalidMarker => "Invalid marker".into(),
            Self::KeyNotFound { key } => format!("Key '{key}' does not exist").into(),
            Self::NotPendingDeletion { key } => format!("{key} is not pending deletion.").into(),
            Self::OtherRegion { region } => format!("Invalid arn {region}").into(),
            Self::PendingDeletion { key } => format!("{key} is pending deletion.").into(),
            Self::PendingImport { key } => format!("{key} is pending import.").into(),
            Self::PendingReplicaDeletion { key } => format!("{key} is pending replica deletion.").into(),
            Self::ReplicaExists { key } => format!("{key} already exists.").into(),
            Self::Unavailable { key } => format!("{key} is unavailable.").into(),
            Self::PolicyNotFound => "No such policy exists".into(),
            Self::IncorrectKeyMaterial { reason }
            | Self::InvalidKeyUsage { reason }
            | Self::LimitExceeded { reason }
            | Self::MalformedPolicy { reason }
            | Self::Tag { reason }
            | Self::Unsupported { reason }
            | Self::Validation { reason } => reason.into(),
        }
    }
}

/// How KMS says that an operation is not built.
pub(super) const UNSUPPORTED: ErrorRow = sender("UnsupportedOperationException");

/// KMS answers 400 to whatever is the client's fault.
const fn sender(shape: &'static str) -> ErrorRow {
    ErrorRow {
        shape,
        query_code: shape,
        status: 400,
        fault: Fault::Sender,
    }
}
