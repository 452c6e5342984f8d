//! A policy that is to be stored: what its own text and its caller decide. Whether the principals it names exist is
//! not known here.

use super::Answer;
use super::decide::Named;
use super::members::Members;
use crate::combine;
use crate::context::MapContext;
use crate::json::Value;
use crate::kind::{IdentityOwner, PolicyKind, Vendor};
use crate::policy::Policy;
use crate::request::{Layers, Request, ResourcePolicy};
use std::sync::Arc;

/// A call that stores a policy.
struct Call {
    name: &'static str,
    kind: PolicyKind,
    /// The error code for a document that is refused.
    malformed: &'static str,
    /// The error code for one that exceeds the size quota.
    too_large: &'static str,
}

const fn call(
    name: &'static str,
    kind: PolicyKind,
    malformed: &'static str,
    too_large: &'static str,
) -> Call {
    Call {
        name,
        kind,
        malformed,
        too_large,
    }
}

const fn iam(name: &'static str, owner: IdentityOwner) -> Call {
    call(
        name,
        PolicyKind::Identity(owner),
        "MalformedPolicyDocument",
        "LimitExceeded",
    )
}

/// Every call whose cases can be answered. The codes of the Organizations calls are written as those of IAM are, without
/// the `Exception` that ends them on the wire.
const CALLS: [Call; 19] = [
    call(
        "sqs:SetQueueAttributes",
        PolicyKind::Resource(Vendor::Sqs),
        "InvalidAttributeValue",
        "InvalidAttributeValue",
    ),
    call(
        "sqs:CreateQueue",
        PolicyKind::Resource(Vendor::Sqs),
        "InvalidAttributeValue",
        "InvalidAttributeValue",
    ),
    call(
        "sns:SetTopicAttributes",
        PolicyKind::Resource(Vendor::Sns),
        "InvalidParameter",
        "InvalidParameter",
    ),
    call(
        "sns:CreateTopic",
        PolicyKind::Resource(Vendor::Sns),
        "InvalidParameter",
        "InvalidParameter",
    ),
    call(
        "kms:PutKeyPolicy",
        PolicyKind::Resource(Vendor::Kms),
        "MalformedPolicyDocumentException",
        "LimitExceededException",
    ),
    call(
        "kms:CreateKey",
        PolicyKind::Resource(Vendor::Kms),
        "MalformedPolicyDocumentException",
        "LimitExceededException",
    ),
    call(
        "s3:PutBucketPolicy",
        PolicyKind::Resource(Vendor::S3),
        "MalformedPolicy",
        "MalformedPolicy",
    ),
    iam("iam:PutUserPolicy", IdentityOwner::User),
    iam("iam:PutGroupPolicy", IdentityOwner::Group),
    iam("iam:PutRolePolicy", IdentityOwner::Role),
    iam("iam:CreatePolicy", IdentityOwner::Managed),
    iam("iam:CreatePolicyVersion", IdentityOwner::Managed),
    call(
        "iam:CreateRole",
        PolicyKind::Trust,
        "MalformedPolicyDocument",
        "LimitExceeded",
    ),
    call(
        "iam:UpdateAssumeRolePolicy",
        PolicyKind::Trust,
        "MalformedPolicyDocument",
        "LimitExceeded",
    ),
    call(
        "sts:AssumeRole",
        PolicyKind::Session,
        "MalformedPolicyDocument",
        "PackedPolicyTooLarge",
    ),
    call(
        "sts:GetFederationToken",
        PolicyKind::Session,
        "MalformedPolicyDocument",
        "PackedPolicyTooLarge",
    ),
    call(
        "organizations:CreatePolicy(SERVICE_CONTROL_POLICY)",
        PolicyKind::ServiceControl,
        "MalformedPolicyDocument",
        "ConstraintViolationException",
    ),
    call(
        "organizations:CreatePolicy(RESOURCE_CONTROL_POLICY)",
        PolicyKind::ResourceControl,
        "MalformedPolicyDocument",
        "ConstraintViolationException",
    ),
    call(
        "ec2:CreateVpcEndpoint",
        PolicyKind::VpcEndpoint,
        "InvalidPolicyDocument",
        "InvalidPolicyDocument",
    ),
];

pub(super) fn answer(case: &Members<'_>, id: &str) -> Result<Answer, String> {
    let api = case.text("api")?;
    let call = CALLS
        .iter()
        .find(|call| call.name == api)
        .ok_or_else(|| format!("`{api}` is not a call that stores a policy"))?;
    let text = case.text("policyText")?;
    let resource = case.text_if_any("resource")?.unwrap_or_default();
    let accepted = Answer::Accepted { id: id.to_owned() };
    if text.is_empty() && call.kind == PolicyKind::Resource(Vendor::Sqs) {
        return Ok(accepted);
    }
    let refused = |error, message| Answer::Rejected {
        id: id.to_owned(),
        error,
        message,
    };
    let parsed = Policy::parse(text, call.kind).and_then(|policy| {
        policy.check_resource(resource)?;
        Ok(policy)
    });
    Ok(match parsed {
        Err(rejection) => {
            let too_large = rejection.reason() == crate::diagnostic::Reason::TooLarge;
            let error = if too_large { call.too_large } else { call.malformed };
            refused(error, rejection.to_string())
        }
        Ok(policy) => {
            let locked_out = call.kind == PolicyKind::Resource(Vendor::Kms)
                && !bypasses_lockout_check(case)?
                && locks_out(&policy, case, resource)?;
            if locked_out {
                let message = "the new key policy will not allow you to update the key policy in the future";
                refused(call.malformed, message.to_owned())
            } else {
                accepted
            }
        }
    })
}

fn bypasses_lockout_check(case: &Members<'_>) -> Result<bool, String> {
    let params = case.object("params")?;
    let bypass = params.and_then(|params| params.find("BypassPolicyLockoutSafetyCheck"));
    match bypass.map(|node| &node.value) {
        None => Ok(false),
        Some(Value::Bool(bypass)) => Ok(*bypass),
        Some(other) => Err(format!(
            "`BypassPolicyLockoutSafetyCheck` is a boolean, not {}",
            other.kind()
        )),
    }
}

/// Whether the caller could not put a key policy again. Where the new policy leaves that to the account, the caller's
/// own policies are taken to allow it: they let it make this call.
///
/// Source: KMS API Reference, `PutKeyPolicy`, `BypassPolicyLockoutSafetyCheck` (read 2026-11-21).
fn locks_out(policy: &Policy, case: &Members<'_>, key: &str) -> Result<bool, String> {
    const ACTION: &str = "kms:PutKeyPolicy";
    let account = key.split(':').nth(4).unwrap_or_default();
    let root = format!("arn:aws:iam::{account}:root");
    let caller = case.text_if_any("caller")?.unwrap_or(&root);
    let context = MapContext::new();
    let named = Named::read(caller, ACTION, &context)?;
    let everything = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let identity = Policy::parse(everything, PolicyKind::Identity(IdentityOwner::Managed))
        .map_err(|rejection| rejection.to_string())?;
    let identity = [Arc::new(identity)];
    let layers = Layers {
        identity: &identity,
        resource: ResourcePolicy::Mandatory(policy),
        ..Layers::default()
    };
    let request = Request {
        principal: named.principal(),
        action: ACTION,
        resource: key,
        resource_account: if account.is_empty() {
            named.account()
        } else {
            account
        },
        context: &context,
        same_account_only: false,
    };
    Ok(!combine::decide(&request, &layers).is_allowed())
}
