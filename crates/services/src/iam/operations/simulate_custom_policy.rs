//! `SimulateCustomPolicy`: what the policies of the request would decide.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::simulation::{Policies, Question, given, given_levels, not_built, simulate};
use crate::iam::simulation_shapes::{ContextEntry, EvaluationResult, OrderedOrganizationPolicyType};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct SimulateCustomPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "SimulateCustomPolicyRequest")]
pub(crate) struct SimulateCustomPolicyInput {
    /// Identity policies.
    pub(crate) policy_input_list: Vec<String>,
    #[member(default)]
    pub(crate) permissions_boundary_policy_input_list: Vec<String>,
    /// Service control policies from the root down.
    #[member(default)]
    pub(crate) ordered_organization_policy_input_list: Vec<OrderedOrganizationPolicyType>,
    pub(crate) action_names: Vec<String>,
    /// `*` if absent.
    #[member(default)]
    pub(crate) resource_arns: Vec<String>,
    /// The policy of every resource.
    pub(crate) resource_policy: Option<String>,
    /// ARN whose account owns the resources; the caller's account if absent.
    pub(crate) resource_owner: Option<String>,
    /// Whoever asks, where that is not the principal.
    pub(crate) caller_arn: Option<String>,
    #[member(default)]
    pub(crate) context_entries: Vec<ContextEntry>,
    /// Combinations of EC2 resources: not built, refused.
    pub(crate) resource_handling_option: Option<String>,
    pub(crate) max_items: Option<i32>,
    pub(crate) marker: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "SimulatePolicyResponse")]
pub(crate) struct SimulateCustomPolicyOutput {
    pub(crate) evaluation_results: Option<Vec<EvaluationResult>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for SimulateCustomPolicy {
    const NAME: &'static str = "SimulateCustomPolicy";
    type Service = Iam;
    type Input = SimulateCustomPolicyInput;
    type Output = SimulateCustomPolicyOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: SimulateCustomPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        if input.resource_handling_option.is_some() {
            return Err(not_built("ResourceHandlingOption"));
        }
        let access = Access::one(AccessRequest::new(
            "iam:SimulateCustomPolicy",
            "*",
            call.account(),
        ));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        _: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<SimulateCustomPolicyOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let boundary = &input.permissions_boundary_policy_input_list;
        let boundary = given(boundary, "PermissionsBoundaryPolicyInputList")?;
        let levels = input.ordered_organization_policy_input_list.into_iter();
        let levels: Vec<Vec<String>> = levels
            .map(|level| level.service_control_policy_input_list.unwrap_or_default())
            .collect();
        let policies = Policies {
            identity: given(&input.policy_input_list, "PolicyInputList")?,
            boundary: (!boundary.is_empty()).then_some(boundary),
            service_control: given_levels(&levels)?,
            management_account: None,
        };
        let question = Question {
            actions: input.action_names,
            resources: input.resource_arns,
            resource_policy: input.resource_policy,
            resource_owner: input.resource_owner,
            caller_arn: input.caller_arn,
            context: input.context_entries,
            marker: input.marker,
            max_items: input.max_items,
        };
        // Nobody in particular.
        let principal = format!("arn:aws:iam::{}:user/simulated", call.account());
        let page = simulate(call.account(), &policies, &question, &principal)?;
        Ok(SimulateCustomPolicyOutput {
            is_truncated: Some(page.is_truncated()),
            evaluation_results: Some(page.items),
            marker: page.marker,
        })
    }
}
