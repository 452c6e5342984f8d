//! `GetPolicyVersion`: a version of a managed policy with its document.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::{SoughtPolicy, version_number};
use crate::iam::shapes::PolicyVersionShape;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetPolicyVersion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetPolicyVersionRequest")]
pub(crate) struct GetPolicyVersionInput {
    pub(crate) policy_arn: String,
    pub(crate) version_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetPolicyVersionResponse")]
pub(crate) struct GetPolicyVersionOutput {
    pub(crate) policy_version: Option<PolicyVersionShape>,
}

impl Operation for GetPolicyVersion {
    const NAME: &'static str = "GetPolicyVersion";
    type Service = Iam;
    type Input = GetPolicyVersionInput;
    type Output = GetPolicyVersionOutput;
    type Error = IamError;
    type Target = (SoughtPolicy, u32);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: GetPolicyVersionInput,
    ) -> Result<Resolved<Self>, IamError> {
        let number = version_number(&input.version_id)?;
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let access = policy.access("iam:GetPolicyVersion");
        Ok(Resolved {
            input,
            target: (policy, number),
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetPolicyVersionOutput, IamError> {
        let (_, (policy, number)) = granted.into_parts();
        let policy = policy.found()?;
        policy.version(number)?;
        Ok(GetPolicyVersionOutput {
            policy_version: policy.described_version(number),
        })
    }
}
