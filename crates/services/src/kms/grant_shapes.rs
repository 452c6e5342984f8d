//! Structures of the operations about grants, and how clients' words become terms.

use super::errors::KmsError;
use super::grant::{GRANT_OPERATIONS, Grant, Terms, fits};
use super::key::Key;
use super::limits::{
    GRANT_CONSTRAINT_CHARS_MAX, GRANT_CONSTRAINT_PAIRS_MAX, GRANT_NAME_CHARS_MAX, PRINCIPAL_CHARS_MAX,
};
use super::reference::key_arn;
use super::validate::{encryption_context, length, one_of, violation};
use bulla_policy::GrantConstraint;
use bulla_types::Timestamp;
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the encryption context of requests must be.
#[derive(Debug, Default, Shape)]
pub(crate) struct GrantConstraints {
    /// These pairs and perhaps others.
    pub(crate) encryption_context_subset: Option<BTreeMap<String, String>>,
    /// Exactly these pairs.
    pub(crate) encryption_context_equals: Option<BTreeMap<String, String>>,
    /// For grants to services; not built.
    pub(crate) source_arn: Option<String>,
}

/// A grant in a list.
#[derive(Debug, Shape)]
pub(crate) struct GrantListEntry {
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) grant_id: String,
    pub(crate) name: Option<String>,
    pub(crate) creation_date: Timestamp,
    pub(crate) grantee_principal: Option<String>,
    pub(crate) retiring_principal: Option<String>,
    /// The account that made it, as its root user's ARN.
    pub(crate) issuing_account: String,
    pub(crate) operations: Vec<String>,
    pub(crate) constraints: Option<GrantConstraints>,
    pub(crate) grantee_service_principal: Option<String>,
    pub(crate) retiring_service_principal: Option<String>,
}

impl From<&Grant> for GrantListEntry {
    fn from(grant: &Grant) -> Self {
        let terms = &grant.terms;
        Self {
            key_id: key_arn(grant.region, grant.owner, grant.key).to_string(),
            grant_id: grant.id.to_string(),
            name: terms.name.clone(),
            creation_date: grant.created,
            grantee_principal: Some(terms.grantee.to_string()),
            retiring_principal: terms.retiring.as_ref().map(ToString::to_string),
            issuing_account: format!("arn:aws:iam::{}:root", grant.issuer),
            operations: terms.operations.clone(),
            constraints: terms.constraint.as_ref().map(|constraint| match constraint {
                GrantConstraint::EncryptionContextEquals(pairs) => GrantConstraints {
                    encryption_context_equals: Some(pairs.clone()),
                    ..GrantConstraints::default()
                },
                GrantConstraint::EncryptionContextSubset(pairs) => GrantConstraints {
                    encryption_context_subset: Some(pairs.clone()),
                    ..GrantConstraints::default()
                },
            }),
            grantee_service_principal: None,
            retiring_service_principal: None,
        }
    }
}

/// What `ListGrants` and `ListRetirableGrants` answer.
#[derive(Debug, Shape)]
#[shape(name = "ListGrantsResponse")]
pub(crate) struct ListGrantsOutput {
    pub(crate) grants: Vec<GrantListEntry>,
    pub(crate) next_marker: Option<String>,
    pub(crate) truncated: bool,
}

impl ListGrantsOutput {
    /// The first `limit` of these.
    pub(crate) fn page<'a>(mut found: impl Iterator<Item = &'a Arc<Grant>>, limit: usize) -> Self {
        let grants: Vec<_> = found
            .by_ref()
            .take(limit)
            .map(|grant| GrantListEntry::from(&**grant))
            .collect();
        let truncated = found.next().is_some();
        let next_marker = grants.last().filter(|_| truncated);
        Self {
            next_marker: next_marker.map(|last| last.grant_id.clone()),
            grants,
            truncated,
        }
    }
}

/// Grants to services and by services are not built: whoever asks for one is told so.
pub(super) fn no_service(principal: Option<&String>, member: &str) -> Result<(), KmsError> {
    principal.map_or(Ok(()), |_| {
        Err(KmsError::Unsupported {
            reason: format!("{member} is not built; grants are for the principals of accounts"),
        })
    })
}

