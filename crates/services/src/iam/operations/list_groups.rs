//! `ListGroups`: the groups below a path.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::GroupShape;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListGroups;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListGroupsRequest")]
pub(crate) struct ListGroupsInput {
    /// `/` if absent.
    pub(crate) path_prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListGroupsResponse")]
pub(crate) struct ListGroupsOutput {
    pub(crate) groups: Vec<GroupShape>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListGroups {
    const NAME: &'static str = "ListGroups";
    type Service = Iam;
    type Input = ListGroupsInput;
    type Output = ListGroupsOutput;
    type Error = IamError;
    type Target = String;

    async fn resolve(_: &Iam, call: &Call<'_>, input: ListGroupsInput) -> Result<Resolved<Self>, IamError> {
        let prefix = input.path_prefix.clone().unwrap_or_else(|| "/".to_owned());
        validate::path_prefix(&prefix)?;
        let account = call.account();
        let resource = format!("arn:aws:iam::{account}:group{prefix}");
        let access = Access::one(AccessRequest::new("iam:ListGroups", resource, account));
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
    ) -> Result<ListGroupsOutput, IamError> {
        let (input, prefix) = granted.into_parts();
        let view = iam.view();
        let below = view
            .groups_of(call.account())
            .filter(|(_, group)| group.profile.path.starts_with(&prefix));
        let page = page(
            below.map(|(key, group)| (key, group.described())),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListGroupsOutput {
            is_truncated: page.is_truncated(),
            groups: page.items,
            marker: page.marker,
        })
    }
}
