//! `DeletePolicy`: a policy with one version that nobody has.

use crate::iam::Iam;
use crate::iam::entity::Stored;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeletePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeletePolicyRequest")]
pub(crate) struct DeletePolicyInput {
    pub(crate) policy_arn: String,
}

impl Operation for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    type Service = Iam;
    type Input = DeletePolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeletePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let access = target.access("iam:DeletePolicy");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, target) = granted.into_parts();
        let id = Arc::clone(&target.found()?.id);
        let account = call.account();
        iam.change(call, |view| {
            let found = view.managed(account, &target.arn).filter(|found| found.id == id);
            let policy = found.ok_or_else(|| target.missing())?;
            if policy.account.is_none() {
                return Err(IamError::NotYours {
                    arn: policy.arn.to_string(),
                });
            }
            if !view.usage(account, &policy.arn).is_unused() {
                return Err(IamError::DeleteConflict {
                    reason: "Cannot delete a policy attached to entities.",
                });
            }
            if policy.versions.len() > 1 {
                return Err(IamError::DeleteConflict {
                    reason: "This policy has more than one version. Before you delete a policy, you must delete the \
                             policy's versions. The default version is deleted with the policy.",
                });
            }
            Ok((vec![Stored::NoPolicy(policy)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
