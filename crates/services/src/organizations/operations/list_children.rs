//! `ListChildren`: the accounts or units directly below a root or unit.

use crate::organizations::access;
use crate::organizations::page::page;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::ParentId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListChildren;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListChildrenRequest")]
pub(crate) struct ListChildrenInput {
    /// A root or unit.
    pub(crate) parent_id: String,
    /// `ACCOUNT` or `ORGANIZATIONAL_UNIT`.
    pub(crate) child_type: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListChildrenResponse")]
pub(crate) struct ListChildrenOutput {
    pub(crate) children: Vec<Child>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListChildren {
    const NAME: &'static str = "ListChildren";
    type Service = Organizations;
    type Input = ListChildrenInput;
    type Output = ListChildrenOutput;
    type Error = OrganizationsError;
    type Target = ParentId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListChildrenInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::parent("ParentId", &input.parent_id)?;
        if !matches!(input.child_type.as_str(), "ACCOUNT" | "ORGANIZATIONAL_UNIT") {
            let reason = "You specified an invalid value for ChildType.".to_owned();
            return Err(OrganizationsError::InvalidInput { reason });
        }
        let arn = organizations.managed(call)?.parent_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:ListChildren", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListChildrenOutput, OrganizationsError> {
        let (input, parent) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        if !tree.has_parent(parent) {
            return Err(OrganizationsError::ParentNotFound);
        }
        let ids: Vec<String> = if input.child_type == "ACCOUNT" {
            tree.members_of(parent)
                .map(|member| member.account.to_string())
                .collect()
        } else {
            tree.units_of(parent).map(|unit| unit.id.to_string()).collect()
        };
        let all = ids.into_iter().map(|id| {
            let child = Child {
                id: Some(id.clone()),
                kind: Some(input.child_type.clone()),
            };
            (id, child)
        });
        let (children, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListChildrenOutput { children, next_token })
    }
}

/// An account or unit.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Child {
    pub(crate) id: Option<String>,
    #[member(name = "Type")]
    pub(crate) kind: Option<String>,
}
