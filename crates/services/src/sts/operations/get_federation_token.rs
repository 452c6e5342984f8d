//! `GetFederationToken`: a session for somebody whom the user who asks vouches for.

use crate::sts::limits::{OWN_SESSION_SECONDS_DEFAULT, OWN_SESSION_SECONDS_MAX};
use crate::sts::session_policies::{check_policy, managed_policies, packed_size, with_request_tags};
use crate::sts::shapes::{Credentials, PolicyDescriptorType, Tag, pairs};
use crate::sts::subject::{federated_user_arn, federated_user_id};
use crate::sts::token::{Session, Subject};
use crate::sts::{Sts, StsError, validate};
use bulla_gate::{Access, AccessRequest, Authorized, Call, IdentityKind, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetFederationToken;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetFederationTokenRequest")]
pub(crate) struct GetFederationTokenInput {
    /// 2 to 32 characters.
    pub(crate) name: String,
    /// A session policy of 1 to 2,048 characters.
    pub(crate) policy: Option<String>,
    /// Managed policies of the account or of AWS as session policies.
    #[member(default)]
    pub(crate) policy_arns: Vec<PolicyDescriptorType>,
    /// 900 to 129,600; 43,200 if absent. Those of root users are cut to 3,600.
    pub(crate) duration_seconds: Option<i32>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
    /// Not built: refused.
    pub(crate) minimum_session_token_size: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetFederationTokenResponse")]
pub(crate) struct GetFederationTokenOutput {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) federated_user: Option<FederatedUser>,
    /// Percent of what session policies and tags may have; absent without them.
    pub(crate) packed_policy_size: Option<i32>,
    pub(crate) session_token_utilization: Option<i32>,
    pub(crate) session_token_size: Option<i32>,
}

/// The principal that the session is.
#[derive(Debug, Shape)]
pub(crate) struct FederatedUser {
    pub(crate) federated_user_id: String,
    pub(crate) arn: String,
}

impl Operation for GetFederationToken {
    const NAME: &'static str = "GetFederationToken";
    type Service = Sts;
    type Input = GetFederationTokenInput;
    type Output = GetFederationTokenOutput;
    type Error = StsError;
    /// The session's tags.
    type Target = Vec<(String, String)>;

    async fn resolve(
        _: &Sts,
        call: &Call<'_>,
        input: GetFederationTokenInput,
    ) -> Result<Resolved<Self>, StsError> {
        validate::federated_name(&input.name)?;
        validate::federated_policy(input.policy.as_deref())?;
        validate::duration(
            input.duration_seconds.unwrap_or(OWN_SESSION_SECONDS_DEFAULT),
            OWN_SESSION_SECONDS_MAX,
        )?;
        validate::not_built(&[(
            input.minimum_session_token_size.is_some(),
            "MinimumSessionTokenSize",
        )])?;
        let tags = pairs(&input.tags);
        validate::tags(&tags, &[])?;
        let arn = federated_user_arn(call.account(), &input.name);
        let asked = |action| {
            let request = AccessRequest::new(action, Arc::clone(&arn), call.account());
            with_request_tags(request, &tags)
        };
        let mut requests = vec![asked("sts:GetFederationToken")];
        if !tags.is_empty() {
            requests.push(asked("sts:TagSession"));
        }
        Ok(Resolved {
            input,
            target: tags,
            access: Access::Needs(requests),
        })
    }

    async fn execute(
        sts: &Sts,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetFederationTokenOutput, StsError> {
        let (input, tags) = granted.into_parts();
        let identity = call.caller().identity();
        let subject = match identity.kind {
            IdentityKind::Root => Subject::FederatedByRoot,
            IdentityKind::User => Subject::FederatedByUser,
            IdentityKind::AssumedRole | IdentityKind::FederatedUser { .. } | IdentityKind::Service => {
                return Err(StsError::RefusedSession);
            }
        };
        check_policy(input.policy.as_deref())?;
        let policy_arns = managed_policies(sts, identity.account, input.policy_arns)?;
        let packed_policy_size = packed_size(input.policy.as_deref(), &policy_arns, &tags)?;
        let length = Sts::own_session_length(identity, input.duration_seconds);
        let session = Session {
            subject,
            id: identity.user_id.to_string(),
            name: input.name,
            issued: call.time(),
            expires: call.time().after(length),
            policy: input.policy,
            policy_arns,
            source_identity: None,
            tags,
            transitive: Vec::new(),
        };
        Ok(GetFederationTokenOutput {
            credentials: Some(sts.issue(&session)?),
            federated_user: Some(FederatedUser {
                federated_user_id: federated_user_id(identity.account, &session.name),
                arn: federated_user_arn(identity.account, &session.name).to_string(),
            }),
            packed_policy_size,
            session_token_utilization: None,
            session_token_size: None,
        })
    }
}
