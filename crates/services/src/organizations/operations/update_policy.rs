//! `UpdatePolicy`: another name, description or document for a control policy; a new document binds at once.

use crate::organizations::control::{Found, check_words};
use crate::organizations::shapes::PolicyShape;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_policy::Policy;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdatePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdatePolicyRequest")]
pub(crate) struct UpdatePolicyInput {
    pub(crate) policy_id: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// The document.
    pub(crate) content: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "UpdatePolicyResponse")]
pub(crate) struct UpdatePolicyOutput {
    pub(crate) policy: Option<PolicyShape>,
}

impl Operation for UpdatePolicy {
    const NAME: &'static str = "UpdatePolicy";
    type Service = Organizations;
    type Input = UpdatePolicyInput;
    type Output = UpdatePolicyOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: UpdatePolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::policy(&input.policy_id)?;
        let access = organizations.policy_access(call, "organizations:UpdatePolicy", &input.policy_id)?;
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
    ) -> Result<UpdatePolicyOutput, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        let shape = organizations
            .change(call, |tree| {
                let mut policy = tree.own_policy(&input.policy_id)?.clone();
                policy.name = input.name.unwrap_or(policy.name);
                policy.description = input.description.unwrap_or(policy.description);
                check_words(&policy.name, &policy.description)?;
                let taken = |found: Found<'_>| found.has_name(&policy.name) && !found.has_id(&policy.id);
                if tree.policies_of(policy.kind).any(taken) {
                    return Err(OrganizationsError::DuplicatePolicy);
                }
                policy.policy = match input.content {
                    Some(content) => policy.kind.compile(&content, &policy.name)?,
                    None => policy.kind.labelled(Policy::clone(&policy.policy), &policy.name),
                };
                let shape = tree.policy(Found::Own(&policy));
                Ok((vec![Stored::Policy(tree.organization.id, policy)], shape))
            })
            .await?;
        Ok(UpdatePolicyOutput { policy: Some(shape) })
    }
}
