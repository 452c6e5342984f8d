//! `CreatePolicyVersion`: one more version of a managed policy.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::shapes::PolicyVersionShape;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreatePolicyVersion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreatePolicyVersionRequest")]
pub(crate) struct CreatePolicyVersionInput {
    pub(crate) policy_arn: String,
    /// An identity policy.
    pub(crate) policy_document: String,
    /// Whether it binds from now on.
    pub(crate) set_as_default: Option<bool>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreatePolicyVersionResponse")]
pub(crate) struct CreatePolicyVersionOutput {
    pub(crate) policy_version: Option<PolicyVersionShape>,
}

impl Operation for CreatePolicyVersion {
    const NAME: &'static str = "CreatePolicyVersion";
    type Service = Iam;
    type Input = CreatePolicyVersionInput;
    type Output = CreatePolicyVersionOutput;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: CreatePolicyVersionInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let access = target.access("iam:CreatePolicyVersion");
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
    ) -> Result<CreatePolicyVersionOutput, IamError> {
        let (input, target) = granted.into_parts();
        let default = input.set_as_default.unwrap_or_default();
        let version = iam
            .update_policy(call, &target, |policy| {
                let number = policy.add_version(&input.policy_document, default, call.time())?;
                Ok(policy.listed_version(number))
            })
            .await?;
        Ok(CreatePolicyVersionOutput {
            policy_version: version,
        })
    }
}
