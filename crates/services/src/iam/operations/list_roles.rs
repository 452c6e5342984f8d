//! `ListRoles`: the roles of the caller's account below a path, in order of name.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::RoleShape;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListRoles;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListRolesRequest")]
pub(crate) struct ListRolesInput {
    /// `/` if absent.
    pub(crate) path_prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListRolesResponse")]
pub(crate) struct ListRolesOutput {
    pub(crate) roles: Vec<RoleShape>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListRoles {
    const NAME: &'static str = "ListRoles";
    type Service = Iam;
    type Input = ListRolesInput;
    type Output = ListRolesOutput;
    type Error = IamError;
    type Target = String;

    async fn resolve(_: &Iam, call: &Call<'_>, input: ListRolesInput) -> Result<Resolved<Self>, IamError> {
        let prefix = input.path_prefix.clone().unwrap_or_else(|| "/".to_owned());
        validate::path_prefix(&prefix)?;
        let account = call.account();
        let resource = format!("arn:aws:iam::{account}:role{prefix}");
        let access = Access::one(AccessRequest::new("iam:ListRoles", resource, account));
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
    ) -> Result<ListRolesOutput, IamError> {
        let (input, prefix) = granted.into_parts();
        let view = iam.view();
        let below = view
            .roles_of(call.account())
            .filter(|(_, role)| role.profile.path.starts_with(&prefix));
        let page = page(
            below.map(|(key, role)| (key, role.listed())),
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListRolesOutput {
            is_truncated: page.is_truncated(),
            roles: page.items,
            marker: page.marker,
        })
    }
}
