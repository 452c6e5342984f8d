//! What a session brings along: session policies and tags.

use super::limits::{PACKED_BYTES_MAX, POLICY_ARNS_MAX, SESSION_POLICIES_CHARS_MAX};
use super::shapes::PolicyDescriptorType;
use super::{Sts, StsError};
use bulla_gate::AccessRequest;
use bulla_policy::{Policy, PolicyKind, Reason};
use bulla_types::AccountId;

/// With the tags that the request carries.
pub(super) fn with_request_tags(mut request: AccessRequest, tags: &[(String, String)]) -> AccessRequest {
    for (key, value) in tags {
        request = request.with_key(format!("aws:RequestTag/{key}"), value.clone());
    }
    if tags.is_empty() {
        return request;
    }
    request.with_keys("aws:TagKeys", tags.iter().map(|(key, _)| key.clone()).collect())
}

/// The managed session policies, which must exist in the account or be of AWS.
pub(super) fn managed_policies(
    sts: &Sts,
    account: AccountId,
    given: Vec<PolicyDescriptorType>,
) -> Result<Vec<String>, StsError> {
    if given.len() > POLICY_ARNS_MAX {
        let reason = format!("A session has at most {POLICY_ARNS_MAX} managed session policies.");
        return Err(StsError::Validation { reason });
    }
    // One that cannot be read must not be left out: it is a limit.
    let arns: Option<Vec<String>> = given.into_iter().map(|policy| policy.arn).collect();
    let Some(arns) = arns else {
        let reason = "A member of PolicyArns has no arn.".to_owned();
        return Err(StsError::Validation { reason });
    };
    let principals = &sts.sessions.principals;
    match arns
        .iter()
        .find(|arn| principals.managed_policy(account, arn).is_none())
    {
        Some(arn) => Err(StsError::Validation {
            reason: format!("The policy {arn} does not exist in the account of the session."),
        }),
        None => Ok(arns),
    }
}

/// Whether a session policy is understood.
pub(super) fn check_policy(text: Option<&str>) -> Result<(), StsError> {
    let Some(text) = text else { return Ok(()) };
    match Policy::parse(text, PolicyKind::Session) {
        Ok(_) => Ok(()),
        Err(rejection) if rejection.reason() == Reason::TooLarge => Err(StsError::PackedPolicyTooLarge {
            reason: rejection.to_string(),
        }),
        Err(rejection) => Err(StsError::MalformedPolicyDocument {
            reason: rejection.to_string(),
        }),
    }
}

/// How much of what policy and tags may have together is used, in percent; session policies have a bound of their own
/// (STS API Reference, `AssumeRole`, `Policy` and `PolicyArns`, read 2026-11-21).
pub(super) fn packed_size(
    policy: Option<&str>,
    policy_arns: &[String],
    tags: &[(String, String)],
) -> Result<Option<i32>, StsError> {
    let characters = |text: &str| text.chars().count();
    let arns: usize = policy_arns.iter().map(|arn| characters(arn)).sum();
    if policy.map_or(0, characters).saturating_add(arns) > SESSION_POLICIES_CHARS_MAX {
        let reason = format!(
            "The session policies, inline and managed, have more than {SESSION_POLICIES_CHARS_MAX} characters together."
        );
        return Err(StsError::PackedPolicyTooLarge { reason });
    }
    let tagged: usize = tags
        .iter()
        .map(|(key, value)| key.len().saturating_add(value.len()))
        .sum();
    let named: usize = policy_arns.iter().map(String::len).sum();
    let bytes = policy
        .map_or(0, str::len)
        .saturating_add(tagged)
        .saturating_add(named);
    if bytes > PACKED_BYTES_MAX {
        let reason = "Policy and tags of the session are too large together.".to_owned();
        return Err(StsError::PackedPolicyTooLarge { reason });
    }
    let percent = bytes.saturating_mul(100).div_ceil(PACKED_BYTES_MAX);
    Ok(i32::try_from(percent).ok().filter(|percent| *percent > 0))
}
