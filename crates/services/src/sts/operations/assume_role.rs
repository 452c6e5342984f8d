//! `AssumeRole`: a session of a role.

use crate::iam::SoughtRole;
use crate::sts::limits::{CHAINED_SESSION_SECONDS_MAX, SESSION_SECONDS_DEFAULT, SESSION_SECONDS_MAX};
use crate::sts::session_policies::{check_policy, managed_policies, packed_size, with_request_tags};
use crate::sts::shapes::{Credentials, PolicyDescriptorType, Tag, pairs};
use crate::sts::token::{Session, Subject};
use crate::sts::{Sts, StsError, validate};
use bulla_gate::{
    Access, AccessRequest, Authorized, Call, IdentityKind, Operation, Resolved, is_same_tag_key,
};
use bulla_wire::Shape;
use std::time::Duration;

/// The operation.
#[derive(Debug)]
pub(crate) struct AssumeRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "AssumeRoleRequest")]
pub(crate) struct AssumeRoleInput {
    pub(crate) role_arn: String,
    pub(crate) role_session_name: String,
    /// Managed policies of the role's account or of AWS as session policies.
    #[member(default)]
    pub(crate) policy_arns: Vec<PolicyDescriptorType>,
    /// A session policy.
    pub(crate) policy: Option<String>,
    /// 900 to the role's maximum; 3,600 if absent.
    pub(crate) duration_seconds: Option<i32>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
    #[member(default)]
    pub(crate) transitive_tag_keys: Vec<String>,
    pub(crate) external_id: Option<String>,
    /// MFA is not built: refused.
    pub(crate) serial_number: Option<String>,
    /// MFA is not built: refused.
    pub(crate) token_code: Option<String>,
    /// Who stands behind the session; what the caller's own session has cannot be changed.
    pub(crate) source_identity: Option<String>,
    /// Not built: refused.
    #[member(default)]
    pub(crate) provided_contexts: Vec<ProvidedContext>,
    /// Not built: refused.
    pub(crate) minimum_session_token_size: Option<i32>,
}

/// A context assertion.
#[derive(Debug, Shape)]
pub(crate) struct ProvidedContext {
    pub(crate) provider_arn: Option<String>,
    pub(crate) context_assertion: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "AssumeRoleResponse")]
pub(crate) struct AssumeRoleOutput {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) assumed_role_user: Option<AssumedRoleUser>,
    /// Percent of what session policy and tags may have; absent without them.
    pub(crate) packed_policy_size: Option<i32>,
    pub(crate) source_identity: Option<String>,
    pub(crate) session_token_utilization: Option<i32>,
    pub(crate) session_token_size: Option<i32>,
}

/// The principal that the session is.
#[derive(Debug, Shape)]
pub(crate) struct AssumedRoleUser {
    pub(crate) assumed_role_id: String,
    pub(crate) arn: String,
}

/// The role, and the tags of the session to be.
#[derive(Debug)]
pub(crate) struct Wanted {
    role: SoughtRole,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
    source_identity: Option<String>,
}

impl Operation for AssumeRole {
    const NAME: &'static str = "AssumeRole";
    type Service = Sts;
    type Input = AssumeRoleInput;
    type Output = AssumeRoleOutput;
    type Error = StsError;
    type Target = Wanted;

    async fn resolve(sts: &Sts, call: &Call<'_>, input: AssumeRoleInput) -> Result<Resolved<Self>, StsError> {
        let arn = validate::role_arn(&input.role_arn)?;
        validate::session_name(&input.role_session_name)?;
        validate::session_policy(input.policy.as_deref())?;
        validate::duration(
            input.duration_seconds.unwrap_or(SESSION_SECONDS_DEFAULT),
            SESSION_SECONDS_MAX,
        )?;
        input
            .external_id
            .as_deref()
            .map(validate::external_id)
            .transpose()?;
        validate::not_built(&[
            (input.serial_number.is_some(), "SerialNumber"),
            (input.token_code.is_some(), "TokenCode"),
            (!input.provided_contexts.is_empty(), "ProvidedContexts"),
            (
                input.minimum_session_token_size.is_some(),
                "MinimumSessionTokenSize",
            ),
        ])?;
        let source_identity = source_identity(call, input.source_identity.as_deref())?;
        if call.caller().identity().is_root() {
            return Err(StsError::RefusedRole {
                reason: "Roles may not be assumed by root accounts.",
            });
        }
        let invalid = || StsError::Validation {
            reason: format!("{} is invalid", input.role_arn),
        };
        let role = sts.sessions.principals.role(&arn).ok_or_else(invalid)?;
        let own = pairs(&input.tags);
        validate::tags(&own, &input.transitive_tag_keys)?;
        let asked = |action| {
            let request = with_keys(role.request(action), &input, &own);
            match &source_identity {
                Some(identity) => request.with_key("sts:SourceIdentity", identity.clone()),
                None => request,
            }
        };
        let mut requests = vec![asked("sts:AssumeRole")];
        if !own.is_empty() {
            requests.push(asked("sts:TagSession"));
        }
        // Also when the caller's session passes it on (IAM User Guide, "Source identity").
        if source_identity.is_some() {
            requests.push(asked("sts:SetSourceIdentity"));
        }
        let mut target = with_passed_on(sts, call, role, own, input.transitive_tag_keys.clone())?;
        target.source_identity = source_identity;
        Ok(Resolved {
            input,
            target,
            access: Access::Needs(requests),
        })
    }

