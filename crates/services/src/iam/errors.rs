//! The errors of IAM: one enum, one table.
//!
//! Wording follows AWS's answers where they are known; tools match on some of it.

use bulla_gate::ErrorCode;
use bulla_wire::{ErrorRow, Fault};
use std::borrow::Cow;

/// What IAM operations answer when they do not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IamError {
    /// The user or the account has no such access key.
    AccessKeyNotFound {
        /// Its id.
        id: String,
    },
    /// Another account has the alias.
    AliasAlreadyExists {
        /// The alias.
        alias: String,
    },
    /// Another call changed the same user meanwhile.
    ConcurrentModification,
    /// What is to be deleted still holds something.
    DeleteConflict {
        /// What must go first.
        reason: &'static str,
    },
    /// A user or role of that name exists.
    EntityAlreadyExists {
        /// `User` or `Role`.
        noun: &'static str,
        /// Its name.
        name: String,
    },
    /// A defect, or the storage failed; the log says more.
    Internal,
    /// A value that breaks a rule which is not about its form.
    InvalidInput {
        /// Which rule.
        reason: String,
    },
    /// A quota is exhausted.
    LimitExceeded {
        /// Which.
        reason: String,
    },
    /// A policy that is not understood, or names a principal that does not exist.
    MalformedPolicyDocument {
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such user, group or role, or it has no such policy.
    NoSuchEntity {
        /// `user`, `role`, `user policy`, `role policy` and the like.
        noun: &'static str,
        /// Its name.
        name: String,
    },
    /// Something else that there is none of.
    NotFound {
        /// What.
        reason: String,
    },
    /// A managed policy of that name exists.
    PolicyAlreadyExists {
        /// Its name.
        name: String,
    },
    /// AWS's own managed policies are not changed by anybody else.
    NotYours {
        /// Which.
        arn: String,
    },
    /// A managed policy that is for other roles.
    PolicyNotAttachable {
        /// Why.
        reason: &'static str,
    },
    /// A service-linked role, which only its service changes.
    Unmodifiable {
        /// Its name.
        role: String,
    },
    /// A member of the request that is out of its bounds.
    Validation {
        /// Which member and which bounds.
        reason: String,
    },
}

impl IamError {
    /// Every row of the table that the service model has too, for comparison with it.
    #[must_use]
    pub fn rows() -> Vec<ErrorRow> {
        [
            Self::ConcurrentModification,
            Self::DeleteConflict { reason: "" },
            Self::EntityAlreadyExists {
                noun: "",
                name: String::new(),
            },
            Self::Internal,
            Self::InvalidInput {
                reason: String::new(),
            },
            Self::LimitExceeded {
                reason: String::new(),
            },
            Self::MalformedPolicyDocument {
                reason: String::new(),
            },
            Self::NoSuchEntity {
                noun: "",
                name: String::new(),
            },
            Self::PolicyNotAttachable { reason: "" },
            Self::Unmodifiable { role: String::new() },
        ]
        .iter()
        .map(ErrorCode::row)
        .collect()
    }
}

impl ErrorCode for IamError {
    fn row(&self) -> ErrorRow {
        match self {
            Self::AccessKeyNotFound { .. } | Self::NoSuchEntity { .. } | Self::NotFound { .. } => {
                sender("NoSuchEntityException", "NoSuchEntity", 404)
            }
            Self::ConcurrentModification => {
                sender("ConcurrentModificationException", "ConcurrentModification", 409)
            }
            Self::DeleteConflict { .. } => sender("DeleteConflictException", "DeleteConflict", 409),
            Self::AliasAlreadyExists { .. }
            | Self::EntityAlreadyExists { .. }
            | Self::PolicyAlreadyExists { .. } => {
                sender("EntityAlreadyExistsException", "EntityAlreadyExists", 409)
            }
            Self::Internal => ErrorRow {
                shape: "ServiceFailureException",
                query_code: "ServiceFailure",
                status: 500,
                fault: Fault::Receiver,
            },
            Self::InvalidInput { .. } => sender("InvalidInputException", "InvalidInput", 400),
            Self::LimitExceeded { .. } => sender("LimitExceededException", "LimitExceeded", 409),
            Self::MalformedPolicyDocument { .. } => {
                sender("MalformedPolicyDocumentException", "MalformedPolicyDocument", 400)
            }
            Self::NotYours { .. } => sender("AccessDenied", "AccessDenied", 403),
            Self::PolicyNotAttachable { .. } => {
                sender("PolicyNotAttachableException", "PolicyNotAttachable", 400)
            }
            Self::Unmodifiable { .. } => sender("UnmodifiableEntityException", "UnmodifiableEntity", 400),
            Self::Validation { .. } => sender("ValidationError", "ValidationError", 400),
        }
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::AccessKeyNotFound { id } => format!("The Access Key with id {id} cannot be found.").into(),
            Self::ConcurrentModification => {
                "The request was rejected because multiple requests to change this object were submitted at once."
                    .into()
            }
            Self::DeleteConflict { reason } | Self::PolicyNotAttachable { reason } => (*reason).into(),
            Self::EntityAlreadyExists { noun, name } => {
                format!("{noun} with name {name} already exists.").into()
            }
            Self::Internal => {
                "The request processing has failed because of an unknown error. Try again.".into()
            }
            Self::NoSuchEntity { noun, name } => {
                format!("The {noun} with name {name} cannot be found.").into()
            }
            Self::AliasAlreadyExists { alias } => format!("The account alias {alias} already exists.").into(),
            Self::PolicyAlreadyExists { name } => {
                format!("A policy called {name} already exists. Duplicate names are not allowed.").into()
            }
            Self::NotYours { arn } => format!("{arn} belongs to AWS and cannot be changed.").into(),
            Self::Unmodifiable { role } => format!(
                "Cannot perform the operation on the protected role '{role}' - this role is only modifiable by AWS"
            )
            .into(),
            Self::InvalidInput { reason }
            | Self::LimitExceeded { reason }
            | Self::MalformedPolicyDocument { reason }
            | Self::NotFound { reason }
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
