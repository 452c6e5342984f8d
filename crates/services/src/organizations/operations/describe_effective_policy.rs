//! `DescribeEffectivePolicy`: what policies of a type come to at an account. AWS has it for types that are no limits of access; none of them is built.

use crate::organizations::access;
use crate::organizations::control::{ControlKind, TargetId};
use crate::organizations::shapes::EffectivePolicy;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeEffectivePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribeEffectivePolicyRequest")]
pub(crate) struct DescribeEffectivePolicyInput {
    /// None of the types of control policies.
    pub(crate) policy_type: String,
    /// The caller's account if absent.
    pub(crate) target_id: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeEffectivePolicyResponse")]
pub(crate) struct DescribeEffectivePolicyOutput {
    pub(crate) effective_policy: Option<EffectivePolicy>,
}

impl Operation for DescribeEffectivePolicy {
    const NAME: &'static str = "DescribeEffectivePolicy";
    type Service = Organizations;
    type Input = DescribeEffectivePolicyInput;
    type Output = DescribeEffectivePolicyOutput;
    type Error = OrganizationsError;
    type Target = Option<TargetId>;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DescribeEffectivePolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        if ControlKind::parse(&input.policy_type).is_ok()
            || !EFFECTIVE_TYPES.contains(&input.policy_type.as_str())
        {
            let reason = format!(
                "You provided {} for PolicyType, which has no effective policy.",
                input.policy_type
            );
            return Err(OrganizationsError::InvalidInput { reason });
        }
        let target = input.target_id.as_deref().map(validate::target).transpose()?;
        let own = TargetId::Account(call.account());
        match target.filter(|target| *target != own) {
            Some(_) => {
                organizations.managed(call)?;
            }
            None => {
                organizations.view().of(call.account())?;
            }
        }
        Ok(Resolved {
            input,
            target,
            access: access("organizations:DescribeEffectivePolicy", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DescribeEffectivePolicyOutput, OrganizationsError> {
        let (_, target) = granted.into_parts();
        let view = organizations.view();
        let tree = view.of(call.account())?;
        match target {
            Some(target) if !tree.has_target(target) => Err(OrganizationsError::TargetNotFound),
            Some(_) | None => Err(OrganizationsError::EffectivePolicyNotFound),
        }
    }
}

/// The types that have an effective policy (API Reference, `DescribeEffectivePolicy`).
const EFFECTIVE_TYPES: &[&str] = &[
    "AISERVICES_OPT_OUT_POLICY",
    "BACKUP_POLICY",
    "BEDROCK_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "GUARDDUTY_POLICY",
    "INSPECTOR_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "S3_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "SECURITYHUB_POLICY",
    "TAG_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
];
