//! Associated data: lists of parts as bytes that no other list has.

/// Appends each part with its length before it (8 bytes, big-endian).
///
/// No two lists give the same bytes, so that `("ab", "c")` cannot pass for `("a", "bc")`.
pub fn push_parts(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
}

/// The parts of associated data, unambiguously joined as by [`push_parts`].
#[must_use]
pub fn encode_parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
    push_parts(&mut out, parts);
    out
}

/// A KMS encryption context in one form, whatever order its pairs came in: sorted by key, each part with its length.
///
/// An empty context is empty. Keys are expected to be distinct, as in a map.
///
/// Source: KMS Developer Guide, "Encryption context" (order does not matter, keys and values are case-sensitive).
pub fn encode_encryption_context<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    let mut out = Vec::new();
    for (key, value) in pairs {
        push_parts(&mut out, &[key.as_bytes(), value.as_bytes()]);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_of_an_encryption_context_does_not_matter() {
        let one = encode_encryption_context([("b", "2"), ("a", "1")]);
        assert_eq!(one, encode_encryption_context([("a", "1"), ("b", "2")]));
        assert_eq!(encode_encryption_context([]), b"");
    }

    #[test]
    fn key_and_value_of_an_encryption_context_are_told_apart() {
        let base = encode_encryption_context([("a", "bc")]);
        assert_ne!(base, encode_encryption_context([("ab", "c")]));
        assert_ne!(base, encode_encryption_context([("bc", "a")]));
        assert_ne!(base, encode_encryption_context([("A", "bc")]));
    }

    proptest! {
        #[test]
        fn different_lists_have_different_bytes(
            one in vec(vec(0..3_u8, 0..4), 0..4), other in vec(vec(0..3_u8, 0..4), 0..4)
        ) {
            let encode = |list: &[Vec<u8>]| encode_parts(&list.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(one == other, encode(&one) == encode(&other));
        }
    }
}
