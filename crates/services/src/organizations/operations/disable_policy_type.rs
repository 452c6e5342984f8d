//! `DisablePolicyType`: a type of control policy binds no more; its policies are detached from everything.

use crate::organizations::control::ControlKind;
use crate::organizations::shapes::Root;
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::ParentId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DisablePolicyType;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DisablePolicyTypeRequest")]
pub(crate) struct DisablePolicyTypeInput {
    pub(crate) root_id: String,
    /// `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`.
    pub(crate) policy_type: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DisablePolicyTypeResponse")]
pub(crate) struct DisablePolicyTypeOutput {
    pub(crate) root: Option<Root>,
}

impl Operation for DisablePolicyType {
    const NAME: &'static str = "DisablePolicyType";
    type Service = Organizations;
    type Input = DisablePolicyTypeInput;
    type Output = DisablePolicyTypeOutput;
    type Error = OrganizationsError;
    type Target = ControlKind;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DisablePolicyTypeInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let root = validate::root(&input.root_id)?;
        let kind = ControlKind::parse(&input.policy_type)?;
        let organization = organizations.managed(call)?;
        if root != organization.root {
            return Err(OrganizationsError::RootNotFound);
        }
        let arn = organization.parent_arn(ParentId::Root(root));
        let request = AccessRequest::new("organizations:DisablePolicyType", arn, call.account());
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
    ) -> Result<DisablePolicyTypeOutput, OrganizationsError> {
        let (_, kind) = granted.into_parts();
        organizations
            .change(call, |tree| {
                let mut controls = tree.controls.clone();
                if !controls.enabled.remove(&kind) {
                    return Err(OrganizationsError::PolicyTypeNotEnabled);
                }
                match kind {
                    ControlKind::Service => controls.without_full_access.clear(),
                    ControlKind::Resource => {}
                }
                Ok((vec![Stored::Controls(tree.organization.id, controls)], ()))
            })
            .await?;
        organizations.detach_all(call, kind).await?;
        let root = organizations.view().managed_by(call.account())?.root();
        Ok(DisablePolicyTypeOutput { root: Some(root) })
    }
}
