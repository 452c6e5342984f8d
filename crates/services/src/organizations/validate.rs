//! The members of requests: checked once.

use super::control::TargetId;
use super::errors::OrganizationsError;
use super::limits::{ACCOUNT_NAME_CHARS_MAX, EMAIL_CHARS_MAX, EMAIL_CHARS_MIN, UNIT_NAME_CHARS_MAX};
use super::shapes::Tag;
use bulla_types::{AccountId, OrganizationalUnitId, ParentId, RootId};

fn invalid<T>(reason: impl Into<String>) -> Result<T, OrganizationsError> {
    Err(OrganizationsError::InvalidInput {
        reason: reason.into(),
    })
}

fn pattern<T>(member: &str, parsed: Option<T>) -> Result<T, OrganizationsError> {
    match parsed {
        Some(value) => Ok(value),
        None => invalid(format!(
            "You provided a value for {member} that does not match the required pattern."
        )),
    }
}

/// An account's id.
pub(super) fn account(text: &str) -> Result<AccountId, OrganizationsError> {
    pattern("AccountId", AccountId::parse(text).ok())
}

/// The id of a root or unit.
pub(super) fn parent(member: &str, text: &str) -> Result<ParentId, OrganizationsError> {
    pattern(member, ParentId::parse(text).ok())
}

/// A unit's id.
pub(super) fn unit(text: &str) -> Result<OrganizationalUnitId, OrganizationsError> {
    pattern("OrganizationalUnitId", OrganizationalUnitId::parse(text).ok())
}

/// The id of an account, root or unit.
pub(super) fn target(text: &str) -> Result<TargetId, OrganizationsError> {
    pattern("TargetId", TargetId::parse(text))
}

/// A type of policy that lists do not know.
pub(super) fn no_such_filter(text: &str) -> OrganizationsError {
    OrganizationsError::InvalidInput {
        reason: format!(
            "You provided {text} for Filter; SERVICE_CONTROL_POLICY and RESOURCE_CONTROL_POLICY are built."
        ),
    }
}

/// The id of the organization's root.
pub(super) fn root(text: &str) -> Result<RootId, OrganizationsError> {
    pattern("RootId", RootId::parse(text).ok())
}

/// A policy's id: `p-` and 8 to 128 letters, digits or underscores.
pub(super) fn policy(text: &str) -> Result<(), OrganizationsError> {
    let tail = text
        .strip_prefix("p-")
        .filter(|tail| (8..=128).contains(&tail.len()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    pattern("PolicyId", tail.filter(|tail| tail.bytes().all(plain)).map(drop))
}

/// An account or a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChildId {
    Account(AccountId),
    Unit(OrganizationalUnitId),
}

/// The id of an account or unit.
pub(super) fn child(text: &str) -> Result<ChildId, OrganizationsError> {
    let account = AccountId::parse(text).ok().map(ChildId::Account);
    pattern(
        "ChildId",
        account.or_else(|| OrganizationalUnitId::parse(text).ok().map(ChildId::Unit)),
    )
}

/// A unit's name.
pub(super) fn unit_name(text: &str) -> Result<(), OrganizationsError> {
    let length = text.chars().count();
    if (1..=UNIT_NAME_CHARS_MAX).contains(&length) && !text.trim().is_empty() {
        return Ok(());
    }
    invalid(format!(
        "The name of an OU has 1 to {UNIT_NAME_CHARS_MAX} characters."
    ))
}

/// An account's name: printable ASCII.
pub(super) fn account_name(text: &str) -> Result<(), OrganizationsError> {
    let plain = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if plain && (1..=ACCOUNT_NAME_CHARS_MAX).contains(&text.len()) {
        return Ok(());
    }
    invalid(format!(
        "The name of an account has 1 to {ACCOUNT_NAME_CHARS_MAX} printable ASCII characters."
    ))
}

/// An email address: `[^\s@]+@[^\s@]+\.[^\s@]+`.
pub(super) fn email(text: &str) -> Result<(), OrganizationsError> {
    let length = (EMAIL_CHARS_MIN..=EMAIL_CHARS_MAX).contains(&text.chars().count());
    let shaped = text.split_once('@').is_some_and(|(local, domain)| {
        let ends =
            domain.split_once('.').is_some_and(|(first, _)| !first.is_empty()) && !domain.ends_with('.');
        !local.is_empty() && ends && !domain.contains('@')
    });
    if length && shaped && !text.chars().any(char::is_whitespace) {
        return Ok(());
    }
    invalid("You provided an invalid email address.")
}

/// Tags are not built: a request that has some is refused, not half done.
pub(super) fn no_tags(tags: &[Tag]) -> Result<(), OrganizationsError> {
    if tags.is_empty() {
        Ok(())
    } else {
        invalid("Tags of organizations are not built yet; leave them out.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_have_a_name_and_a_domain() {
        assert!(email("dev@example.com").is_ok());
        for wrong in [
            "",
            "dev",
            "dev@example",
            "@example.com",
            "a b@example.com",
            "a@b@example.com",
            "dev@.com",
            "dev@example.",
        ] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }
}
