//! `GetGroup`: a group and the users in it.

use crate::iam::Iam;
use crate::iam::entity::Group;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::{GroupShape, UserShape};
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetGroup;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetGroupRequest")]
pub(crate) struct GetGroupInput {
    pub(crate) group_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetGroupResponse")]
pub(crate) struct GetGroupOutput {
    pub(crate) group: GroupShape,
    pub(crate) users: Vec<UserShape>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for GetGroup {
    const NAME: &'static str = "GetGroup";
    type Service = Iam;
    type Input = GetGroupInput;
    type Output = GetGroupOutput;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: GetGroupInput) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = target.access("iam:GetGroup");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetGroupOutput, IamError> {
        let (input, target) = granted.into_parts();
        let group = target.found()?;
        let view = iam.view();
        let users = view
            .users_of(call.account())
            .filter(|(_, user)| user.groups.contains(&group.profile.id));
        let page = page(
            users.map(|(key, user)| (key, user.listed())),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(GetGroupOutput {
            group: group.described(),
            is_truncated: page.is_truncated(),
            users: page.items,
            marker: page.marker,
        })
    }
}
