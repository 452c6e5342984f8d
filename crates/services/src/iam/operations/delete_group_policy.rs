//! `DeleteGroupPolicy`: takes an inline policy from a group.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Group};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteGroupPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteGroupPolicyRequest")]
pub(crate) struct DeleteGroupPolicyInput {
    pub(crate) group_name: String,
    pub(crate) policy_name: String,
}

impl Operation for DeleteGroupPolicy {
    const NAME: &'static str = "DeleteGroupPolicy";
    type Service = Iam;
    type Input = DeleteGroupPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteGroupPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = Access::one(target.bounded_request("iam:DeleteGroupPolicy"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |group| group.remove_policy(&input.policy_name))
            .await?;
        Ok(Empty)
    }
}
