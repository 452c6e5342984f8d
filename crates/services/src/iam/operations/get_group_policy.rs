//! `GetGroupPolicy`: the text of an inline policy, as it was given.

use crate::iam::Iam;
use crate::iam::documents::percent_encode;
use crate::iam::entity::{Entity, Group};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetGroupPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetGroupPolicyRequest")]
pub(crate) struct GetGroupPolicyInput {
    pub(crate) group_name: String,
    pub(crate) policy_name: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetGroupPolicyResponse")]
pub(crate) struct GetGroupPolicyOutput {
    pub(crate) group_name: String,
    pub(crate) policy_name: String,
    /// Percent-encoded.
    pub(crate) policy_document: String,
}

impl Operation for GetGroupPolicy {
    const NAME: &'static str = "GetGroupPolicy";
    type Service = Iam;
    type Input = GetGroupPolicyInput;
    type Output = GetGroupPolicyOutput;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: GetGroupPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = target.access("iam:GetGroupPolicy");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetGroupPolicyOutput, IamError> {
        let (input, target) = granted.into_parts();
        let policy_document = percent_encode(target.found()?.policy(&input.policy_name)?.text());
        Ok(GetGroupPolicyOutput {
            group_name: input.group_name,
            policy_name: input.policy_name,
            policy_document,
        })
    }
}
