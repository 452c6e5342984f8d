//! `ListRoots`: the one root of the organization.

use crate::organizations::access;
use crate::organizations::shapes::Root;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListRoots;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListRootsRequest")]
pub(crate) struct ListRootsInput {
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListRootsResponse")]
pub(crate) struct ListRootsOutput {
    pub(crate) roots: Vec<Root>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListRoots {
    const NAME: &'static str = "ListRoots";
    type Service = Organizations;
    type Input = ListRootsInput;
    type Output = ListRootsOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListRootsInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        organizations.managed(call)?;
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:ListRoots", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<ListRootsOutput, OrganizationsError> {
        let root = organizations.view().managed_by(call.account())?.root();
        Ok(ListRootsOutput {
            roots: vec![root],
            next_token: None,
        })
    }
}
