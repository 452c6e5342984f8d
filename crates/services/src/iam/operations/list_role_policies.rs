//! `ListRolePolicies`: the names of a role's inline policies.

use crate::iam::Iam;
use crate::iam::entity::Role;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListRolePolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListRolePoliciesRequest")]
pub(crate) struct ListRolePoliciesInput {
    pub(crate) role_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListRolePoliciesResponse")]
pub(crate) struct ListRolePoliciesOutput {
    pub(crate) policy_names: Vec<String>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListRolePolicies {
    const NAME: &'static str = "ListRolePolicies";
    type Service = Iam;
    type Input = ListRolePoliciesInput;
    type Output = ListRolePoliciesOutput;
    type Error = IamError;
    type Target = Sought<Role>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListRolePoliciesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Role>(call, &input.role_name)?;
        let access = target.access("iam:ListRolePolicies");
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
    ) -> Result<ListRolePoliciesOutput, IamError> {
        let (input, target) = granted.into_parts();
        let names = target
            .found()?
            .profile
            .policies
            .keys()
            .map(|name| (name, name.clone()));
        let page = page(names, input.marker.as_deref(), input.max_items)?;
        Ok(ListRolePoliciesOutput {
            is_truncated: page.is_truncated(),
            policy_names: page.items,
            marker: page.marker,
        })
    }
}
