//! `PutUserPolicy`: adds an inline policy to a user, or replaces it.

use crate::iam::Iam;
use crate::iam::entity::{Entity, User};
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_policy::{IdentityOwner, PolicyKind};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct PutUserPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "PutUserPolicyRequest")]
pub(crate) struct PutUserPolicyInput {
    pub(crate) user_name: String,
    pub(crate) policy_name: String,
    /// An identity policy.
    pub(crate) policy_document: String,
}

impl Operation for PutUserPolicy {
    const NAME: &'static str = "PutUserPolicy";
    type Service = Iam;
    type Input = PutUserPolicyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: PutUserPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::policy_name(&input.policy_name)?;
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = Access::one(target.bounded_request("iam:PutUserPolicy"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |user| {
            user.put_policy(&input.policy_name, &input.policy_document)
        })
        .await?;
        let kind = PolicyKind::Identity(IdentityOwner::User);
        warn_of_traps(call, target.arn(), &input.policy_document, kind);
        Ok(Empty)
    }
}
