//! `ListOrganizationalUnitsForParent`: the units directly below a root or unit.

use crate::organizations::access;
use crate::organizations::page::page;
use crate::organizations::shapes::OrganizationalUnit;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::ParentId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListOrganizationalUnitsForParent;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListOrganizationalUnitsForParentRequest")]
pub(crate) struct ListOrganizationalUnitsForParentInput {
    /// A root or unit.
    pub(crate) parent_id: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListOrganizationalUnitsForParentResponse")]
pub(crate) struct ListOrganizationalUnitsForParentOutput {
    pub(crate) organizational_units: Vec<OrganizationalUnit>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListOrganizationalUnitsForParent {
    const NAME: &'static str = "ListOrganizationalUnitsForParent";
    type Service = Organizations;
    type Input = ListOrganizationalUnitsForParentInput;
    type Output = ListOrganizationalUnitsForParentOutput;
    type Error = OrganizationsError;
    type Target = ParentId;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListOrganizationalUnitsForParentInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let target = validate::parent("ParentId", &input.parent_id)?;
        let arn = organizations.managed(call)?.parent_arn(target);
        Ok(Resolved {
            input,
            target,
            access: access("organizations:ListOrganizationalUnitsForParent", arn, call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListOrganizationalUnitsForParentOutput, OrganizationsError> {
        let (input, parent) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        if !tree.has_parent(parent) {
            return Err(OrganizationsError::ParentNotFound);
        }
        let all = tree
            .units_of(parent)
            .map(|unit| (unit.id.to_string(), tree.unit(unit)));
        let (organizational_units, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListOrganizationalUnitsForParentOutput {
            organizational_units,
            next_token,
        })
    }
}
