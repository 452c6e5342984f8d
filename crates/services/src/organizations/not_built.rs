//! Operations of Organizations that are known and not built: an organization here is made of accounts that it makes itself.

/// What AWS has and Bulla has not built; `UnsupportedOperation` says so.
pub(super) const NOT_BUILT: &[&str] = &[
    // Invitations: other accounts and organizations.
    "AcceptHandshake",
    "CancelHandshake",
    "CreateGovCloudAccount",
    "DeclineHandshake",
    "DescribeHandshake",
    "DescribeResponsibilityTransfer",
    "EnableAllFeatures",
    "InviteAccountToOrganization",
    "InviteOrganizationToTransferResponsibility",
    "ListHandshakesForAccount",
    "ListHandshakesForOrganization",
    "ListInboundResponsibilityTransfers",
    "ListOutboundResponsibilityTransfers",
    "TerminateResponsibilityTransfer",
    "UpdateResponsibilityTransfer",
    // Delegated administrators and trusted services.
    "DeleteResourcePolicy",
    "DeregisterDelegatedAdministrator",
    "DescribeResourcePolicy",
    "DisableAWSServiceAccess",
    "EnableAWSServiceAccess",
    "ListAWSServiceAccessForOrganization",
    "ListDelegatedAdministrators",
    "ListDelegatedServicesForAccount",
    "PutResourcePolicy",
    "RegisterDelegatedAdministrator",
    // Kinds of policies that this organization does not have.
    "ListAccountsWithInvalidEffectivePolicy",
    "ListEffectivePolicyValidationErrors",
    // Tags, and closing accounts.
    "CloseAccount",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
];
