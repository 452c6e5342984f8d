//! `GetAccessKeyInfo`: the account that an access key belongs to, active or not.

use crate::sts::{Sts, StsError, validate};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetAccessKeyInfo;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetAccessKeyInfoRequest")]
pub(crate) struct GetAccessKeyInfoInput {
    /// Of a user or root user, or of a session that was used since the server started.
    pub(crate) access_key_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetAccessKeyInfoResponse")]
pub(crate) struct GetAccessKeyInfoOutput {
    pub(crate) account: Option<String>,
}

impl Operation for GetAccessKeyInfo {
    const NAME: &'static str = "GetAccessKeyInfo";
    type Service = Sts;
    type Input = GetAccessKeyInfoInput;
    type Output = GetAccessKeyInfoOutput;
    type Error = StsError;
    type Target = ();

    async fn resolve(
        _: &Sts,
        call: &Call<'_>,
        input: GetAccessKeyInfoInput,
    ) -> Result<Resolved<Self>, StsError> {
        validate::access_key_id(&input.access_key_id)?;
        Ok(Resolved {
            input,
            target: (),
            access: Access::one(AccessRequest::new("sts:GetAccessKeyInfo", "*", call.account())),
        })
    }

    async fn execute(
        sts: &Sts,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetAccessKeyInfoOutput, StsError> {
        let (input, ()) = granted.into_parts();
        let id = &input.access_key_id;
        let of_user = sts.sessions.principals.account_of_key(id);
        let account = of_user.or_else(|| sts.sessions.account_of(id));
        let account = account.ok_or_else(|| StsError::Validation {
            reason: format!("The access key {id} is not known here."),
        })?;
        Ok(GetAccessKeyInfoOutput {
            account: Some(account.to_string()),
        })
    }
}
