//! `ListParents`: the root or unit in which an account or unit is.

use crate::organizations::access;
use crate::organizations::validate::{self, ChildId};
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::ParentId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListParents;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListParentsRequest")]
pub(crate) struct ListParentsInput {
    /// An account or unit.
    pub(crate) child_id: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListParentsResponse")]
pub(crate) struct ListParentsOutput {
    pub(crate) parents: Vec<Parent>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListParents {
    const NAME: &'static str = "ListParents";
    type Service = Organizations;
    type Input = ListParentsInput;
    type Output = ListParentsOutput;
    type Error = OrganizationsError;
    type Target = ChildId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListParentsInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::child(&input.child_id)?;
        let organization = organizations.managed(call)?;
        let arn = match target {
            ChildId::Account(account) => organization.account_arn(account),
            ChildId::Unit(unit) => organization.unit_arn(unit),
        };
        Ok(Resolved {
            input,
            target,
            access: access("organizations:ListParents", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListParentsOutput, OrganizationsError> {
        let (_, child) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let parent = match child {
            ChildId::Account(account) => tree.members.get(&account).map(|member| member.parent),
            ChildId::Unit(unit) => tree.units.get(&unit).map(|unit| unit.parent),
        };
        let parent = parent.ok_or(OrganizationsError::ChildNotFound)?;
        let kind = match parent {
            ParentId::Root(_) => "ROOT",
            ParentId::Unit(_) => "ORGANIZATIONAL_UNIT",
        };
        let parent = Parent {
            id: Some(parent.as_str().to_owned()),
            kind: Some(kind.to_owned()),
        };
        Ok(ListParentsOutput {
            parents: vec![parent],
            next_token: None,
        })
    }
}

/// A root or unit.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Parent {
    pub(crate) id: Option<String>,
    #[member(name = "Type")]
    pub(crate) kind: Option<String>,
}
