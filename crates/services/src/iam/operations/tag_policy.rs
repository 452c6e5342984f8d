//! `TagPolicy`: adds tags to a managed policy, or replaces them.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::shapes::Tag;
use crate::iam::sought::with_request_tags;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct TagPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "TagPolicyRequest")]
pub(crate) struct TagPolicyInput {
    pub(crate) policy_arn: String,
    pub(crate) tags: Vec<Tag>,
}

impl Operation for TagPolicy {
    const NAME: &'static str = "TagPolicy";
    type Service = Iam;
    type Input = TagPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: TagPolicyInput) -> Result<Resolved<Self>, IamError> {
        let tags = validate::tags(&input.tags)?;
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let access = Access::one(with_request_tags(target.request("iam:TagPolicy"), &tags));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        let tags = validate::tags(&input.tags)?;
        iam.update_policy(call, &target, |policy| {
            policy.tags.extend(tags);
            validate::tag_count(&policy.tags)
        })
        .await?;
        Ok(Empty)
    }
}
