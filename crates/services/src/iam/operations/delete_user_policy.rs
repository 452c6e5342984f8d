//! `DeleteUserPolicy`: takes an inline policy from a user.

use crate::iam::Iam;
use crate::iam::entity::{Entity, User};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteUserPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteUserPolicyRequest")]
pub(crate) struct DeleteUserPolicyInput {
    pub(crate) user_name: String,
    pub(crate) policy_name: String,
}

impl Operation for DeleteUserPolicy {
    const NAME: &'static str = "DeleteUserPolicy";
    type Service = Iam;
    type Input = DeleteUserPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteUserPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = Access::one(target.bounded_request("iam:DeleteUserPolicy"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |user| user.remove_policy(&input.policy_name))
            .await?;
        Ok(Empty)
    }
}
