//! `GetPolicy`: what is known of a managed policy but its documents.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::shapes::PolicyShape;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetPolicyRequest")]
pub(crate) struct GetPolicyInput {
    pub(crate) policy_arn: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetPolicyResponse")]
pub(crate) struct GetPolicyOutput {
    pub(crate) policy: Option<PolicyShape>,
}

impl Operation for GetPolicy {
    const NAME: &'static str = "GetPolicy";
    type Service = Iam;
    type Input = GetPolicyInput;
    type Output = GetPolicyOutput;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: GetPolicyInput) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let access = target.access("iam:GetPolicy");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetPolicyOutput, IamError> {
        let (_, target) = granted.into_parts();
        let found = target.found()?;
        let usage = iam.view().usage(call.account(), &found.arn);
        Ok(GetPolicyOutput {
            policy: Some(found.described(usage)),
        })
    }
}
