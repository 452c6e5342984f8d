//! `UntagUser`: takes tags from a user. A key that is not there is fine.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved, fold_tag_key};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UntagUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UntagUserRequest")]
pub(crate) struct UntagUserInput {
    pub(crate) user_name: String,
    pub(crate) tag_keys: Vec<String>,
}

impl Operation for UntagUser {
    const NAME: &'static str = "UntagUser";
    type Service = Iam;
    type Input = UntagUserInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: UntagUserInput) -> Result<Resolved<Self>, IamError> {
        input.tag_keys.iter().try_for_each(|key| validate::tag_key(key))?;
        let target = iam.seek::<User>(call, &input.user_name)?;
        let request = target
            .request("iam:UntagUser")
            .with_keys("aws:TagKeys", input.tag_keys.clone());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |user| {
            for key in &input.tag_keys {
                user.profile.tags.remove(&fold_tag_key(key));
            }
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
