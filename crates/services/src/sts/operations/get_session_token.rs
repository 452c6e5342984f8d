//! `GetSessionToken`: temporary credentials of the user who asks, with the user's own permissions.

use crate::sts::limits::{OWN_SESSION_SECONDS_DEFAULT, OWN_SESSION_SECONDS_MAX};
use crate::sts::shapes::Credentials;
use crate::sts::token::{Session, Subject};
use crate::sts::{Sts, StsError, validate};
use bulla_gate::{Access, Authorized, Call, IdentityKind, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetSessionToken;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetSessionTokenRequest")]
pub(crate) struct GetSessionTokenInput {
    /// 900 to 129,600; 43,200 if absent. Those of root users are cut to 3,600.
    pub(crate) duration_seconds: Option<i32>,
    /// MFA is not built: refused.
    pub(crate) serial_number: Option<String>,
    /// MFA is not built: refused.
    pub(crate) token_code: Option<String>,
    /// Not built: refused.
    pub(crate) minimum_session_token_size: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetSessionTokenResponse")]
pub(crate) struct GetSessionTokenOutput {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) session_token_utilization: Option<i32>,
    pub(crate) session_token_size: Option<i32>,
}

impl Operation for GetSessionToken {
    const NAME: &'static str = "GetSessionToken";
    type Service = Sts;
    type Input = GetSessionTokenInput;
    type Output = GetSessionTokenOutput;
    type Error = StsError;
    type Target = ();

    async fn resolve(_: &Sts, _: &Call<'_>, input: GetSessionTokenInput) -> Result<Resolved<Self>, StsError> {
        validate::duration(
            input.duration_seconds.unwrap_or(OWN_SESSION_SECONDS_DEFAULT),
            OWN_SESSION_SECONDS_MAX,
        )?;
        validate::not_built(&[
            (input.serial_number.is_some(), "SerialNumber"),
            (input.token_code.is_some(), "TokenCode"),
            (
                input.minimum_session_token_size.is_some(),
                "MinimumSessionTokenSize",
            ),
        ])?;
        let source = "STS API Reference, GetSessionToken: \"No permissions are required for users to perform this operation.\"";
        Ok(Resolved {
            input,
            target: (),
            access: Access::NeedsNone {
                action: "sts:GetSessionToken",
                source,
            },
        })
    }

    async fn execute(
        sts: &Sts,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetSessionTokenOutput, StsError> {
        let (input, ()) = granted.into_parts();
        let identity = call.caller().identity();
        let subject = match identity.kind {
            IdentityKind::Root => Subject::Root,
            IdentityKind::User => Subject::User,
            IdentityKind::AssumedRole | IdentityKind::FederatedUser { .. } | IdentityKind::Service => {
                return Err(StsError::RefusedSession);
            }
        };
        let length = Sts::own_session_length(identity, input.duration_seconds);
        let session = Session {
            subject,
            id: identity.user_id.to_string(),
            name: String::new(),
            issued: call.time(),
            expires: call.time().after(length),
            policy: None,
            policy_arns: Vec::new(),
            source_identity: None,
            tags: Vec::new(),
            transitive: Vec::new(),
        };
        Ok(GetSessionTokenOutput {
            credentials: Some(sts.issue(&session)?),
            session_token_utilization: None,
            session_token_size: None,
        })
    }
}
