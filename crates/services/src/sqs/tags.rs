//! Tags of queues.

use super::errors::SqsError;
use super::limits::{TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX};
use bulla_gate::AccessRequest;
use std::collections::BTreeMap;

/// The tags, if all are well-formed and not too many.
pub(crate) fn checked(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, SqsError> {
    if tags.len() > TAGS_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Too many tags added for queue: at most {TAGS_MAX}."
        )));
    }
    for (key, value) in &tags {
        let key_chars = key.chars().count();
        if key_chars == 0 || key_chars > TAG_KEY_CHARS_MAX || value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(SqsError::InvalidParameterValue(format!(
                "Tag keys must be between 1 and {TAG_KEY_CHARS_MAX} characters, tag values at most \
                 {TAG_VALUE_CHARS_MAX} characters in length."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(SqsError::InvalidParameterValue(
                "aws: prefixed tag key names are not allowed for external use.".into(),
            ));
        }
    }
    Ok(tags)
}

/// The request with `aws:RequestTag/…` and `aws:TagKeys`.
pub(crate) fn requested(
    mut request: AccessRequest,
    tags: Option<&BTreeMap<String, String>>,
) -> AccessRequest {
    let Some(tags) = tags.filter(|tags| !tags.is_empty()) else {
        return request;
    };
    for (key, value) in tags {
        request = request.with_key(format!("aws:RequestTag/{key}"), value);
    }
    request.with_keys("aws:TagKeys", tags.keys().cloned().collect())
}
