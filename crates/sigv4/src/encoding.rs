//! URI encoding as Signature Version 4 defines it, and the decoding of what was received.

/// Appends `bytes` with everything but `A-Z a-z 0-9 - . _ ~` as `%XX`, upper-case.
pub(crate) fn push_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend([b'%', upper_hex(byte >> 4), upper_hex(byte & 15)]);
        }
    }
}

/// Decodes `%XX` as paths have it; what is no valid escape stays as it is.
pub(crate) fn decode_path(text: &[u8]) -> Vec<u8> {
    decode(text, b'+')
}

/// Decodes `%XX` and `+` (a space) as forms and query strings have it; what is no valid escape stays as it is.
pub(crate) fn decode_query(text: &[u8]) -> Vec<u8> {
    decode(text, b' ')
}

fn decode(text: &[u8], plus: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%'
            && let Some((&[high, low], after)) = rest.split_first_chunk::<2>()
            && let (Some(high), Some(low)) = (hex_value(high), hex_value(low))
        {
            out.push((high << 4) | low);
            rest = after;
        } else if first == b'+' {
            out.push(plus);
        } else {
            out.push(first);
        }
    }
    out
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn upper_hex(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'A' + nibble - 10
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
