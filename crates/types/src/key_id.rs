//! KMS key ids.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

/// A KMS key's id: a UUID in text form, or `mrk-` and 32 hexadecimal digits for a multi-Region key.
///
/// Source: KMS Developer Guide, "Key identifiers" (read 2026-11-21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Inline<36>);

impl KeyId {
    /// Parses a key id.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("key id", "must be a UUID or `mrk-` and 32 hexadecimal digits");
        let well_formed = match text.strip_prefix("mrk-") {
            Some(digits) => digits.len() == 32 && digits.bytes().all(is_lower_hex),
            None => text.len() == 36 && text.bytes().enumerate().all(|(at, byte)| uuid_byte(at, byte)),
        };
        if !well_formed {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// A single-Region key id out of 16 random bytes.
    #[must_use]
    pub fn from_entropy(random: [u8; 16]) -> Self {
        Self(Inline::full(crate::request_id::uuid_v4_text(random)))
    }

    /// A multi-Region key id out of 16 random bytes.
    #[must_use]
    pub fn multi_region_from_entropy(random: [u8; 16]) -> Self {
        let digits = crate::request_id::uuid_v4_text(random)
            .into_iter()
            .filter(|byte| *byte != b'-');
        let mut text = *b"mrk-00000000000000000000000000000000";
        for (place, digit) in text.iter_mut().skip(4).zip(digits) {
            *place = digit;
        }
        Self(Inline::full(text))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the key is a multi-Region key.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.as_str().starts_with("mrk-")
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn uuid_byte(at: usize, byte: u8) -> bool {
    if matches!(at, 8 | 13 | 18 | 23) {
        byte == b'-'
    } else {
        is_lower_hex(byte)
    }
}

text_traits!(KeyId);

#[cfg(test)]
mod tests {
    use super::KeyId;

    #[test]
    fn a_uuid_and_a_multi_region_id_are_key_ids() {
        assert!(
            !KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab")
                .unwrap()
                .is_multi_region()
        );
        assert!(
            KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab")
                .unwrap()
                .is_multi_region()
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "alias/x",
            "1234abcd-12ab-34cd-56ef-1234567890aZ",
            "1234abcd12ab34cd56ef1234567890ab",
            "mrk-1",
        ] {
            assert!(KeyId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_random_key_id_parses_again() {
        let id = KeyId::from_entropy([0xff; 16]);
        assert_eq!(KeyId::parse(id.as_str()), Ok(id));
        let id = KeyId::multi_region_from_entropy([0xfe; 16]);
        assert_eq!(KeyId::parse(id.as_str()), Ok(id));
        assert_eq!(id.as_str(), "mrk-fefefefefefe4efebefefefefefefefe");
    }
}
