//! SHA-256 and hexadecimal, as the canonical request writes them.

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// A SHA-256 value.
pub(crate) type Hash = [u8; SHA256_OUTPUT_LEN];

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// A hash in lower-case hexadecimal, as it is written into requests.
pub(crate) fn hex_digits(hash: &Hash) -> [u8; 2 * SHA256_OUTPUT_LEN] {
    let mut digits = [0; 2 * SHA256_OUTPUT_LEN];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(hash) {
        *pair = [hex_digit(byte >> 4), hex_digit(byte & 15)];
    }
    digits
}

/// A hash in lower-case hexadecimal, as text.
pub(crate) fn hex(hash: &Hash) -> String {
    hex_digits(hash).into_iter().map(char::from).collect()
}

/// Reads exactly 64 lower-case hexadecimal digits.
pub(crate) fn parse_hash(text: &[u8]) -> Option<Hash> {
    let digits: &[u8; 2 * SHA256_OUTPUT_LEN] = text.try_into().ok()?;
    // Without an early exit, so that it becomes vector code.
    let values = digits.map(hex_value);
    if values.iter().fold(0, |all, value| all | value) > 15 {
        return None;
    }
    let mut hash = [0; SHA256_OUTPUT_LEN];
    for (byte, pair) in hash.iter_mut().zip(values.as_chunks::<2>().0) {
        let [high, low] = *pair;
        *byte = (high << 4) | low;
    }
    Some(hash)
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

/// The digit's value; above 15 for what is no digit.
fn hex_value(digit: u8) -> u8 {
    let (decimal, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    if decimal < 10 {
        decimal
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}
