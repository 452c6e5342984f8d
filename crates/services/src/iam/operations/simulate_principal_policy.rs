//! `SimulatePrincipalPolicy`: what the policies of a user, group or role would decide.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::simulation::{Question, given, not_built, simulate};
use crate::iam::simulation_shapes::{ContextEntry, EvaluationResult, PolicyIdentifier};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct SimulatePrincipalPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "SimulatePrincipalPolicyRequest")]
pub(crate) struct SimulatePrincipalPolicyInput {
    /// ARN of a user, group or role.
    pub(crate) policy_source_arn: String,
    /// More identity policies.
    #[member(default)]
    pub(crate) policy_input_list: Vec<String>,
    /// In place of the permissions boundary there is.
    #[member(default)]
    pub(crate) permissions_boundary_policy_input_list: Vec<String>,
    /// Not built: refused.
    #[member(default)]
    pub(crate) policy_exclusion_list: Vec<PolicyIdentifier>,
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
pub(crate) struct SimulatePrincipalPolicyOutput {
    pub(crate) evaluation_results: Option<Vec<EvaluationResult>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for SimulatePrincipalPolicy {
    const NAME: &'static str = "SimulatePrincipalPolicy";
    type Service = Iam;
    type Input = SimulatePrincipalPolicyInput;
    type Output = SimulatePrincipalPolicyOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: SimulatePrincipalPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        if !input.policy_exclusion_list.is_empty() {
            return Err(not_built("PolicyExclusionList"));
        }
        if input.resource_handling_option.is_some() {
            return Err(not_built("ResourceHandlingOption"));
        }
        let arn = input.policy_source_arn.as_str();
        let access = Access::one(AccessRequest::new(
            "iam:SimulatePrincipalPolicy",
            arn,
            call.account(),
        ));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<SimulatePrincipalPolicyOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let source = iam.source(call, &input.policy_source_arn)?;
        let mut policies = source.policies(iam, call);
        policies
            .identity
            .extend(given(&input.policy_input_list, "PolicyInputList")?);
        if !input.permissions_boundary_policy_input_list.is_empty() {
            let texts = &input.permissions_boundary_policy_input_list;
            policies.boundary = Some(given(texts, "PermissionsBoundaryPolicyInputList")?);
        }
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
        let page = simulate(call.account(), &policies, &question, source.arn())?;
        Ok(SimulatePrincipalPolicyOutput {
            is_truncated: Some(page.is_truncated()),
            evaluation_results: Some(page.items),
            marker: page.marker,
        })
    }
}
