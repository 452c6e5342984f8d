//! `DescribePolicy`: a control policy with its document.

use crate::organizations::shapes::PolicyShape;
use crate::organizations::validate;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribePolicyRequest")]
pub(crate) struct DescribePolicyInput {
    pub(crate) policy_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribePolicyResponse")]
pub(crate) struct DescribePolicyOutput {
    pub(crate) policy: Option<PolicyShape>,
}

impl Operation for DescribePolicy {
    const NAME: &'static str = "DescribePolicy";
    type Service = Organizations;
    type Input = DescribePolicyInput;
    type Output = DescribePolicyOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DescribePolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::policy(&input.policy_id)?;
        let access = organizations.policy_access(call, "organizations:DescribePolicy", &input.policy_id)?;
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
    ) -> Result<DescribePolicyOutput, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let found = tree.found(&input.policy_id)?;
        Ok(DescribePolicyOutput {
            policy: Some(tree.policy(found)),
        })
    }
}
