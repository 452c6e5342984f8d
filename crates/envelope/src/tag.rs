//! Tags: short proofs that bytes were made here; and the plain digest beside them.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};

use crate::secret::SecretKey;

/// How long a tag is, bytes: HMAC-SHA-256 cut to half (RFC 2104, section 5).
pub const TAG_BYTES: usize = 16;

/// Makes and checks tags under one key. May be shared between threads.
pub struct Tagger(hmac::Key);

impl Tagger {
    /// With a key that is for nothing else.
    #[must_use]
    pub fn new(key: &SecretKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// The tag of these bytes.
    #[must_use]
    pub fn tag(&self, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let whole = hmac::sign(&self.0, bytes);
        let mut tag = [0; TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(whole.as_ref()) {
            *to = *from;
        }
        tag
    }

    /// Whether `tag` is that of these bytes; takes the same time wherever they differ.
    #[must_use]
    pub fn matches(&self, bytes: &[u8], tag: &[u8; TAG_BYTES]) -> bool {
        constant_time::verify_slices_are_equal(&self.tag(bytes), tag).is_ok()
    }
}

/// SHA-256 of bytes (FIPS 180-4): proves nothing about who made it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

impl fmt::Debug for Tagger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tagger(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_belongs_to_its_bytes_and_its_key() {
        let tagger = |byte| Tagger::new(&SecretKey::from_slice(&[byte; 32]).unwrap());
        let tag = tagger(1).tag(b"text");
        assert!(tagger(1).matches(b"text", &tag));
        assert!(!tagger(1).matches(b"texT", &tag));
        assert!(!tagger(2).matches(b"text", &tag));
    }
}
