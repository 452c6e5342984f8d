//! The errors of Organizations: one enum, one table.

use bulla_gate::ErrorCode;
use bulla_wire::{ErrorRow, Fault};
use std::borrow::Cow;

/// What operations of Organizations answer when they do not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrganizationsError {
    /// Only the management account may do this.
    AccessDenied,
    /// There is no such account in the organization.
    AccountNotFound,
    /// The account belongs to an organization.
    AlreadyInOrganization,
    /// There is no such account or unit in the organization.
    ChildNotFound,
    /// A quota is exhausted.
    ConstraintViolation {
        /// Which.
        reason: String,
    },
    /// There is no such request for an account.
    CreateAccountStatusNotFound,
    /// There is no such root or unit to move to.
    DestinationParentNotFound,
    /// The account is there already.
    DuplicateAccount,
    /// A unit of that name is there already.
    DuplicateOrganizationalUnit,
    /// A defect, or the storage failed; the log says more.
    Internal,
    /// A member of the request that is out of its bounds, or something that is not built.
    InvalidInput {
        /// Which member and which bounds.
        reason: String,
    },
    /// The management account cannot leave.
    MasterCannotLeave,
    /// The account belongs to no organization.
    NotInUse,
    /// There are other accounts in the organization.
    OrganizationNotEmpty,
    /// There are accounts or units in the unit.
    OrganizationalUnitNotEmpty,
    /// There is no such unit.
    OrganizationalUnitNotFound,
    /// There is no such root or unit.
    ParentNotFound,
    /// A policy of that name exists.
    DuplicatePolicy,
    /// The policy is attached there already.
    DuplicatePolicyAttachment,
    /// There is no effective policy of that type there.
    EffectivePolicyNotFound,
    /// The policy is attached somewhere.
    PolicyInUse,
    /// The policy is not attached there.
    PolicyNotAttached,
    /// There is no such policy.
    PolicyNotFound,
    /// The type is in use already.
    PolicyTypeAlreadyEnabled,
    /// The type is one that is not built.
    PolicyTypeNotAvailable,
    /// The type is not in use.
    PolicyTypeNotEnabled,
    /// There is no such root.
    RootNotFound,
    /// There is no such account, root or unit.
    TargetNotFound,
    /// A policy that is not understood.
    MalformedPolicyDocument {
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such root or unit to move from.
    SourceParentNotFound,
}

impl OrganizationsError {
    /// Every row of the table that the service model has too, for comparison with it.
    #[must_use]
    pub fn rows() -> Vec<ErrorRow> {
        [
            Self::AccessDenied,
            Self::AccountNotFound,
            Self::AlreadyInOrganization,
            Self::ChildNotFound,
            Self::ConstraintViolation {
                reason: String::new(),
            },
            Self::CreateAccountStatusNotFound,
            Self::DestinationParentNotFound,
            Self::DuplicateAccount,
            Self::DuplicateOrganizationalUnit,
            Self::Internal,
            Self::InvalidInput {
                reason: String::new(),
            },
            Self::MasterCannotLeave,
            Self::NotInUse,
            Self::OrganizationNotEmpty,
            Self::OrganizationalUnitNotEmpty,
            Self::OrganizationalUnitNotFound,
            Self::ParentNotFound,
            Self::DuplicatePolicy,
            Self::DuplicatePolicyAttachment,
            Self::EffectivePolicyNotFound,
            Self::PolicyInUse,
            Self::PolicyNotAttached,
            Self::PolicyNotFound,
            Self::PolicyTypeAlreadyEnabled,
            Self::PolicyTypeNotAvailable,
            Self::PolicyTypeNotEnabled,
            Self::RootNotFound,
            Self::TargetNotFound,
            Self::MalformedPolicyDocument {
                reason: String::new(),
            },
            Self::SourceParentNotFound,
        ]
        .iter()
        .map(ErrorCode::row)
        .collect()
    }
}

