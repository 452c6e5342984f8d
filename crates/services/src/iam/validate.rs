//! Names, paths and tags: checked once, in AWS's words.

use super::errors::IamError;
use super::limits::{
    ACCESS_KEY_ID_CHARS_MAX, ACCESS_KEY_ID_CHARS_MIN, ALIAS_CHARS_MAX, ALIAS_CHARS_MIN,
    DESCRIPTION_CHARS_MAX, PATH_CHARS_MAX, POLICY_NAME_CHARS_MAX, SESSION_SECONDS_DEFAULT,
    SESSION_SECONDS_MAX, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX,
};
use super::shapes::Tag;
use bulla_gate::fold_tag_key;
use std::collections::BTreeMap;

/// Tags of a user or role by key in lower case: keys differ by more than letter case, but keep the case they came in.
pub(super) type Tags = BTreeMap<String, Tag>;

fn invalid(reason: impl Into<String>) -> IamError {
    IamError::Validation {
        reason: reason.into(),
    }
}

fn length(text: &str, member: &str, least: usize, most: usize) -> Result<(), IamError> {
    let count = text.chars().count();
    let bound = if count < least {
        format!("greater than or equal to {least}")
    } else if count > most {
        format!("less than or equal to {most}")
    } else {
        return Ok(());
    };
    Err(invalid(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length {bound}"
    )))
}

/// A name of a user, role or policy: letters, digits and `+=,.@_-`.
pub(super) fn name(text: &str, member: &str, most: usize) -> Result<(), IamError> {
    length(text, member, 1, most)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if text.bytes().all(plain) {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the \
         following: +=,.@_-"
    )))
}

/// A value that is none of those that the API has.
pub(super) fn not_one_of(value: &str, member: &str, all: &str) -> IamError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         enum value set: {all}"
    ))
}

/// An account's alias: lower-case letters, digits and single hyphens between them.
pub(super) fn account_alias(text: &str) -> Result<(), IamError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let shaped =
        text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--");
    if shaped && (ALIAS_CHARS_MIN..=ALIAS_CHARS_MAX).contains(&text.len()) {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{text}' at 'accountAlias' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]$"
    )))
}

/// A policy's name.
pub(super) fn policy_name(text: &str) -> Result<(), IamError> {
    name(text, "policyName", POLICY_NAME_CHARS_MAX)
}

/// The path of a new user or role.
///
/// Paths that AWS keeps for itself are refused: what stands there is not bound by service control policies.
pub(super) fn path(text: &str) -> Result<(), IamError> {
    length(text, "path", 1, PATH_CHARS_MAX)?;
    let printable = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    let empty_part = text.contains("//");
    if !text.starts_with('/') || !text.ends_with('/') || !printable || empty_part {
        return Err(invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters.",
        ));
    }
    if text.starts_with("/aws-service-role/") || text.starts_with("/aws-reserved/") {
        return Err(invalid(format!("The path {text} is reserved.")));
    }
    Ok(())
}

/// A prefix of paths.
pub(super) fn path_prefix(text: &str) -> Result<(), IamError> {
    length(text, "pathPrefix", 1, PATH_CHARS_MAX)?;
    if text.starts_with('/') && text.bytes().all(|byte| (0x21..=0x7f).contains(&byte)) {
        return Ok(());
    }
    Err(invalid(
        "The specified value for pathPrefix is invalid. It must begin with a / character.",
    ))
}

/// An access key's id.
pub(super) fn access_key_id(text: &str) -> Result<(), IamError> {
    length(
        text,
        "accessKeyId",
        ACCESS_KEY_ID_CHARS_MIN,
        ACCESS_KEY_ID_CHARS_MAX,
    )?;
    if text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Ok(());
    }
    Err(invalid("The specified value for accessKeyId is invalid."))
}

/// A role's description.
pub(super) fn description(text: &str) -> Result<(), IamError> {
    length(text, "description", 0, DESCRIPTION_CHARS_MAX)?;
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if text.chars().all(allowed) {
        Ok(())
    } else {
        Err(invalid("The specified value for description is invalid."))
    }
}

/// A role's longest session, seconds.
pub(super) fn max_session(seconds: i32) -> Result<i32, IamError> {
    if (SESSION_SECONDS_DEFAULT..=SESSION_SECONDS_MAX).contains(&seconds) {
        return Ok(seconds);
    }
    let bound = if seconds < SESSION_SECONDS_DEFAULT {
        format!("greater than or equal to {SESSION_SECONDS_DEFAULT}")
    } else {
        format!("less than or equal to {SESSION_SECONDS_MAX}")
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member \
         must have value {bound}"
    )))
}

/// Tags that a request adds.
pub(super) fn tags(given: &[Tag]) -> Result<Tags, IamError> {
    let mut tags = Tags::new();
    for tag in given {
        tag_key(&tag.key)?;
        length(&tag.value, "tags.member.value", 0, TAG_VALUE_CHARS_MAX)?;
        if !tag.value.chars().all(is_tag_character) {
            return Err(invalid(format!(
                "The value of the tag {} holds a character that tags do not take.",
                tag.key
            )));
        }
        if tags.insert(fold_tag_key(&tag.key), tag.clone()).is_some() {
            return Err(IamError::InvalidInput {
                reason: "Duplicate tag keys found. Please note that Tag keys are case insensitive."
                    .to_owned(),
            });
        }
    }
    tag_count(&tags)?;
    Ok(tags)
}

/// How many tags there are in the end.
pub(super) fn tag_count(tags: &Tags) -> Result<(), IamError> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let reason = format!("The number of tags has reached the maximum limit: {TAGS_MAX}.");
    Err(IamError::LimitExceeded { reason })
}

/// A tag's key.
pub(super) fn tag_key(key: &str) -> Result<(), IamError> {
    length(key, "tags.member.key", 1, TAG_KEY_CHARS_MAX)?;
    if key.to_lowercase().starts_with("aws:") {
        return Err(IamError::InvalidInput {
            reason: "Tag keys beginning with aws: are reserved.".to_owned(),
        });
    }
    if key.chars().all(is_tag_character) {
        return Ok(());
    }
    Err(invalid(format!(
        "The tag key {key} holds a character that tags do not take."
    )))
}

/// Letters, digits, spaces and `_.:/=+-@`.
fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_letters_digits_and_some_signs() {
        assert!(name("a.b+c=d,e@f_g-9", "userName", 64).is_ok());
        for wrong in ["", "a b", "a/b", "ä", "x".repeat(65).as_str()] {
            assert!(name(wrong, "userName", 64).is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_begin_and_end_with_a_slash_and_are_not_reserved() {
        assert!(path("/").is_ok() && path("/a/b/").is_ok());
        for wrong in [
            "",
            "a/",
            "/a",
            "//",
            "/a b/",
            "/aws-service-role/x/",
            "/aws-reserved/",
        ] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tag_keys_differ_by_more_than_letter_case() {
        let tag = |key: &str| Tag {
            key: key.to_owned(),
            value: String::new(),
        };
        assert!(tags(&[tag("Team"), tag("team")]).is_err());
        assert_eq!(tags(&[tag("Team"), tag("stage")]).unwrap().len(), 2);
        assert!(tags(&[tag("AWS:x")]).is_err());
    }
}
