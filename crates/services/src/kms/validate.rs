//! Bounds of request members, in the words that KMS uses for them.

use super::errors::KmsError;
use super::limits::{
    DESCRIPTION_CHARS_MAX, ENCRYPTION_CONTEXT_BYTES_MAX, MARKER_CHARS_MAX, PageLimits, TAG_KEY_CHARS_MAX,
    TAG_VALUE_CHARS_MAX, TAGS_MAX,
};
use super::shapes::Tag;
use std::collections::{BTreeMap, BTreeSet};

/// `1 validation error detected: Value 'x' at 'keyId' failed to satisfy constraint: …`.
pub(super) fn violation(value: &str, member: &str, constraint: &str) -> KmsError {
    KmsError::Validation {
        reason: format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ),
    }
}

/// A member that must be there and is not.
pub(super) fn missing(member: &str) -> KmsError {
    KmsError::Validation {
        reason: format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ),
    }
}

/// A text's length in characters.
pub(super) fn length(text: &str, member: &str, min: usize, max: usize) -> Result<(), KmsError> {
    let chars = text.chars().count();
    if chars < min {
        return Err(violation(
            text,
            member,
            &format!("Member must have length greater than or equal to {min}"),
        ));
    }
    if chars > max {
        let shown: String = text.chars().take(64).collect();
        return Err(violation(
            &shown,
            member,
            &format!("Member must have length less than or equal to {max}"),
        ));
    }
    Ok(())
}

/// A blob's length in bytes; its bytes are not shown.
pub(super) fn blob_length(bytes: &[u8], member: &str, max: usize) -> Result<(), KmsError> {
    if bytes.is_empty() {
        return Err(violation(
            "",
            member,
            "Member must have length greater than or equal to 1",
        ));
    }
    if bytes.len() > max {
        return Err(violation(
            "..",
            member,
            &format!("Member must have length less than or equal to {max}"),
        ));
    }
    Ok(())
}

/// A number's bounds.
pub(super) fn range(value: i32, member: &str, min: i32, max: i32) -> Result<i32, KmsError> {
    if value < min {
        return Err(violation(
            &value.to_string(),
            member,
            &format!("Member must have value greater than or equal to {min}"),
        ));
    }
    if value > max {
        return Err(violation(
            &value.to_string(),
            member,
            &format!("Member must have value less than or equal to {max}"),
        ));
    }
    Ok(value)
}

/// One of a set of words.
pub(super) fn one_of(value: &str, member: &str, words: &[&str]) -> Result<(), KmsError> {
    if words.contains(&value) {
        return Ok(());
    }
    let shown: String = value.chars().take(64).collect();
    Err(violation(
        &shown,
        member,
        &format!("Member must satisfy enum value set: [{}]", words.join(", ")),
    ))
}

/// The length of a page.
pub(super) fn page(limit: Option<i32>, limits: PageLimits) -> Result<usize, KmsError> {
    let limit = limit.map_or(Ok(limits.default), |limit| range(limit, "limit", 1, limits.max))?;
    Ok(usize::try_from(limit).unwrap_or(1))
}

/// A marker's length.
pub(super) fn marker(marker: Option<&str>) -> Result<(), KmsError> {
    marker.map_or(Ok(()), |marker| length(marker, "marker", 1, MARKER_CHARS_MAX))
}

/// A description's length.
pub(super) fn description(text: &str) -> Result<(), KmsError> {
    length(text, "description", 0, DESCRIPTION_CHARS_MAX)
}

/// An encryption context's size, and that no two of its keys differ in letter case alone.
///
/// AWS takes such contexts; but the condition keys `kms:EncryptionContext:…` do not know case, so that a policy would
/// look at one of the two values and the ciphertext be bound to the other.
pub(super) fn encryption_context(context: &BTreeMap<String, String>) -> Result<(), KmsError> {
    let distinct: BTreeSet<String> = context.keys().map(|key| key.to_lowercase()).collect();
    if distinct.len() < context.len() {
        return Err(KmsError::Validation {
            reason: "Keys of the encryption context must not differ in letter case alone".to_owned(),
        });
    }
    let bytes: usize = context
        .iter()
        .map(|(key, value)| key.len().saturating_add(value.len()))
        .sum();
    if bytes > ENCRYPTION_CONTEXT_BYTES_MAX {
        return Err(KmsError::Validation {
            reason: format!(
                "The encryption context must not be longer than {ENCRYPTION_CONTEXT_BYTES_MAX} bytes"
            ),
        });
    }
    Ok(())
}

/// Tags that a request adds, as a map.
///
/// Source: KMS API Reference, `Tag`; KMS Developer Guide, "Tags in AWS KMS" (read 2026-11-21).
pub(super) fn tags(tags: &[Tag]) -> Result<BTreeMap<String, String>, KmsError> {
    let mut map = BTreeMap::new();
    for Tag { tag_key, tag_value } in tags {
        tag_key_rule(tag_key)?;
        length(tag_value, "tags.member.tagValue", 0, TAG_VALUE_CHARS_MAX)?;
        if !tag_value.chars().all(is_tag_char) {
            return Err(KmsError::Tag {
                reason: format!("Invalid tag value of {tag_key}"),
            });
        }
        if map.insert(tag_key.clone(), tag_value.clone()).is_some() {
            return Err(KmsError::Tag {
                reason: "Duplicate tag keys".to_owned(),
            });
        }
    }
    tag_count(map.len())?;
    Ok(map)
}

/// How many tags a key has in the end.
pub(super) fn tag_count(count: usize) -> Result<(), KmsError> {
    if count > TAGS_MAX {
        return Err(KmsError::LimitExceeded {
            reason: format!("A key has at most {TAGS_MAX} tags"),
        });
    }
    Ok(())
}

/// A tag's key.
pub(super) fn tag_key_rule(key: &str) -> Result<(), KmsError> {
    length(key, "tags.member.tagKey", 1, TAG_KEY_CHARS_MAX)?;
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(KmsError::Tag {
            reason: "Tag keys that start with 'aws:' are reserved".to_owned(),
        });
    }
    if !key.chars().all(is_tag_char) {
        return Err(KmsError::Tag {
            reason: format!("Invalid tag key {key}"),
        });
    }
    Ok(())
}

/// Letters, digits, spaces and `_.:/=+-@`.
fn is_tag_char(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}
