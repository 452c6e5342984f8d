//! `DetachGroupPolicy`: takes a managed policy from this group.

use crate::iam::Iam;
use crate::iam::entity::Group;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DetachGroupPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DetachGroupPolicyRequest")]
pub(crate) struct DetachGroupPolicyInput {
    pub(crate) group_name: String,
    pub(crate) policy_arn: String,
}

impl Operation for DetachGroupPolicy {
    const NAME: &'static str = "DetachGroupPolicy";
    type Service = Iam;
    type Input = DetachGroupPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<Group>, SoughtPolicy);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DetachGroupPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let group = iam.seek::<Group>(call, &input.group_name)?;
        let request = group
            .bounded_request("iam:DetachGroupPolicy")
            .with_key("iam:PolicyARN", &*policy.arn);
        Ok(Resolved {
            input,
            target: (group, policy),
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (group, policy)) = granted.into_parts();
        iam.detach(call, &group, &policy).await?;
        Ok(Empty)
    }
}
