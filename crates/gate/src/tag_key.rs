//! The keys of tags, which have no letter case: one comparison for all who hold tags.

/// The key as it is compared: two keys are the same tag when these are equal.
#[must_use]
pub fn fold_tag_key(key: &str) -> String {
    folded(key).collect()
}

/// Whether two keys are the same tag. Allocates nothing.
#[must_use]
pub fn is_same_tag_key(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii()) && folded(one).eq(folded(other)))
}

/// Each letter by itself, so that a key's case does not depend on what stands beside it.
fn folded(key: &str) -> impl Iterator<Item = char> {
    key.chars().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{fold_tag_key, is_same_tag_key};

    #[test]
    fn the_comparison_is_that_of_the_folded_keys() {
        for (one, other) in [
            ("team", "TEAM"),
            ("équipe", "Équipe"),
            ("ΟΔΟΣ", "οδοσ"),
            ("K", "\u{212a}"),
            ("team", "teams"),
            ("é", "e"),
        ] {
            let same = fold_tag_key(one) == fold_tag_key(other);
            assert_eq!(is_same_tag_key(one, other), same, "{one} {other}");
        }
        assert!(is_same_tag_key("équipe", "Équipe"));
        assert!(!is_same_tag_key("é", "e"));
    }
}
