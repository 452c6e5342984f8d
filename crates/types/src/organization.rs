//! Ids of AWS Organizations: the organization, its root, its organizational units.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// `N` characters of the ids' alphabet out of random bytes.
fn characters<const N: usize>(random: [u8; N]) -> String {
    random
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|byte| char::from(*byte))
        .collect()
}

fn is_part(text: &str, shortest: usize) -> bool {
    (shortest..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `o-` and 10 to 32 lower-case letters or digits.
///
/// Source: Organizations API Reference, `Organization` (read 2026-11-21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(Inline<34>);

impl OrganizationId {
    /// Parses an organization id.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("organization id", "must be `o-` and 10 to 32 letters or digits");
        if !text.strip_prefix("o-").is_some_and(|rest| is_part(rest, 10)) {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// An organization id out of random bytes.
    pub fn from_entropy(random: [u8; 10]) -> Result<Self, InvalidName> {
        Self::parse(&format!("o-{}", characters(random)))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

text_traits!(OrganizationId);

/// `r-` and 4 to 32 lower-case letters or digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootId(Inline<34>);

impl RootId {
    /// Parses a root id.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("root id", "must be `r-` and 4 to 32 letters or digits");
        if !text.strip_prefix("r-").is_some_and(|rest| is_part(rest, 4)) {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// A root id out of random bytes.
    pub fn from_entropy(random: [u8; 4]) -> Result<Self, InvalidName> {
        Self::parse(&format!("r-{}", characters(random)))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

text_traits!(RootId);

/// `ou-`, the characters of the root's id, `-`, and 8 to 32 lower-case letters or digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationalUnitId(Inline<68>);

impl OrganizationalUnitId {
    /// Parses an organizational unit's id.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new(
            "organizational unit id",
            "must be `ou-`, the root's 4 to 32 characters, `-` and 8 to 32 letters or digits",
        );
        let parts = text.strip_prefix("ou-").and_then(|rest| rest.split_once('-'));
        if !parts.is_some_and(|(root, own)| is_part(root, 4) && is_part(own, 8)) {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// An id below `root` out of random bytes.
    pub fn from_entropy(root: RootId, random: [u8; 8]) -> Result<Self, InvalidName> {
        let root = root.as_str().strip_prefix("r-").unwrap_or_default().to_owned();
        Self::parse(&format!("ou-{root}-{}", characters(random)))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

text_traits!(OrganizationalUnitId);

/// Where an account or an organizational unit hangs: below the root or below a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParentId {
    /// Directly below the root.
    Root(RootId),
    /// Below an organizational unit.
    Unit(OrganizationalUnitId),
}

impl ParentId {
    /// Parses either form.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.starts_with("r-") {
            RootId::parse(text).map(Self::Root)
        } else {
            OrganizationalUnitId::parse(text).map(Self::Unit)
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Root(id) => id.as_str(),
            Self::Unit(id) => id.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OrganizationId, OrganizationalUnitId, ParentId, RootId};

    #[test]
    fn made_ids_parse_again() {
        let root = RootId::from_entropy([200, 1, 2, 255]).unwrap();
        let unit = OrganizationalUnitId::from_entropy(root, [9; 8]).unwrap();
        assert_eq!(ParentId::parse(unit.as_str()), Ok(ParentId::Unit(unit)));
        assert_eq!(ParentId::parse(root.as_str()), Ok(ParentId::Root(root)));
        assert!(OrganizationId::from_entropy([7; 10]).is_ok());
    }

    #[test]
    fn ids_of_the_documented_form_parse() {
        assert!(OrganizationalUnitId::parse("ou-wxyz-km23jdev").is_ok());
        assert!(OrganizationId::parse("o-abc1234567").is_ok());
    }

    #[test]
    fn ids_of_other_forms_are_refused() {
        assert!(OrganizationId::parse("o-abc").is_err());
        assert!(RootId::parse("r-WXYZ").is_err());
        assert!(OrganizationalUnitId::parse("ou-wxyz").is_err());
        assert!(ParentId::parse("123456789012").is_err());
    }
}
