//! `GetUserPolicy`: the text of an inline policy, as it was given.

use crate::iam::Iam;
use crate::iam::documents::percent_encode;
use crate::iam::entity::{Entity, User};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetUserPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetUserPolicyRequest")]
pub(crate) struct GetUserPolicyInput {
    pub(crate) user_name: String,
    pub(crate) policy_name: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetUserPolicyResponse")]
pub(crate) struct GetUserPolicyOutput {
    pub(crate) user_name: String,
    pub(crate) policy_name: String,
    /// Percent-encoded.
    pub(crate) policy_document: String,
}

impl Operation for GetUserPolicy {
    const NAME: &'static str = "GetUserPolicy";
    type Service = Iam;
    type Input = GetUserPolicyInput;
    type Output = GetUserPolicyOutput;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: GetUserPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = target.access("iam:GetUserPolicy");
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
    ) -> Result<GetUserPolicyOutput, IamError> {
        let (input, target) = granted.into_parts();
        let policy_document = percent_encode(target.found()?.policy(&input.policy_name)?.text());
        Ok(GetUserPolicyOutput {
            user_name: input.user_name,
            policy_name: input.policy_name,
            policy_document,
        })
    }
}
