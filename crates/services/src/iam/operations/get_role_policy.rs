//! `GetRolePolicy`: the text of an inline policy, as it was given.

use crate::iam::Iam;
use crate::iam::documents::percent_encode;
use crate::iam::entity::{Entity, Role};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetRolePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetRolePolicyRequest")]
pub(crate) struct GetRolePolicyInput {
    pub(crate) role_name: String,
    pub(crate) policy_name: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetRolePolicyResponse")]
pub(crate) struct GetRolePolicyOutput {
    pub(crate) role_name: String,
    pub(crate) policy_name: String,
    /// Percent-encoded.
    pub(crate) policy_document: String,
}

impl Operation for GetRolePolicy {
    const NAME: &'static str = "GetRolePolicy";
    type Service = Iam;
    type Input = GetRolePolicyInput;
    type Output = GetRolePolicyOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: GetRolePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:GetRolePolicy");
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
    ) -> Result<GetRolePolicyOutput, IamError> {
        let (input, target) = granted.into_parts();
        let policy_document = percent_encode(target.found()?.policy(&input.policy_name)?.text());
        Ok(GetRolePolicyOutput {
            role_name: input.role_name,
            policy_name: input.policy_name,
            policy_document,
        })
    }
}
