//! `DeletePolicyVersion`: a version that does not bind.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::{SoughtPolicy, version_number};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeletePolicyVersion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeletePolicyVersionRequest")]
pub(crate) struct DeletePolicyVersionInput {
    pub(crate) policy_arn: String,
    pub(crate) version_id: String,
}

impl Operation for DeletePolicyVersion {
    const NAME: &'static str = "DeletePolicyVersion";
    type Service = Iam;
    type Input = DeletePolicyVersionInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (SoughtPolicy, u32);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeletePolicyVersionInput,
    ) -> Result<Resolved<Self>, IamError> {
        let number = version_number(&input.version_id)?;
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let access = policy.access("iam:DeletePolicyVersion");
        Ok(Resolved {
            input,
            target: (policy, number),
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (policy, number)) = granted.into_parts();
        iam.update_policy(call, &policy, |policy| policy.remove_version(number))
            .await?;
        Ok(Empty)
    }
}
