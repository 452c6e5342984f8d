//! `ListGroupPolicies`: the names of a group's inline policies.

use crate::iam::Iam;
use crate::iam::entity::Group;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListGroupPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListGroupPoliciesRequest")]
pub(crate) struct ListGroupPoliciesInput {
    pub(crate) group_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListGroupPoliciesResponse")]
pub(crate) struct ListGroupPoliciesOutput {
    pub(crate) policy_names: Vec<String>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListGroupPolicies {
    const NAME: &'static str = "ListGroupPolicies";
    type Service = Iam;
    type Input = ListGroupPoliciesInput;
    type Output = ListGroupPoliciesOutput;
    type Error = IamError;
    type Target = Sought<Group>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListGroupPoliciesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<Group>(call, &input.group_name)?;
        let access = target.access("iam:ListGroupPolicies");
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
    ) -> Result<ListGroupPoliciesOutput, IamError> {
        let (input, target) = granted.into_parts();
        let names = target
            .found()?
            .profile
            .policies
            .keys()
            .map(|name| (name, name.clone()));
        let page = page(names, input.marker.as_deref(), input.max_items)?;
        Ok(ListGroupPoliciesOutput {
            is_truncated: page.is_truncated(),
            policy_names: page.items,
            marker: page.marker,
        })
    }
}
