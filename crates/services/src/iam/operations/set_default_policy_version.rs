//! `SetDefaultPolicyVersion`: the version that binds from now on.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::{SoughtPolicy, version_number};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct SetDefaultPolicyVersion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "SetDefaultPolicyVersionRequest")]
pub(crate) struct SetDefaultPolicyVersionInput {
    pub(crate) policy_arn: String,
    pub(crate) version_id: String,
}

impl Operation for SetDefaultPolicyVersion {
    const NAME: &'static str = "SetDefaultPolicyVersion";
    type Service = Iam;
    type Input = SetDefaultPolicyVersionInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (SoughtPolicy, u32);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: SetDefaultPolicyVersionInput,
    ) -> Result<Resolved<Self>, IamError> {
        let number = version_number(&input.version_id)?;
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let access = policy.access("iam:SetDefaultPolicyVersion");
        Ok(Resolved {
            input,
            target: (policy, number),
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (policy, number)) = granted.into_parts();
        iam.update_policy(call, &policy, |policy| policy.set_default(number, call.time()))
            .await?;
        Ok(Empty)
    }
}
