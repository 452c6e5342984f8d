//! Request ids, and the UUID text form that other ids share.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

/// The id of one call, in the text form of a random UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(Inline<36>);

impl RequestId {
    /// A request id out of 16 random bytes.
    #[must_use]
    pub fn from_entropy(random: [u8; 16]) -> Self {
        Self(Inline::full(uuid_v4_text(random)))
    }

    /// Parses the text form.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("request id", "must be a UUID");
        if text.len() != 36 {
            return Err(invalid);
        }
        Inline::new(text).map(Self).ok_or(invalid)
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

text_traits!(RequestId);

/// The text form of a version 4 UUID (RFC 9562, section 5.4) made of these random bytes.
#[must_use]
pub(crate) fn uuid_v4_text(mut random: [u8; 16]) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    let mut text = [b'-'; 36];
    let mut places = (0..36).filter(|at| !matches!(at, 8 | 13 | 18 | 23));
    for byte in random {
        for nibble in [byte >> 4, byte & 0x0f] {
            if let (Some(at), Some(digit)) = (places.next(), HEX.get(usize::from(nibble)))
                && let Some(place) = text.get_mut(at)
            {
                *place = *digit;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn a_request_id_is_a_version_four_uuid() {
        let id = RequestId::from_entropy([0; 16]);
        assert_eq!(id.as_str(), "00000000-0000-4000-8000-000000000000");
    }
}
