//! `TagUser`: adds tags to a user, or gives them other values.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::shapes::Tag;
use crate::iam::sought::{Sought, with_request_tags};
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct TagUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "TagUserRequest")]
pub(crate) struct TagUserInput {
    pub(crate) user_name: String,
    pub(crate) tags: Vec<Tag>,
}

impl Operation for TagUser {
    const NAME: &'static str = "TagUser";
    type Service = Iam;
    type Input = TagUserInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: TagUserInput) -> Result<Resolved<Self>, IamError> {
        let tags = validate::tags(&input.tags)?;
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = Access::one(with_request_tags(target.request("iam:TagUser"), &tags));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        let tags = validate::tags(&input.tags)?;
        iam.update(call, &target, |user| {
            user.profile.tags.extend(tags);
            validate::tag_count(&user.profile.tags)
        })
        .await?;
        Ok(Empty)
    }
}
