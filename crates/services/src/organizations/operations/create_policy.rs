//! `CreatePolicy`: a control policy that is attached to nothing.

use crate::organizations::control::{ControlKind, ControlPolicy, Found, check_words};
use crate::organizations::limits::POLICIES_MAX;
use crate::organizations::shapes::{PolicyShape, Tag};
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeSet;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreatePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreatePolicyRequest")]
pub(crate) struct CreatePolicyInput {
    /// The document.
    pub(crate) content: String,
    pub(crate) description: String,
    pub(crate) name: String,
    /// `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`.
    #[member(name = "Type")]
    pub(crate) kind: String,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreatePolicyResponse")]
pub(crate) struct CreatePolicyOutput {
    pub(crate) policy: Option<PolicyShape>,
}

impl Operation for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    type Service = Organizations;
    type Input = CreatePolicyInput;
    type Output = CreatePolicyOutput;
    type Error = OrganizationsError;
    type Target = ControlKind;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: CreatePolicyInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let kind = ControlKind::parse(&input.kind)?;
        check_words(&input.name, &input.description)?;
        validate::no_tags(&input.tags)?;
        organizations.managed(call)?;
        let request = AccessRequest::new("organizations:CreatePolicy", "*", call.account());
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
    ) -> Result<CreatePolicyOutput, OrganizationsError> {
        let (input, kind) = granted.into_parts();
        let id = organizations.policy_id();
        let policy = ControlPolicy {
            policy: kind.compile(&input.content, &input.name)?,
            id,
            name: input.name,
            description: input.description,
            kind,
            targets: BTreeSet::new(),
        };
        let shape = organizations
            .change(call, |tree| {
                if tree.policies_of(kind).any(|found| found.has_name(&policy.name)) {
                    return Err(OrganizationsError::DuplicatePolicy);
                }
                if tree.policies.len() >= POLICIES_MAX {
                    let reason = format!("An organization has at most {POLICIES_MAX} policies.");
                    return Err(OrganizationsError::ConstraintViolation { reason });
                }
                let shape = tree.policy(Found::Own(&policy));
                Ok((vec![Stored::Policy(tree.organization.id, policy)], shape))
            })
            .await?;
        Ok(CreatePolicyOutput { policy: Some(shape) })
    }
}
