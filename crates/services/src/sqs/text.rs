//! Small facts about text: which characters a message may hold, and digests of it.

use md5::{Digest, Md5};

/// Whether all characters are among those that SQS allows:
/// `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`.
///
/// Source: SQS API Reference, `SendMessage` (read 2026-11-21).
pub(crate) fn is_allowed_text(text: &str) -> bool {
    // A byte below 0x20 is a character of its own in UTF-8; U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    let control = text
        .bytes()
        .any(|byte| byte < 0x20 && !matches!(byte, 0x9 | 0xA | 0xD));
    !(control || text.contains('\u{FFFE}') || text.contains('\u{FFFF}'))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .map_or('0', |digit| char::from(*digit))
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

/// MD5 of a text, in hexadecimal digits, as SQS reports it.
pub(crate) fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{is_allowed_text, md5_hex};

    #[test]
    fn tabs_line_ends_and_all_of_unicode_are_allowed() {
        assert!(is_allowed_text("a\tb\r\nc ü € \u{10FFFF} \u{FFFD}"));
    }

    #[test]
    fn control_characters_and_non_characters_are_not() {
        for text in ["\u{0}", "\u{1f}", "\u{FFFE}", "\u{FFFF}"] {
            assert!(!is_allowed_text(text));
        }
    }

    #[test]
    fn the_digest_is_that_of_the_documentation() {
        // SQS Developer Guide: "This is a test message" in the SendMessage example.
        assert_eq!(
            md5_hex("This is a test message"),
            "fafb00f5732ab283681e124bf8747ed1"
        );
    }
}
