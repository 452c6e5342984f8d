//! `TagRole`: adds tags to a role, or gives them other values.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::shapes::Tag;
use crate::iam::sought::{Sought, with_request_tags};
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct TagRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "TagRoleRequest")]
pub(crate) struct TagRoleInput {
    pub(crate) role_name: String,
    pub(crate) tags: Vec<Tag>,
}

impl Operation for TagRole {
    const NAME: &'static str = "TagRole";
    type Service = Iam;
    type Input = TagRoleInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: TagRoleInput) -> Result<Resolved<Self>, IamError> {
        let tags = validate::tags(&input.tags)?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = Access::one(with_request_tags(target.request("iam:TagRole"), &tags));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        let tags = validate::tags(&input.tags)?;
        iam.update(call, &target, |role| {
            role.profile.tags.extend(tags);
            validate::tag_count(&role.profile.tags)
        })
        .await?;
        Ok(Empty)
    }
}
