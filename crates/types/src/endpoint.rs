//! VPC endpoints, and the networks they stand in.

use crate::inline::Inline;
use crate::{InvalidName, text_traits};

/// Hexadecimal digits of the short ids that AWS gave until 2016, and of those it gives now.
const DIGITS: [usize; 2] = [8, 17];

fn has_form(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        DIGITS.contains(&digits.len())
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Inline<$bytes>);

        impl $name {
            /// Parses an id.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let invalid = InvalidName::new(
                    $what,
                    concat!("`", $prefix, "` and 8 or 17 hexadecimal digits in lower case"),
                );
                if !has_form(text, $prefix) {
                    return Err(invalid);
                }
                Inline::new(text).map(Self).ok_or(invalid)
            }

            /// The id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        text_traits!($name);
    };
}

id!(
    /// A VPC endpoint: `vpce-` and 17 hexadecimal digits.
    VpcEndpointId, "vpce-", 22, "VPC endpoint id"
);
id!(
    /// A virtual private cloud: `vpc-` and 17 hexadecimal digits, or 8.
    VpcId, "vpc-", 21, "VPC id"
);
id!(
    /// A subnet of a VPC: `subnet-` and 17 hexadecimal digits, or 8.
    SubnetId, "subnet-", 24, "subnet id"
);

impl VpcEndpointId {
    /// An id out of 16 random bytes, of which it keeps 68 bits.
    #[must_use]
    pub fn from_entropy(random: [u8; 16]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"vpce-00000000000000000";
        for (place, byte) in text.iter_mut().skip(5).zip(spread(random)) {
            *place = HEX.get(usize::from(byte & 0x0f)).copied().unwrap_or(b'0');
        }
        Self(Inline::full(text))
    }
}

/// Each byte, and its upper half once more.
fn spread(random: [u8; 16]) -> impl Iterator<Item = u8> {
    random.into_iter().flat_map(|byte| [byte, byte >> 4])
}

#[cfg(test)]
mod tests {
    use super::{SubnetId, VpcEndpointId, VpcId};

    #[test]
    fn ids_of_eight_and_of_seventeen_digits_are_read() {
        assert_eq!(VpcId::parse("vpc-1a2b3c4d").unwrap().as_str(), "vpc-1a2b3c4d");
        let long = "subnet-0123456789abcdef0";
        assert_eq!(SubnetId::parse(long).unwrap().as_str(), long);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "vpc-",
            "vpc-1A2B3C4D",
            "vpc-123",
            "vpce-1a2b3c4d",
            "vpc-1a2b3c4g",
        ] {
            assert!(VpcId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_of_entropy_reads_back() {
        let id = VpcEndpointId::from_entropy(std::array::from_fn(|index| u8::try_from(index * 13).unwrap()));
        assert_eq!(VpcEndpointId::parse(id.as_str()).unwrap(), id);
        assert_ne!(id, VpcEndpointId::from_entropy([0; 16]));
    }
}
