//! The errors of EC2: one enum, one table.
//!
//! Source: EC2 API Reference, "Error codes for the Amazon EC2 API" (read 2026-11-21).

use bulla_gate::ErrorCode;
use bulla_wire::{ErrorRow, Fault};
use std::borrow::Cow;

/// What EC2 operations answer when they do not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ec2Error {
    /// It was allowed, and only asked whether it is.
    DryRun,
    /// The client token was used for another request.
    IdempotentParameterMismatch,
    /// Every port of a subnet is taken.
    InsufficientFreeAddresses {
        /// The subnet.
        subnet: String,
    },
    /// A defect or a failing disk; the log says more.
    Internal,
    /// Members that do not go together or are out of bounds.
    InvalidParameter {
        /// Which and why.
        reason: String,
    },
    /// The policy is not understood.
    InvalidPolicyDocument {
        /// What is wrong with it.
        reason: String,
    },
    /// No endpoint can lead to that service.
    InvalidServiceName {
        /// As it was asked for.
        service: String,
    },
    /// An address cannot be listened on.
    Listen {
        /// Which and why.
        reason: String,
    },
    /// As many endpoints as may be are in the VPC.
    LimitExceeded {
        /// How many may be.
        max: usize,
    },
    /// There is no such subnet in the VPC.
    SubnetNotFound {
        /// As it was asked for.
        subnet: String,
    },
    /// It is not built.
    Unsupported {
        /// What, and what to do instead.
        reason: String,
    },
    /// The type of endpoint does not exist.
    InvalidVpcEndpointType {
        /// As it was asked for.
        text: String,
    },
    /// An id does not have the form of its kind.
    Malformed {
        /// The code, which names the kind.
        code: &'static str,
        /// As it was written.
        id: String,
    },
    /// A member that must be there is not.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// There is no such endpoint to delete: in batches it has a code of its own.
    NoneToDelete {
        /// As it was asked for.
        id: String,
    },
    /// There is no such endpoint.
    VpcEndpointNotFound {
        /// As it was asked for.
        id: String,
    },
    /// There is no such VPC.
    VpcNotFound {
        /// As it was asked for.
        id: String,
    },
}

impl Ec2Error {
    /// Every row of the table that the service model has too: it names none.
    #[must_use]
    pub fn rows() -> Vec<ErrorRow> {
        Vec::new()
    }

    /// The code, as batches answer it.
    pub(super) fn code(&self) -> &'static str {
        self.row().query_code
    }
}

impl ErrorCode for Ec2Error {
    fn row(&self) -> ErrorRow {
        match self {
            Self::DryRun => ErrorRow::sender("DryRunOperation", 412),
            Self::IdempotentParameterMismatch => ErrorRow::sender("IdempotentParameterMismatch", 400),
            Self::InsufficientFreeAddresses { .. } => {
                ErrorRow::sender("InsufficientFreeAddressesInSubnet", 400)
            }
            Self::Internal => receiver("InternalError", 500),
            Self::InvalidParameter { .. } => ErrorRow::sender("InvalidParameterValue", 400),
            Self::InvalidPolicyDocument { .. } => ErrorRow::sender("InvalidPolicyDocument", 400),
            Self::InvalidServiceName { .. } => ErrorRow::sender("InvalidServiceName", 400),
            Self::Listen { .. } => receiver("Unavailable", 503),
            Self::InvalidVpcEndpointType { .. } => ErrorRow::sender("InvalidVpcEndpointType", 400),
            Self::Malformed { code, .. } => ErrorRow::sender(code, 400),
            Self::Missing { .. } => ErrorRow::sender("MissingParameter", 400),
            Self::NoneToDelete { .. } => ErrorRow::sender("InvalidVpcEndpoint.NotFound", 400),
            Self::LimitExceeded { .. } => ErrorRow::sender("VpcEndpointLimitExceeded", 400),
            Self::SubnetNotFound { .. } => ErrorRow::sender("InvalidSubnetID.NotFound", 400),
            Self::Unsupported { .. } => ErrorRow::sender("UnsupportedOperation", 400),
            Self::VpcEndpointNotFound { .. } => ErrorRow::sender("InvalidVpcEndpointId.NotFound", 400),
            Self::VpcNotFound { .. } => ErrorRow::sender("InvalidVpcID.NotFound", 400),
        }
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::DryRun => "Request would have succeeded, but DryRun flag is set.".into(),
            Self::IdempotentParameterMismatch => {
                "The client token was used before, in a request with other parameters.".into()
            }
            Self::InsufficientFreeAddresses { subnet } => {
                format!("The subnet '{subnet}' has no free port; the server's `--subnet` setting says how many it has.").into()
            }
            Self::Internal => "An internal error has occurred.".into(),
            Self::InvalidServiceName { service } => {
                format!("The Vpc Endpoint Service '{service}' does not exist").into()
            }
            Self::LimitExceeded { max } => {
                format!("The maximum number of VPC endpoints per VPC, {max}, has been reached.").into()
            }
            Self::SubnetNotFound { subnet } => format!("The subnet ID '{subnet}' does not exist").into(),
            Self::InvalidVpcEndpointType { text } => {
                format!("'{text}' is not a type of VPC endpoints.").into()
            }
            Self::Malformed { id, .. } => format!("Invalid id: \"{id}\"").into(),
            Self::Missing { member } => format!("The request must contain the parameter {member}.").into(),
            Self::VpcEndpointNotFound { id } | Self::NoneToDelete { id } => format!("The Vpc Endpoint Id '{id}' does not exist").into(),
            Self::VpcNotFound { id } => format!(
                "The vpc ID '{id}' does not exist. VPCs are what the server's `--subnet` settings make of them."
            )
            .into(),
            Self::InvalidParameter { reason }
            | Self::InvalidPolicyDocument { reason }
            | Self::Listen { reason }
            | Self::Unsupported { reason } => reason.into(),
        }
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
