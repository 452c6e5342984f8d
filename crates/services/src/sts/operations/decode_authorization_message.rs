//! `DecodeAuthorizationMessage`: why a call was denied, for those of the account that owns the resource.
//!
//! AWS encodes the reasons into the message; here the message names the decision, and the reasons are kept for a while.

use crate::sts::{Sts, StsError};
use bulla_gate::{
    Access, AccessRequest, Authorized, Call, DECODE_AUTHORIZATION_MESSAGE, Operation, Resolved,
};
use bulla_types::RequestId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DecodeAuthorizationMessage;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DecodeAuthorizationMessageRequest")]
pub(crate) struct DecodeAuthorizationMessageInput {
    /// The id of the decision.
    pub(crate) encoded_message: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DecodeAuthorizationMessageResponse")]
pub(crate) struct DecodeAuthorizationMessageOutput {
    /// The tree of reasons as JSON.
    pub(crate) decoded_message: Option<String>,
}

impl Operation for DecodeAuthorizationMessage {
    const NAME: &'static str = "DecodeAuthorizationMessage";
    type Service = Sts;
    type Input = DecodeAuthorizationMessageInput;
    type Output = DecodeAuthorizationMessageOutput;
    type Error = StsError;
    type Target = ();

    async fn resolve(
        _: &Sts,
        call: &Call<'_>,
        input: DecodeAuthorizationMessageInput,
    ) -> Result<Resolved<Self>, StsError> {
        let request = AccessRequest::new(DECODE_AUTHORIZATION_MESSAGE, "*", call.account());
        Ok(Resolved {
            input,
            target: (),
            access: Access::one(request),
        })
    }

    async fn execute(
        _: &Sts,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DecodeAuthorizationMessageOutput, StsError> {
        let (input, ()) = granted.into_parts();
        // One that another account owns is answered like one that never was.
        let id = RequestId::parse(input.encoded_message.trim());
        let denial = id.ok().and_then(|id| call.denial(id));
        let denial = denial.ok_or(StsError::InvalidAuthorizationMessage)?;
        Ok(DecodeAuthorizationMessageOutput {
            decoded_message: Some(denial.for_owner.clone()),
        })
    }
}