impl ErrorCode for OrganizationsError {
    fn row(&self) -> ErrorRow {
        match self {
            Self::AccessDenied => sender("AccessDeniedException"),
            Self::AccountNotFound => sender("AccountNotFoundException"),
            Self::AlreadyInOrganization => sender("AlreadyInOrganizationException"),
            Self::ChildNotFound => sender("ChildNotFoundException"),
            Self::ConstraintViolation { .. } => sender("ConstraintViolationException"),
            Self::CreateAccountStatusNotFound => sender("CreateAccountStatusNotFoundException"),
            Self::DestinationParentNotFound => sender("DestinationParentNotFoundException"),
            Self::DuplicateAccount => sender("DuplicateAccountException"),
            Self::DuplicateOrganizationalUnit => sender("DuplicateOrganizationalUnitException"),
            Self::Internal => ErrorRow {
                shape: "ServiceException",
                query_code: "ServiceException",
                status: 500,
                fault: Fault::Receiver,
            },
            Self::InvalidInput { .. } => sender("InvalidInputException"),
            Self::MasterCannotLeave => sender("MasterCannotLeaveOrganizationException"),
            Self::NotInUse => sender("AWSOrganizationsNotInUseException"),
            Self::OrganizationNotEmpty => sender("OrganizationNotEmptyException"),
            Self::OrganizationalUnitNotEmpty => sender("OrganizationalUnitNotEmptyException"),
            Self::OrganizationalUnitNotFound => sender("OrganizationalUnitNotFoundException"),
            Self::ParentNotFound => sender("ParentNotFoundException"),
            Self::DuplicatePolicy => sender("DuplicatePolicyException"),
            Self::DuplicatePolicyAttachment => sender("DuplicatePolicyAttachmentException"),
            Self::EffectivePolicyNotFound => sender("EffectivePolicyNotFoundException"),
            Self::PolicyInUse => sender("PolicyInUseException"),
            Self::PolicyNotAttached => sender("PolicyNotAttachedException"),
            Self::PolicyNotFound => sender("PolicyNotFoundException"),
            Self::PolicyTypeAlreadyEnabled => sender("PolicyTypeAlreadyEnabledException"),
            Self::PolicyTypeNotAvailable => sender("PolicyTypeNotAvailableForOrganizationException"),
            Self::PolicyTypeNotEnabled => sender("PolicyTypeNotEnabledException"),
            Self::RootNotFound => sender("RootNotFoundException"),
            Self::TargetNotFound => sender("TargetNotFoundException"),
            Self::MalformedPolicyDocument { .. } => sender("MalformedPolicyDocumentException"),
            Self::SourceParentNotFound => sender("SourceParentNotFoundException"),
        }
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::AccessDenied => "You don't have permissions to access this resource.".into(),
            Self::AccountNotFound => "You specified an account that doesn't exist.".into(),
            Self::AlreadyInOrganization => "The AWS account is already a member of an organization.".into(),
            Self::ChildNotFound => "You specified a child that doesn't exist.".into(),
            Self::CreateAccountStatusNotFound => {
                "You specified a create account request that doesn't exist.".into()
            }
            Self::DestinationParentNotFound => {
                "You specified a destination parent that doesn't exist.".into()
            }
            Self::DuplicateAccount => {
                "You specified an account that is already present in the destination.".into()
            }
            Self::DuplicateOrganizationalUnit => "An OU with the same name already exists.".into(),
            Self::Internal => "The request failed because of an internal error. Try again.".into(),
            Self::MasterCannotLeave => "The management account can't leave its organization.".into(),
            Self::NotInUse => "Your account is not a member of an organization.".into(),
            Self::OrganizationNotEmpty => "The organization still has other accounts.".into(),
            Self::OrganizationalUnitNotEmpty => "The OU still has accounts or OUs in it.".into(),
            Self::OrganizationalUnitNotFound => {
                "You specified an organizational unit that doesn't exist.".into()
            }
            Self::ParentNotFound => "You specified a parent that doesn't exist.".into(),
            Self::DuplicatePolicy => "A policy with the same name already exists.".into(),
            Self::DuplicatePolicyAttachment => "The selected policy is already attached to the specified target.".into(),
            Self::EffectivePolicyNotFound => "There is no effective policy of this type for the target: policies of this type are not built.".into(),
            Self::PolicyInUse => "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.".into(),
            Self::PolicyNotAttached => "The policy isn't attached to the specified target in the specified root.".into(),
            Self::PolicyNotFound => "We can't find a policy with the PolicyId that you specified.".into(),
            Self::PolicyTypeAlreadyEnabled => "The specified policy type is already enabled in the specified root.".into(),
            Self::PolicyTypeNotAvailable => "You can't use this policy type: only SERVICE_CONTROL_POLICY and RESOURCE_CONTROL_POLICY are built.".into(),
            Self::PolicyTypeNotEnabled => "The specified policy type isn't currently enabled in this root.".into(),
            Self::RootNotFound => "We can't find a root with the RootId that you specified.".into(),
            Self::TargetNotFound => "We can't find a root, OU, account, or policy with the TargetId that you specified.".into(),
            Self::SourceParentNotFound => "You specified a source parent that doesn't exist.".into(),
            Self::ConstraintViolation { reason }
            | Self::InvalidInput { reason }
            | Self::MalformedPolicyDocument { reason } => reason.into(),
        }
    }
}

/// Organizations answers 400 to whatever is the client's fault.
const fn sender(shape: &'static str) -> ErrorRow {
    ErrorRow {
        shape,
        query_code: shape,
        status: 400,
        fault: Fault::Sender,
    }
}
