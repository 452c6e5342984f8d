//! `ListPolicies`: the control policies of a type.

use crate::organizations::control::ControlKind;
use crate::organizations::page::page;
use crate::organizations::shapes::PolicySummary;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListPoliciesRequest")]
pub(crate) struct ListPoliciesInput {
    /// The type.
    pub(crate) filter: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListPoliciesResponse")]
pub(crate) struct ListPoliciesOutput {
    pub(crate) policies: Option<Vec<PolicySummary>>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    type Service = Organizations;
    type Input = ListPoliciesInput;
    type Output = ListPoliciesOutput;
    type Error = OrganizationsError;
    type Target = ControlKind;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListPoliciesInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let kind = ControlKind::parse(&input.filter).map_err(|_| validate::no_such_filter(&input.filter))?;
        organizations.managed(call)?;
        let request = AccessRequest::new("organizations:ListPolicies", "*", call.account());
        let access = Access::one(request.with_key("organizations:PolicyType", kind.name()));
        Ok(Resolved {
            input,
            target: kind,
            access,
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListPoliciesOutput, OrganizationsError> {
        let (input, kind) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let all = tree.policies_of(kind).map(|found| {
            let summary = found.summary(&tree.organization);
            (summary.id.clone().unwrap_or_default(), summary)
        });
        let (policies, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListPoliciesOutput {
            policies: Some(policies),
            next_token,
        })
    }
}
