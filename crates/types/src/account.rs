//! Account ids.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

/// Twelve decimal digits.
///
/// Source: AWS Account Management Reference, "View AWS account identifiers".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Inline<12>);

impl AccountId {
    /// Parses exactly twelve digits.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("account id", "must be 12 digits");
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// An account id out of random bytes: 12 digits, the first not zero.
    #[must_use]
    pub fn from_entropy(random: u64) -> Self {
        let number = 100_000_000_000 + random % 900_000_000_000;
        // Twelve digits by construction.
        Self::parse(&number.to_string()).unwrap_or(Self::ZERO)
    }

    /// `000000000000`.
    pub const ZERO: Self = Self(Inline::digits_zero());

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Inline<12> {
    const fn digits_zero() -> Self {
        Self::full([b'0'; 12])
    }
}

text_traits!(AccountId);

#[cfg(test)]
mod tests {
    use super::AccountId;

    #[test]
    fn twelve_digits_are_an_account_id() {
        assert_eq!(AccountId::parse("123456789012").unwrap().as_str(), "123456789012");
        assert_eq!(AccountId::ZERO.as_str(), "000000000000");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦"] {
            assert!(AccountId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_random_account_id_has_twelve_digits() {
        for random in [0, 1, u64::MAX, 899_999_999_999, 900_000_000_000] {
            assert_ne!(AccountId::from_entropy(random), AccountId::ZERO);
        }
    }
}
