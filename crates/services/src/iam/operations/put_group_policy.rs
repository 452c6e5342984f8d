//! `PutGroupPolicy`: adds an inline policy to a group, or replaces it.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Group};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_policy::{IdentityOwner, PolicyKind};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct PutGroupPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "PutGroupPolicyRequest")]
pub(crate) struct PutGroupPolicyInput {
    pub(crate) group_name: String,
    pub(crate) policy_name: String,
    /// An identity policy.
    pub(crate) policy_document: String,
}

impl Operation for PutGroupPolicy {
    const NAME: &'static str = "PutGroupPolicy";
    type Service = Iam;
    type Input = PutGroupPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: PutGroupPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = Access::one(target.bounded_request("iam:PutGroupPolicy"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |group| {
            group.put_policy(&input.policy_name, &input.policy_document)
        })
        .await?;
        let kind = PolicyKind::Identity(IdentityOwner::Group);
        warn_of_traps(call, target.arn(), &input.policy_document, kind);
        Ok(Empty)
    }
}
