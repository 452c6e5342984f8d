//! `GetAccountSummary`: how much of what IAM has the account uses, and how much it may.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::limits::{
    ACCESS_KEYS_PER_USER_MAX, ATTACHED_POLICIES_MAX, GROUP_POLICIES_CHARS_MAX, GROUPS_PER_ACCOUNT_MAX,
    GROUPS_PER_USER_MAX, POLICIES_PER_ACCOUNT_MAX, POLICY_VERSIONS_MAX, ROLE_POLICIES_CHARS_MAX,
    ROLES_PER_ACCOUNT_MAX, USER_POLICIES_CHARS_MAX, USERS_PER_ACCOUNT_MAX,
};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_policy::PolicyKind;
use bulla_wire::{Empty, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetAccountSummary;

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetAccountSummaryResponse")]
pub(crate) struct GetAccountSummaryOutput {
    pub(crate) summary_map: Option<BTreeMap<String, i32>>,
}

impl Operation for GetAccountSummary {
    const NAME: &'static str = "GetAccountSummary";
    type Service = Iam;
    type Input = Empty;
    type Output = GetAccountSummaryOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(_: &Iam, call: &Call<'_>, input: Empty) -> Result<Resolved<Self>, IamError> {
        let access = Access::one(AccessRequest::new("iam:GetAccountSummary", "*", call.account()));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<GetAccountSummaryOutput, IamError> {
        let account = call.account();
        let view = iam.view();
        let root_keys = view.account(account).map_or(0, |account| account.keys.len());
        let versions: usize = view
            .policies_of(account)
            .map(|(_, policy)| policy.versions.len())
            .sum();
        let numbers = [
            ("AccessKeysPerUserQuota", ACCESS_KEYS_PER_USER_MAX),
            ("AccountAccessKeysPresent", root_keys.min(1)),
            ("AccountMFAEnabled", 0),
            ("AccountPasswordPresent", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("AssumeRolePolicySizeQuota", PolicyKind::Trust.limits().size_max),
            ("AttachedPoliciesPerGroupQuota", ATTACHED_POLICIES_MAX),
            ("AttachedPoliciesPerRoleQuota", ATTACHED_POLICIES_MAX),
            ("AttachedPoliciesPerUserQuota", ATTACHED_POLICIES_MAX),
            ("GroupPolicySizeQuota", GROUP_POLICIES_CHARS_MAX),
            ("Groups", view.groups_of(account).count()),
            ("GroupsPerUserQuota", GROUPS_PER_USER_MAX),
            ("GroupsQuota", GROUPS_PER_ACCOUNT_MAX),
            ("InstanceProfiles", 0),
            ("MFADevices", 0),
            ("MFADevicesInUse", 0),
            ("Policies", view.policies_of(account).count()),
            ("PoliciesQuota", POLICIES_PER_ACCOUNT_MAX),
            ("PolicySizeQuota", PolicyKind::Boundary.limits().size_max),
            ("PolicyVersionsInUse", versions),
            (
                "PolicyVersionsInUseQuota",
                POLICIES_PER_ACCOUNT_MAX.saturating_mul(POLICY_VERSIONS_MAX),
            ),
            ("Providers", 0),
            ("RolePolicySizeQuota", ROLE_POLICIES_CHARS_MAX),
            ("Roles", view.roles_of(account).count()),
            ("RolesQuota", ROLES_PER_ACCOUNT_MAX),
            ("ServerCertificates", 0),
            ("UserPolicySizeQuota", USER_POLICIES_CHARS_MAX),
            ("Users", view.users_of(account).count()),
            ("UsersQuota", USERS_PER_ACCOUNT_MAX),
            ("VersionsPerPolicyQuota", POLICY_VERSIONS_MAX),
        ];
        let numbers =
            numbers.map(|(name, number)| (name.to_owned(), i32::try_from(number).unwrap_or(i32::MAX)));
        Ok(GetAccountSummaryOutput {
            summary_map: Some(BTreeMap::from(numbers)),
        })
    }
}