/// The ARN of a principal.
pub(super) fn principal(text: &str, member: &str) -> Result<Arc<str>, KmsError> {
    length(text, member, 1, PRINCIPAL_CHARS_MAX)?;
    let known = bulla_policy::Grant::new("", text, ["RetireGrant"], None).is_ok();
    if known && text.starts_with("arn:") {
        return Ok(text.into());
    }
    Err(KmsError::InvalidArn {
        text: text.to_owned(),
    })
}

/// The name of a grant.
pub(super) fn name(name: &str) -> Result<(), KmsError> {
    length(name, "name", 1, GRANT_NAME_CHARS_MAX)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'/' | b'_' | b'-');
    if name.bytes().all(allowed) {
        return Ok(());
    }
    Err(violation(
        name,
        "name",
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
    ))
}

/// The operations that a grant allows: at least one, each known.
pub(super) fn operations(operations: &[String]) -> Result<Vec<String>, KmsError> {
    if operations.is_empty() {
        return Err(violation(
            "[]",
            "operations",
            "Member must have length greater than or equal to 1",
        ));
    }
    for operation in operations {
        one_of(operation, "operations", GRANT_OPERATIONS)?;
    }
    let mut sorted = operations.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    Ok(sorted)
}

/// Refuses terms that are of no use with the key: operations that it has not, an encryption context where there is none.
pub(super) fn check_fit(terms: &Terms, key: &Key) -> Result<(), KmsError> {
    if let Some(operation) = terms.operations.iter().find(|name| !fits(key.kind, name)) {
        return Err(KmsError::Validation {
            reason: format!("Operation {operation} is not supported by the key's KeyUsage and KeySpec"),
        });
    }
    if terms.constraint.is_some() && !key.kind.is_symmetric() {
        return Err(KmsError::Validation {
            reason: "Grant constraints are for symmetric encryption keys only".to_owned(),
        });
    }
    Ok(())
}

/// The constraint of a grant, if it has one.
pub(super) fn constraint(
    constraints: Option<&GrantConstraints>,
) -> Result<Option<GrantConstraint>, KmsError> {
    let Some(constraints) = constraints else {
        return Ok(None);
    };
    no_service(constraints.source_arn.as_ref(), "The constraint SourceArn")?;
    let filled = |pairs: &Option<BTreeMap<String, String>>| pairs.clone().filter(|pairs| !pairs.is_empty());
    let equals = filled(&constraints.encryption_context_equals);
    let subset = filled(&constraints.encryption_context_subset);
    let constraint = match (equals, subset) {
        (Some(_), Some(_)) => {
            return Err(KmsError::Validation {
                reason: "A grant has either EncryptionContextEquals or EncryptionContextSubset, not both"
                    .to_owned(),
            });
        }
        (Some(pairs), None) => GrantConstraint::EncryptionContextEquals(pairs),
        (None, Some(pairs)) => GrantConstraint::EncryptionContextSubset(pairs),
        (None, None) => return Ok(None),
    };
    let (GrantConstraint::EncryptionContextEquals(pairs) | GrantConstraint::EncryptionContextSubset(pairs)) =
        &constraint;
    encryption_context(pairs)?;
    let chars: usize = pairs
        .iter()
        .map(|(key, value)| key.chars().count().saturating_add(value.chars().count()))
        .sum();
    if pairs.len() > GRANT_CONSTRAINT_PAIRS_MAX || chars > GRANT_CONSTRAINT_CHARS_MAX {
        return Err(KmsError::Validation {
            reason: format!(
                "A grant constraint has at most {GRANT_CONSTRAINT_PAIRS_MAX} pairs and {GRANT_CONSTRAINT_CHARS_MAX} \
                 characters"
            ),
        });
    }
    Ok(Some(constraint))
}

/// Refuses terms that the policy engine does not understand.
pub(super) fn check(terms: &Terms) -> Result<(), KmsError> {
    terms
        .compile("")
        .map(drop)
        .map_err(|reason| KmsError::Validation {
            reason: reason.to_owned(),
        })
}
