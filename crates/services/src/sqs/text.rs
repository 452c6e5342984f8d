//! Small facts about text: which characters a message may hold, and digests of it.

use md5::{Digest, Md5};

/// Bytes that are looked at in one go; a loop without early exit, which the compiler turns into vector code.
const CHUNK_BYTES: usize = 64;

/// Whether all characters are among those that SQS allows:
/// `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`.
///
/// Source: SQS API Reference, `SendMessage` (read 2026-11-21).
pub(crate) fn is_allowed_text(text: &str) -> bool {
    // A byte below 0x20 is a character of its own in UTF-8; U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    let control = |byte: u8| byte < 0x20 && byte != 0x9 && byte != 0xA && byte != 0xD;
    let (mut forbidden, mut suspicious) = (false, false);
    for chunk in text.as_bytes().chunks(CHUNK_BYTES) {
        forbidden |= chunk.iter().fold(false, |found, byte| found | control(*byte));
        suspicious |= chunk.contains(&0xEF);
    }
    !(forbidden || suspicious && text.contains(['\u{FFFE}', '\u{FFFF}']))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .map_or('0', |digit| char::from(*digit))
    };
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0x0f));
    }
    text
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
            for before in [0, 1, 63, 64, 200] {
                let long = format!("{}{text}{}", "a".repeat(before), "ü".repeat(40));
                assert!(!is_allowed_text(&long), "{text:?} behind {before} letters");
            }
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
