//! `UntagPolicy`: removes tags from a managed policy.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved, fold_tag_key};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UntagPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UntagPolicyRequest")]
pub(crate) struct UntagPolicyInput {
    pub(crate) policy_arn: String,
    pub(crate) tag_keys: Vec<String>,
}

impl Operation for UntagPolicy {
    const NAME: &'static str = "UntagPolicy";
    type Service = Iam;
    type Input = UntagPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: UntagPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        input.tag_keys.iter().try_for_each(|key| validate::tag_key(key))?;
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let request = target
            .request("iam:UntagPolicy")
            .with_keys("aws:TagKeys", input.tag_keys.clone());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update_policy(call, &target, |policy| {
            for key in &input.tag_keys {
                policy.tags.remove(&fold_tag_key(key));
            }
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
