//! `EnablePolicyType`: a type of control policy binds from now on; AWS's policies, which allow everything, are attached everywhere.

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
pub(crate) struct EnablePolicyType;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "EnablePolicyTypeRequest")]
pub(crate) struct EnablePolicyTypeInput {
    pub(crate) root_id: String,
    /// `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`.
    pub(crate) policy_type: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "EnablePolicyTypeResponse")]
pub(crate) struct EnablePolicyTypeOutput {
    pub(crate) root: Option<Root>,
}

impl Operation for EnablePolicyType {
    const NAME: &'static str = "EnablePolicyType";
    type Service = Organizations;
    type Input = EnablePolicyTypeInput;
    type Output = EnablePolicyTypeOutput;
    type Error = OrganizationsError;
    type Target = ControlKind;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: EnablePolicyTypeInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let root = validate::root(&input.root_id)?;
        let kind = ControlKind::parse(&input.policy_type)?;
        let organization = organizations.managed(call)?;
        if root != organization.root {
            return Err(OrganizationsError::RootNotFound);
        }
        let arn = organization.parent_arn(ParentId::Root(root));
        let request = AccessRequest::new("organizations:EnablePolicyType", arn, call.account());
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
    ) -> Result<EnablePolicyTypeOutput, OrganizationsError> {
        let (_, kind) = granted.into_parts();
        if organizations.is_enabled(call, kind)? {
            return Err(OrganizationsError::PolicyTypeAlreadyEnabled);
        }
        // What an interrupted disabling left.
        organizations.detach_all(call, kind).await?;
        organizations
            .change(call, |tree| {
                let mut controls = tree.controls.clone();
                if !controls.enabled.insert(kind) {
                    return Err(OrganizationsError::PolicyTypeAlreadyEnabled);
                }
                Ok((vec![Stored::Controls(tree.organization.id, controls)], ()))
            })
            .await?;
        let root = organizations.view().managed_by(call.account())?.root();
        Ok(EnablePolicyTypeOutput { root: Some(root) })
    }
}