    async fn execute(
        sts: &Sts,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<AssumeRoleOutput, StsError> {
        let (
            input,
            Wanted {
                role,
                tags,
                transitive,
                source_identity,
            },
        ) = granted.into_parts();
        let gone = StsError::RefusedRole {
            reason: "The role does not exist.",
        };
        let role = role.found().ok_or(gone)?;
        let seconds = length(call, role.max_session_seconds(), input.duration_seconds)?;
        check_policy(input.policy.as_deref())?;
        let policy_arns = managed_policies(sts, role.account(), input.policy_arns)?;
        let packed_policy_size = packed_size(input.policy.as_deref(), &policy_arns, &tags)?;
        let session = Session {
            subject: Subject::Role,
            id: role.id().to_string(),
            name: input.role_session_name,
            issued: call.time(),
            expires: call.time().after(seconds),
            policy: input.policy,
            policy_arns,
            source_identity,
            tags,
            transitive,
        };
        let credentials = sts.issue(&session)?;
        let principal = role.session(&session.name);
        Ok(AssumeRoleOutput {
            credentials: Some(credentials),
            assumed_role_user: Some(AssumedRoleUser {
                assumed_role_id: principal.user_id.to_string(),
                arn: principal.arn.to_string(),
            }),
            packed_policy_size,
            source_identity: session.source_identity,
            session_token_utilization: None,
            session_token_size: None,
        })
    }
}

/// The condition keys that the request gives.
fn with_keys(
    mut request: AccessRequest,
    input: &AssumeRoleInput,
    tags: &[(String, String)],
) -> AccessRequest {
    request = request.with_key("sts:RoleSessionName", input.role_session_name.clone());
    if let Some(id) = &input.external_id {
        request = request.with_key("sts:ExternalId", id.clone());
    }
    request = with_request_tags(request, tags);
    if !input.transitive_tag_keys.is_empty() {
        request = request.with_keys("sts:TransitiveTagKeys", input.transitive_tag_keys.clone());
    }
    request
}

/// Adds the tags that the caller's own session passes on; the request cannot replace them.
fn with_passed_on(
    sts: &Sts,
    call: &Call<'_>,
    role: SoughtRole,
    mut tags: Vec<(String, String)>,
    mut transitive: Vec<String>,
) -> Result<Wanted, StsError> {
    if call.caller().identity().kind == IdentityKind::AssumedRole {
        let passed = sts
            .sessions
            .passed_on(call.caller().access_key())
            .ok_or(StsError::SessionNotAtHand)?;
        for (key, value) in passed {
            if tags.iter().any(|(own, _)| is_same_tag_key(own, &key)) {
                let reason =
                    format!("The tag {key} is passed on by the caller's session and cannot be given again.");
                return Err(StsError::Validation { reason });
            }
            transitive.push(key.clone());
            tags.push((key, value));
        }
    }
    Ok(Wanted {
        role,
        tags,
        transitive,
        source_identity: None,
    })
}

/// Who stands behind the session to be: whoever stands behind the caller's, otherwise whom the request names.
fn source_identity(call: &Call<'_>, asked: Option<&str>) -> Result<Option<String>, StsError> {
    asked.map(validate::source_identity).transpose()?;
    let own = call.caller().identity().source_identity.as_deref();
    if own.is_some() && asked.is_some() && asked != own {
        return Err(StsError::Validation {
            reason: "The source identity of the caller's session cannot be changed.".to_owned(),
        });
    }
    Ok(own.or(asked).map(str::to_owned))
}

/// How long the session shall be.
fn length(call: &Call<'_>, role_max: i32, asked: Option<i32>) -> Result<Duration, StsError> {
    let chained = call.caller().identity().kind == IdentityKind::AssumedRole;
    let seconds = asked.unwrap_or(SESSION_SECONDS_DEFAULT);
    let reason = if chained && seconds > CHAINED_SESSION_SECONDS_MAX {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    } else if seconds > role_max {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else {
        return Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()));
    };
    Err(StsError::Validation {
        reason: reason.to_owned(),
    })
}
