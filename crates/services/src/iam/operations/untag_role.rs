//! `UntagRole`: takes tags from a role. A key that is not there is fine.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved, fold_tag_key};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UntagRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UntagRoleRequest")]
pub(crate) struct UntagRoleInput {
    pub(crate) role_name: String,
    pub(crate) tag_keys: Vec<String>,
}

impl Operation for UntagRole {
    const NAME: &'static str = "UntagRole";
    type Service = Iam;
    type Input = UntagRoleInput;
    type Output = Empty;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: UntagRoleInput) -> Result<Resolved<Self>, IamError> {
        input.tag_keys.iter().try_for_each(|key| validate::tag_key(key))?;
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let request = target
            .request("iam:UntagRole")
            .with_keys("aws:TagKeys", input.tag_keys.clone());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, target) = granted.into_parts();
        iam.update(call, &target, |role| {
            for key in &input.tag_keys {
                role.profile.tags.remove(&fold_tag_key(key));
            }
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
