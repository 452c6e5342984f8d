//! `ListUsers`: the users of the caller's account below a path, in order of name.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::UserShape;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListUsers;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListUsersRequest")]
pub(crate) struct ListUsersInput {
    /// `/` if absent.
    pub(crate) path_prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListUsersResponse")]
pub(crate) struct ListUsersOutput {
    pub(crate) users: Vec<UserShape>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListUsers {
    const NAME: &'static str = "ListUsers";
    type Service = Iam;
    type Input = ListUsersInput;
    type Output = ListUsersOutput;
    type Error = IamError;
    type Target = String;

    async fn resolve(_: &Iam, call: &Call<'_>, input: ListUsersInput) -> Result<Resolved<Self>, IamError> {
        let prefix = input.path_prefix.clone().unwrap_or_else(|| "/".to_owned());
        validate::path_prefix(&prefix)?;
        let account = call.account();
        let resource = format!("arn:aws:iam::{account}:user{prefix}");
        let access = Access::one(AccessRequest::new("iam:ListUsers", resource, account));
        Ok(Resolved {
            input,
            target: prefix,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListUsersOutput, IamError> {
        let (input, prefix) = granted.into_parts();
        let view = iam.view();
        let below = view
            .users_of(call.account())
            .filter(|(_, user)| user.profile.path.starts_with(&prefix));
        let page = page(
            below.map(|(key, user)| (key, user.listed())),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListUsersOutput {
            is_truncated: page.is_truncated(),
            users: page.items,
            marker: page.marker,
        })
    }
}
