//! Small facts about text: which characters a message may hold, and digests of it.

use super::limits::IDENTIFIER_CHARS_MAX;

/// Bytes that are looked at in one go; a loop without early exit, which the compiler turns into vector code.
const CHUNK_BYTES: usize = 64;

/// Whether all characters are among those that SQS allows:
/// `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`.
///
/// Source: SQS API Reference, `SendMessage` (read 2026-11-21).
pub(crate) fn is_allowed_text(text: impl AsRef<[u8]>) -> bool {
    // A byte below 0x20 is a character of its own in UTF-8; U+FFFE and U+FFFF begin with EF. Numbers, not truth values:
    // those would be branches.
    let odd = |byte: u8| {
        let control = u8::from(byte < 0x20);
        let allowed = u8::from(byte == 0x9) | u8::from(byte == 0xA) | u8::from(byte == 0xD);
        (control & !allowed) | u8::from(byte == 0xEF)
    };
    let text = text.as_ref();
    let (chunks, rest) = text.as_chunks::<CHUNK_BYTES>();
    let found = chunks.iter().fold(0, |found, chunk| {
        found | chunk.iter().fold(0, |found, byte| found | odd(*byte))
    });
    let found = rest.iter().fold(found, |found, byte| found | odd(*byte));
    found == 0 || str::from_utf8(text).is_ok_and(|text| text.chars().all(is_allowed_character))
}

fn is_allowed_character(character: char) -> bool {
    let control = character < ' ' && !matches!(character, '\t' | '\n' | '\r');
    !control && !matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

/// A digest in lower-case hexadecimal digits, as SQS reports it.
pub(crate) fn hex(digest: &[u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut text = String::with_capacity(32);
    for byte in digest {
        text.push(char::from(digit(byte >> 4)));
        text.push(char::from(digit(byte & 0x0f)));
    }
    text
}

/// Whether a text may name a message group, a deduplication or a receive attempt: 1 to 128 letters, digits and marks.
///
/// Source: SQS API Reference, `SendMessage`, `MessageGroupId` (read 2026-11-21).
pub(crate) fn is_message_identifier(text: &str) -> bool {
    (1..=IDENTIFIER_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{is_allowed_text, is_message_identifier};

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
    fn identifiers_are_letters_digits_and_marks() {
        let all: String = (0x21..=0x7e_u8).map(char::from).collect();
        for text in ["a", &all, &"x".repeat(128)] {
            assert!(is_message_identifier(text));
        }
        for text in ["", "a b", "\u{e9}", "\u{7f}", &"x".repeat(129)] {
            assert!(!is_message_identifier(text));
        }
    }
}
