//! The members of requests: checked once, in AWS's words.

use super::errors::StsError;
use super::limits::{
    ACCESS_KEY_ID_CHARS_MAX, ACCESS_KEY_ID_CHARS_MIN, EXTERNAL_ID_CHARS_MAX, FEDERATED_NAME_CHARS_MAX,
    ROLE_ARN_CHARS_MAX, ROLE_ARN_CHARS_MIN, SESSION_NAME_CHARS_MAX, SESSION_POLICIES_CHARS_MAX,
    SESSION_SECONDS_MIN, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX,
};
use bulla_gate::is_same_tag_key;
use bulla_types::Arn;

fn constraint(value: &str, member: &str, rule: &str) -> StsError {
    StsError::Validation {
        reason: format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
        ),
    }
}

fn length(text: &str, member: &str, least: usize, most: usize) -> Result<(), StsError> {
    let count = text.chars().count();
    if count < least {
        return Err(constraint(
            text,
            member,
            &format!("have length greater than or equal to {least}"),
        ));
    }
    if count > most {
        return Err(constraint(
            text,
            member,
            &format!("have length less than or equal to {most}"),
        ));
    }
    Ok(())
}

fn is_word(byte: u8, more: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || more.contains(&byte)
}

/// A role's ARN.
pub(super) fn role_arn(text: &str) -> Result<Arn, StsError> {
    length(text, "roleArn", ROLE_ARN_CHARS_MIN, ROLE_ARN_CHARS_MAX)?;
    let role = Arn::parse(text).ok().filter(|arn| {
        arn.service() == "iam"
            && arn.region().is_empty()
            && arn.account_id().is_some()
            && arn.resource().starts_with("role/")
    });
    role.ok_or_else(|| StsError::Validation {
        reason: format!("{text} is invalid"),
    })
}

/// A session's name.
pub(super) fn session_name(text: &str) -> Result<(), StsError> {
    length(text, "roleSessionName", 2, SESSION_NAME_CHARS_MAX)?;
    if text.bytes().all(|byte| is_word(byte, b"+=,.@-")) {
        return Ok(());
    }
    Err(constraint(
        text,
        "roleSessionName",
        "satisfy regular expression pattern: [\\w+=,.@-]*",
    ))
}

/// The name of somebody for whom a user vouches.
pub(super) fn federated_name(text: &str) -> Result<(), StsError> {
    length(text, "name", 2, FEDERATED_NAME_CHARS_MAX)?;
    if text.bytes().all(|byte| is_word(byte, b"+=,.@-")) {
        return Ok(());
    }
    Err(constraint(
        text,
        "name",
        "satisfy regular expression pattern: [\\w+=,.@-]*",
    ))
}

/// Who stands behind a session.
pub(super) fn source_identity(text: &str) -> Result<(), StsError> {
    length(text, "sourceIdentity", 2, SESSION_NAME_CHARS_MAX)?;
    let reserved = text.to_lowercase().starts_with("aws:");
    if !reserved && text.bytes().all(|byte| is_word(byte, b"+=,.@-")) {
        return Ok(());
    }
    Err(constraint(
        text,
        "sourceIdentity",
        "satisfy regular expression pattern: [\\w+=,.@-]*",
    ))
}

/// An access key's id.
pub(super) fn access_key_id(text: &str) -> Result<(), StsError> {
    length(
        text,
        "accessKeyId",
        ACCESS_KEY_ID_CHARS_MIN,
        ACCESS_KEY_ID_CHARS_MAX,
    )?;
    if text.bytes().all(|byte| is_word(byte, b"")) {
        return Ok(());
    }
    Err(constraint(
        text,
        "accessKeyId",
        "satisfy regular expression pattern: [\\w]*",
    ))
}

/// The session policy of somebody for whom a user vouches.
pub(super) fn federated_policy(text: Option<&str>) -> Result<(), StsError> {
    text.map_or(Ok(()), |text| {
        length(text, "policy", 1, SESSION_POLICIES_CHARS_MAX)
    })
}

