//! Policy documents: compiled when stored; whatever is not understood is refused, never ignored.

use super::errors::IamError;
use super::limits::POLICY_SENT_CHARS_MAX;
use bulla_policy::{IdentityOwner, Policy, PolicyKind, Reason, Rejection};
use std::sync::Arc;

/// Compiles an identity policy of a user or role; the label names it in explanations.
pub(super) fn identity_policy(
    text: &str,
    owner: IdentityOwner,
    policy_name: &str,
    owner_words: &str,
) -> Result<Arc<Policy>, IamError> {
    let policy = compile(text, PolicyKind::Identity(owner))?;
    Ok(labelled(policy, policy_name, owner_words))
}

/// An identity policy that was stored: quotas and niceties that came later do not keep a server from starting.
pub(super) fn stored_identity_policy(
    text: &str,
    owner: IdentityOwner,
    policy_name: &str,
    owner_words: &str,
) -> Result<Arc<Policy>, Rejection> {
    let policy = Policy::parse_lenient(text, PolicyKind::Identity(owner))?;
    Ok(labelled(policy, policy_name, owner_words))
}

/// As explanations call a managed policy.
pub(super) fn labelled_managed(policy: Policy, name: &str) -> Arc<Policy> {
    Arc::new(policy.labelled(format!("managed policy \"{name}\"")))
}

/// With the words that explanations call it by.
pub(super) fn labelled(policy: Policy, policy_name: &str, owner_words: &str) -> Arc<Policy> {
    Arc::new(policy.labelled(format!("policy \"{policy_name}\" of {owner_words}")))
}

/// Compiles a document of this kind.
pub(super) fn compile(text: &str, kind: PolicyKind) -> Result<Policy, IamError> {
    if text.is_empty() || text.chars().count() > POLICY_SENT_CHARS_MAX {
        return Err(IamError::Validation {
            reason: format!(
                "1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: Member must have \
                 length between 1 and {POLICY_SENT_CHARS_MAX}"
            ),
        });
    }
    Policy::parse(text, kind).map_err(|rejection| {
        let reason = rejection.to_string();
        if rejection.reason() == Reason::TooLarge {
            IamError::LimitExceeded { reason }
        } else {
            IamError::MalformedPolicyDocument { reason }
        }
    })
}

/// The size that quotas count: without white space.
pub(super) fn counted_chars(text: &str) -> usize {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .count()
}

/// As IAM hands documents out: everything but RFC 3986's unreserved characters as `%XX`.
pub(super) fn percent_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| {
        DIGITS
            .get(usize::from(value))
            .map_or('0', |digit| char::from(*digit))
    };
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{counted_chars, percent_encode};

    #[test]
    fn documents_are_percent_encoded_as_rfc_3986_says() {
        assert_eq!(percent_encode("{\"a\": ~é}"), "%7B%22a%22%3A%20~%C3%A9%7D");
    }

    #[test]
    fn white_space_does_not_count_to_a_policys_size() {
        assert_eq!(counted_chars("{ \"a\":\n1 }"), 7);
    }
}
