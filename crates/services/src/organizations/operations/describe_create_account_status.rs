//! `DescribeCreateAccountStatus`: how far a request for an account is.

use crate::organizations::access;
use crate::organizations::shapes::CreateAccountStatus;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeCreateAccountStatus;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribeCreateAccountStatusRequest")]
pub(crate) struct DescribeCreateAccountStatusInput {
    /// `car-…`.
    pub(crate) create_account_request_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeCreateAccountStatusResponse")]
pub(crate) struct DescribeCreateAccountStatusOutput {
    pub(crate) create_account_status: Option<CreateAccountStatus>,
}

impl Operation for DescribeCreateAccountStatus {
    const NAME: &'static str = "DescribeCreateAccountStatus";
    type Service = Organizations;
    type Input = DescribeCreateAccountStatusInput;
    type Output = DescribeCreateAccountStatusOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: DescribeCreateAccountStatusInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        organizations.managed(call)?;
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:DescribeCreateAccountStatus", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DescribeCreateAccountStatusOutput, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        let view = organizations.view();
        let creations = &view.managed_by(call.account())?.creations;
        let creation = creations.get(&input.create_account_request_id);
        let status = creation
            .ok_or(OrganizationsError::CreateAccountStatusNotFound)?
            .status();
        Ok(DescribeCreateAccountStatusOutput {
            create_account_status: Some(status),
        })
    }
}
