//! `ListGroupsForUser`: the groups that a user is in.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::GroupShape;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListGroupsForUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListGroupsForUserRequest")]
pub(crate) struct ListGroupsForUserInput {
    pub(crate) user_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListGroupsForUserResponse")]
pub(crate) struct ListGroupsForUserOutput {
    pub(crate) groups: Vec<GroupShape>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListGroupsForUser {
    const NAME: &'static str = "ListGroupsForUser";
    type Service = Iam;
    type Input = ListGroupsForUserInput;
    type Output = ListGroupsForUserOutput;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListGroupsForUserInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = target.access("iam:ListGroupsForUser");
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
    ) -> Result<ListGroupsForUserOutput, IamError> {
        let (input, target) = granted.into_parts();
        let user = target.found()?;
        let view = iam.view();
        let groups = view
            .groups_of(call.account())
            .filter(|(_, group)| user.groups.contains(&group.profile.id));
        let page = page(
            groups.map(|(key, group)| (key, group.described())),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListGroupsForUserOutput {
            is_truncated: page.is_truncated(),
            groups: page.items,
            marker: page.marker,
        })
    }
}
