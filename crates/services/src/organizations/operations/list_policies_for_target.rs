//! `ListPoliciesForTarget`: the control policies of a type that are attached to an account, root or unit directly.

use crate::organizations::control::{ControlKind, TargetId};
use crate::organizations::page::page;
use crate::organizations::shapes::PolicySummary;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListPoliciesForTarget;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListPoliciesForTargetRequest")]
pub(crate) struct ListPoliciesForTargetInput {
    pub(crate) target_id: String,
    /// The type.
    pub(crate) filter: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListPoliciesForTargetResponse")]
pub(crate) struct ListPoliciesForTargetOutput {
    pub(crate) policies: Option<Vec<PolicySummary>>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListPoliciesForTarget {
    const NAME: &'static str = "ListPoliciesForTarget";
    type Service = Organizations;
    type Input = ListPoliciesForTargetInput;
    type Output = ListPoliciesForTargetOutput;
    type Error = OrganizationsError;
    type Target = (TargetId, ControlKind);

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListPoliciesForTargetInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let kind = ControlKind::parse(&input.filter).map_err(|_| validate::no_such_filter(&input.filter))?;
        let target = validate::target(&input.target_id)?;
        let arn = target.arn(&organizations.managed(call)?);
        let request = AccessRequest::new("organizations:ListPoliciesForTarget", arn, call.account());
        let access = Access::one(request.with_key("organizations:PolicyType", kind.name()));
        Ok(Resolved {
            input,
            target: (target, kind),
            access,
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListPoliciesForTargetOutput, OrganizationsError> {
        let (input, (target, kind)) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        if !tree.has_target(target) {
            return Err(OrganizationsError::TargetNotFound);
        }
        let attached = tree
            .policies_of(kind)
            .filter(|found| tree.is_attached(*found, target));
        let all = attached.map(|found| {
            let summary = found.summary(&tree.organization);
            (summary.id.clone().unwrap_or_default(), summary)
        });
        let (policies, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListPoliciesForTargetOutput {
            policies: Some(policies),
            next_token,
        })
    }
}
