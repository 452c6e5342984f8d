//! `GetCallerIdentity`: who signed the request.

use crate::sts::{Sts, StsError};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetCallerIdentity;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetCallerIdentityRequest")]
pub(crate) struct GetCallerIdentityInput {}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetCallerIdentityResponse")]
pub(crate) struct GetCallerIdentityOutput {
    pub(crate) user_id: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) arn: Option<String>,
}

impl Operation for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    type Service = Sts;
    type Input = GetCallerIdentityInput;
    type Output = GetCallerIdentityOutput;
    type Error = StsError;
    type Target = ();

    async fn resolve(
        _: &Sts,
        _: &Call<'_>,
        input: GetCallerIdentityInput,
    ) -> Result<Resolved<Self>, StsError> {
        let source = "STS API Reference, GetCallerIdentity: \"No permissions are required to perform this operation.\"";
        Ok(Resolved {
            input,
            target: (),
            access: Access::NeedsNone {
                action: "sts:GetCallerIdentity",
                source,
            },
        })
    }

    async fn execute(
        _: &Sts,
        call: &Call<'_>,
        _: Authorized<Self>,
    ) -> Result<GetCallerIdentityOutput, StsError> {
        let identity = call.caller().identity();
        Ok(GetCallerIdentityOutput {
            user_id: Some(identity.user_id.to_string()),
            account: Some(identity.account.to_string()),
            arn: Some(identity.arn.to_string()),
        })
    }
}
