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
    let mut rest = text.as_mut_slice();
    for (index, byte) in random.into_iter().enumerate() {
        // A hyphen stands before these.
        let skip = usize::from(matches!(index, 4 | 6 | 8 | 10));
        let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
        if let Some(([.., high, low], after)) = std::mem::take(&mut rest).split_at_mut_checked(skip + 2) {
            (*high, *low) = (digit(byte >> 4), digit(byte & 0x0f));
            rest = after;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn every_byte_stands_in_its_place() {
        let bytes: [u8; 16] = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        let id = RequestId::from_entropy(bytes);
        assert_eq!(id.as_str(), "00112233-4455-4677-8899-aabbccddeeff");
    }

    #[test]
    fn a_request_id_is_a_version_four_uuid() {
        let id = RequestId::from_entropy([0; 16]);
        assert_eq!(id.as_str(), "00000000-0000-4000-8000-000000000000");
    }
}