/// The session policy of a role's session; how long it may be is a matter of what is packed.
pub(super) fn session_policy(text: Option<&str>) -> Result<(), StsError> {
    text.map_or(Ok(()), |text| length(text, "policy", 1, usize::MAX))
}

/// An external id.
pub(super) fn external_id(text: &str) -> Result<(), StsError> {
    length(text, "externalId", 2, EXTERNAL_ID_CHARS_MAX)?;
    if text.bytes().all(|byte| is_word(byte, b"+=,.@:/-")) {
        return Ok(());
    }
    Err(constraint(
        text,
        "externalId",
        "satisfy regular expression pattern: [\\w+=,.@:\\/-]*",
    ))
}

/// How long a session shall be, seconds, whatever a role permits.
pub(super) fn duration(seconds: i32, most: i32) -> Result<(), StsError> {
    if seconds < SESSION_SECONDS_MIN {
        let rule = format!("have value greater than or equal to {SESSION_SECONDS_MIN}");
        return Err(constraint(&seconds.to_string(), "durationSeconds", &rule));
    }
    if seconds > most {
        let rule = format!("have value less than or equal to {most}");
        return Err(constraint(&seconds.to_string(), "durationSeconds", &rule));
    }
    Ok(())
}

/// What is not built is refused, not ignored: members, each with whether the request has it.
pub(super) fn not_built(members: &[(bool, &str)]) -> Result<(), StsError> {
    match members.iter().find(|(asked, _)| *asked) {
        Some((_, member)) => Err(StsError::Validation {
            reason: format!("The parameter {member} is not supported: it is not built yet."),
        }),
        None => Ok(()),
    }
}

/// Session tags, and the keys of those that are passed on, which are among them.
pub(super) fn tags(tags: &[(String, String)], transitive: &[String]) -> Result<(), StsError> {
    let invalid = |reason: String| Err(StsError::Validation { reason });
    if tags.len() > TAGS_MAX {
        return invalid(format!("A session has at most {TAGS_MAX} tags."));
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        length(key, "tags.member.key", 1, TAG_KEY_CHARS_MAX)?;
        length(value, "tags.member.value", 0, TAG_VALUE_CHARS_MAX)?;
        if key.to_lowercase().starts_with("aws:") {
            return invalid(format!("The tag key {key} is reserved."));
        }
        if !key.chars().chain(value.chars()).all(is_tag_character) {
            return invalid(format!("The tag {key} holds a character that tags do not take."));
        }
        let earlier = tags.iter().take(index);
        if earlier.into_iter().any(|(other, _)| is_same_tag_key(other, key)) {
            return invalid(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned(),
            );
        }
    }
    let known = |key: &String| tags.iter().any(|(tag, _)| is_same_tag_key(tag, key));
    match transitive.iter().find(|key| !known(key)) {
        Some(key) => invalid(format!(
            "The transitive tag key {key} is not among the tags of the request."
        )),
        None => Ok(()),
    }
}

/// Letters, digits, spaces and `_.:/=+-@`.
fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_have_2_to_64_plain_characters() {
        assert!(session_name("a-b@c").is_ok());
        for wrong in ["", "x", "a b", "a/b", "y".repeat(65).as_str()] {
            assert!(session_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_arns_of_roles_name_roles() {
        assert!(role_arn("arn:aws:iam::111122223333:role/a/b").is_ok());
        for wrong in [
            "x",
            "arn:aws:iam::111122223333:user/ann",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            "arn:aws:iam:::role/abcdefg",
        ] {
            assert!(role_arn(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_that_are_passed_on_are_among_the_tags() {
        let tag = |key: &str| (key.to_owned(), "v".to_owned());
        assert!(tags(&[tag("a")], &["A".to_owned()]).is_ok());
        assert!(tags(&[tag("a")], &["b".to_owned()]).is_err());
        assert!(tags(&[tag("a"), tag("A")], &[]).is_err());
    }
}
