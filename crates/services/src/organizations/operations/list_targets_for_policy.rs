//! `ListTargetsForPolicy`: the root, units and accounts that a control policy is attached to directly.

use crate::organizations::page::page;
use crate::organizations::shapes::PolicyTargetSummary;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListTargetsForPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListTargetsForPolicyRequest")]
pub(crate) struct ListTargetsForPolicyInput {
    pub(crate) policy_id: String,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListTargetsForPolicyResponse")]
pub(crate) struct ListTargetsForPolicyOutput {
    pub(crate) targets: Option<Vec<PolicyTargetSummary>>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListTargetsForPolicy {
    const NAME: &'static str = "ListTargetsForPolicy";
    type Service = Organizations;
    type Input = ListTargetsForPolicyInput;
    type Output = ListTargetsForPolicyOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListTargetsForPolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::policy(&input.policy_id)?;
        let access =
            organizations.policy_access(call, "organizations:ListTargetsForPolicy", &input.policy_id)?;
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListTargetsForPolicyOutput, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let mut targets = tree.targets_of(tree.found(&input.policy_id)?);
        targets.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        let all = targets
            .into_iter()
            .map(|target| (target.as_str().to_owned(), tree.target(target)));
        let (targets, next_token) = page(all, input.next_token.as_deref(), input.max_results)?;
        Ok(ListTargetsForPolicyOutput {
            targets: Some(targets),
            next_token,
        })
    }
}
