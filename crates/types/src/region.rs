//! Regions. Bulla has no fixed list: a region is whatever a signature's scope names.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

/// A region's name: lower-case letters, digits and hyphens, 1 to 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Inline<32>);

impl Region {
    /// Parses a region's name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("region", "1 to 32 lower-case letters, digits and hyphens");
        let well_formed = !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !well_formed {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

text_traits!(Region);

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn a_region_keeps_its_name() {
        assert_eq!(Region::parse("eu-west-1").unwrap().as_str(), "eu-west-1");
    }

    #[test]
    fn a_region_with_other_characters_is_refused() {
        for text in ["", "EU-WEST-1", "eu/west", "a:b", "x".repeat(33).as_str()] {
            assert!(Region::parse(text).is_err(), "{text}");
        }
    }
}
