//! `CreateOrganization`: makes the caller's account the management account of a new organization.

use crate::organizations::access;
use crate::organizations::shapes::OrganizationShape;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateOrganization;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateOrganizationRequest")]
pub(crate) struct CreateOrganizationInput {
    /// `ALL`, also if absent.
    pub(crate) feature_set: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateOrganizationResponse")]
pub(crate) struct CreateOrganizationOutput {
    pub(crate) organization: Option<OrganizationShape>,
}

impl Operation for CreateOrganization {
    const NAME: &'static str = "CreateOrganization";
    type Service = Organizations;
    type Input = CreateOrganizationInput;
    type Output = CreateOrganizationOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        _: &Organizations,
        call: &Call<'_>,
        input: CreateOrganizationInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        match input.feature_set.as_deref() {
            None | Some("ALL") => {}
            Some(other) => {
                let reason =
                    format!("You provided the FeatureSet {other}; organizations here have ALL features.");
                return Err(OrganizationsError::InvalidInput { reason });
            }
        }
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:CreateOrganization", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<CreateOrganizationOutput, OrganizationsError> {
        let account = call.account();
        organizations
            .create(account, account.as_str(), call.time())
            .await?;
        call.authorization_changed();
        let organization = organizations.view().of(account)?.described();
        Ok(CreateOrganizationOutput {
            organization: Some(organization),
        })
    }
}
