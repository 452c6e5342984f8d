//! The bytes of `BinaryEquals`: base64 of RFC 4648, padding optional.

/// Decodes `text`; `None` when it is not base64.
pub(crate) fn decode(text: &str) -> Option<Box<[u8]>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    each_byte(text, |byte| bytes.push(byte))?;
    Some(bytes.into())
}

/// Whether `text` is base64 of these bytes. Allocates nothing.
pub(crate) fn is_of(text: &str, bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    let mut same = true;
    let read = each_byte(text, |byte| same &= rest.next() == Some(&byte));
    read.is_some() && same && rest.next().is_none()
}

/// Hands over the bytes in order; `None`, perhaps after some of them, when `text` is not base64.
fn each_byte(text: &str, mut take: impl FnMut(u8)) -> Option<()> {
    let digits = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(digits.len());
    if padding > 2 || digits.len() % 4 == 1 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    let mut pending = 0_u32;
    let mut bits = 0_u32;
    for digit in digits.bytes() {
        pending = (pending << 6) | u32::from(value(digit)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            take(u8::try_from((pending >> bits) & 0xff).ok()?);
            pending &= (1 << bits) - 1;
        }
    }
    (pending == 0).then_some(())
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, is_of};

    #[test]
    fn vectors_of_rfc_4648_decode() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYmFy", "foobar"),
            ("Zg", "f"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
            assert!(is_of(text, bytes.as_bytes()) && !is_of(text, b"fooba"), "{text}");
        }
        for text in ["Z", "Zg=", "Zh==", "Z*==", "Zg===", "Zm9v===="] {
            assert_eq!(decode(text), None, "{text}");
            assert!(!is_of(text, b"") && !is_of(text, b"f"), "{text}");
        }
    }
}
