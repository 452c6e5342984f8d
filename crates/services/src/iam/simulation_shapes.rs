//! Structures of the policy simulator, as the API has them.

use bulla_wire::Shape;
use std::collections::BTreeMap;

/// The values of a condition key.
#[derive(Clone, Debug, Shape)]
pub(crate) struct ContextEntry {
    #[member(name = "ContextKeyName")]
    pub(crate) name: Option<String>,
    #[member(name = "ContextKeyValues")]
    pub(crate) values: Option<Vec<String>>,
    /// `string`, `stringList` and so on.
    #[member(name = "ContextKeyType")]
    pub(crate) kind: Option<String>,
}

/// What was decided about one action on one resource.
#[derive(Clone, Debug, Shape)]
pub(crate) struct EvaluationResult {
    pub(crate) eval_action_name: String,
    pub(crate) eval_resource_name: Option<String>,
    /// `allowed`, `explicitDeny`, `implicitDeny`.
    pub(crate) eval_decision: String,
    pub(crate) matched_statements: Option<Vec<Statement>>,
    pub(crate) missing_context_values: Option<Vec<String>>,
    pub(crate) organizations_decision_detail: Option<OrganizationsDecision>,
    pub(crate) permissions_boundary_decision_detail: Option<BoundaryDecision>,
    /// Never written.
    pub(crate) eval_decision_details: Option<BTreeMap<String, String>>,
    /// Never written: every resource has a result of its own.
    pub(crate) resource_specific_results: Option<Vec<ResourceSpecificResult>>,
}

/// A statement that decided.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Statement {
    pub(crate) source_policy_id: Option<String>,
    pub(crate) source_policy_type: Option<String>,
    pub(crate) start_position: Option<Position>,
    pub(crate) end_position: Option<Position>,
}

/// A place in a policy.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Position {
    pub(crate) line: Option<i32>,
    pub(crate) column: Option<i32>,
}

/// What the service control policies say.
#[derive(Clone, Debug, Shape)]
#[shape(name = "OrganizationsDecisionDetail")]
pub(crate) struct OrganizationsDecision {
    pub(crate) allowed_by_organizations: Option<bool>,
}

/// What the permissions boundary says.
#[derive(Clone, Debug, Shape)]
#[shape(name = "PermissionsBoundaryDecisionDetail")]
pub(crate) struct BoundaryDecision {
    pub(crate) allowed_by_permissions_boundary: Option<bool>,
}

/// What was decided about one of several resources; never written.
#[derive(Clone, Debug, Shape)]
pub(crate) struct ResourceSpecificResult {
    pub(crate) eval_resource_name: String,
    pub(crate) eval_resource_decision: String,
    pub(crate) matched_statements: Option<Vec<Statement>>,
    pub(crate) missing_context_values: Option<Vec<String>>,
    pub(crate) eval_decision_details: Option<BTreeMap<String, String>>,
    pub(crate) permissions_boundary_decision_detail: Option<BoundaryDecision>,
}

/// The service control policies of one level.
#[derive(Clone, Debug, Shape)]
pub(crate) struct OrderedOrganizationPolicyType {
    pub(crate) service_control_policy_input_list: Option<Vec<String>>,
}

/// A policy that is left out of a simulation.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicyIdentifier {
    pub(crate) policy_type: Option<String>,
    pub(crate) policy_arn: Option<String>,
    #[member(name = "InlinePolicyIdentifier")]
    pub(crate) inline: Option<InlinePolicyIdentifierType>,
}

/// An inline policy that is left out of a simulation.
#[derive(Clone, Debug, Shape)]
pub(crate) struct InlinePolicyIdentifierType {
    pub(crate) policy_name: String,
    pub(crate) attachment_type: String,
    pub(crate) attachment_name: String,
}
