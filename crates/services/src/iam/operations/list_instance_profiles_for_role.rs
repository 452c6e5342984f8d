//! `ListInstanceProfilesForRole`: none. Tools ask before they delete a role; that there are none is the truth.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::shapes::InstanceProfileShape;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListInstanceProfilesForRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListInstanceProfilesForRoleRequest")]
pub(crate) struct ListInstanceProfilesForRoleInput {
    pub(crate) role_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListInstanceProfilesForRoleResponse")]
pub(crate) struct ListInstanceProfilesForRoleOutput {
    pub(crate) instance_profiles: Vec<InstanceProfileShape>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListInstanceProfilesForRole {
    const NAME: &'static str = "ListInstanceProfilesForRole";
    type Service = Iam;
    type Input = ListInstanceProfilesForRoleInput;
    type Output = ListInstanceProfilesForRoleOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListInstanceProfilesForRoleInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:ListInstanceProfilesForRole");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListInstanceProfilesForRoleOutput, IamError> {
        let (_, target) = granted.into_parts();
        target.found()?;
        Ok(ListInstanceProfilesForRoleOutput {
            instance_profiles: Vec::new(),
            is_truncated: Some(false),
            marker: None,
        })
    }
}
