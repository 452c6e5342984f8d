//! `AttachUserPolicy`: a managed policy for this user.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::sought::Sought;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct AttachUserPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "AttachUserPolicyRequest")]
pub(crate) struct AttachUserPolicyInput {
    pub(crate) user_name: String,
    pub(crate) policy_arn: String,
}

impl Operation for AttachUserPolicy {
    const NAME: &'static str = "AttachUserPolicy";
    type Service = Iam;
    type Input = AttachUserPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<User>, SoughtPolicy);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: AttachUserPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let user = iam.seek::<User>(call, &input.user_name)?;
        let request = user
            .bounded_request("iam:AttachUserPolicy")
            .with_key("iam:PolicyARN", &*policy.arn);
        Ok(Resolved {
            input,
            target: (user, policy),
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (_, (user, policy)) = granted.into_parts();
        iam.attach(call, &user, &policy).await?;
        Ok(Empty)
    }
}
