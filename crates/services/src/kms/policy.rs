//! Key policies: compiled when stored, and understood wholly or refused.

use super::errors::KmsError;
use super::limits::POLICY_BYTES_MAX;
use bulla_policy::{Policy, PolicyKind, Rejection, Vendor};
use bulla_types::AccountId;
use std::sync::Arc;

/// The only name of a key policy.
pub(super) const DEFAULT_NAME: &str = "default";

/// What a key policy is to the policy language.
pub(super) const KIND: PolicyKind = PolicyKind::Resource(Vendor::Kms);

/// Compiles a policy that is to be stored for a key; whatever is not understood is refused, never ignored.
pub(super) fn parse(text: &str, key_arn: &str) -> Result<Arc<Policy>, KmsError> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(KmsError::LimitExceeded {
            reason: format!("The key policy is longer than {POLICY_BYTES_MAX} bytes"),
        });
    }
    Policy::parse(text, KIND)
        .map(|policy| label(policy, key_arn))
        .map_err(|rejection| KmsError::MalformedPolicy {
            reason: rejection.to_string(),
        })
}

/// Compiles a policy that was stored. Rules that have become stricter since do not keep a server from starting; what
/// is not understood still does.
pub(super) fn parse_stored(text: &str, key_arn: &str) -> Result<Arc<Policy>, Rejection> {
    Policy::parse_lenient(text, KIND).map(|policy| label(policy, key_arn))
}

fn label(policy: Policy, key_arn: &str) -> Arc<Policy> {
    Arc::new(policy.labelled(format!("key policy of {key_arn}")))
}

/// The policy of a key that was created without one: the account's identity policies decide.
///
/// Source: KMS Developer Guide, "Default key policy" (read 2026-11-21).
pub(super) fn default_for(account: AccountId) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// A policy that allows nobody anything: its only statement is about a resource that no request is about.
pub(super) fn nobody() -> Result<Arc<Policy>, &'static str> {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},
        "Action":"kms:CreateKey","Resource":"arn:aws:kms:none:000000000000:key/none"}}"#;
    let policy = Policy::parse(text, KIND).map_err(|_| "the policy that allows nobody does not compile")?;
    Ok(Arc::new(policy.labelled("key policy")))
}
