//! The signing key: what a secret becomes for one date, region and service.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::{Zeroize, Zeroizing};

use crate::digest::Hash;

/// The key that signs requests of one access key on one date for one region and service.
///
/// Deriving it costs four HMACs, so it may be cached by (access key id, date, region, service); it is as secret as the
/// secret access key for that date and must leave the cache when the access key is disabled or deleted. A key cached
/// under the wrong name verifies nothing.
///
/// The bytes are wiped when it is dropped (aws-lc cleanses its HMAC context), and are never printed.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Derives the key for `date` (`YYYYMMDD`), `region` and `service` from a secret access key.
    ///
    /// Source: IAM User Guide, "Create a signed AWS API request", step 4.
    #[must_use]
    pub fn derive(secret_access_key: &[u8], date: &str, region: &str, service: &str) -> Self {
        let mut start = Zeroizing::new(Vec::with_capacity(4 + secret_access_key.len()));
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret_access_key);
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, &start);
        for part in [date, region, service, "aws4_request"] {
            let mut next: Hash = [0; 32];
            next.copy_from_slice(hmac::sign(&key, part.as_bytes()).as_ref());
            key = hmac::Key::new(hmac::HMAC_SHA256, &next);
            next.zeroize();
        }
        Self(key)
    }

    /// The signature of a string to sign.
    pub(crate) fn sign(&self, string_to_sign: &[u8]) -> Hash {
        let mut signature = [0; 32];
        signature.copy_from_slice(hmac::sign(&self.0, string_to_sign).as_ref());
        signature
    }

    /// Whether `signature` is that of `string_to_sign`; takes the same time wherever they differ.
    pub(crate) fn matches(&self, string_to_sign: &[u8], signature: &Hash) -> bool {
        hmac::verify(&self.0, string_to_sign, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_the_key() {
        let key = SigningKey::derive(b"secret", "20150830", "us-east-1", "iam");
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
    }

    #[test]
    fn every_part_of_the_scope_changes_the_key() {
        let sign = |secret: &[u8], date, region, service| {
            SigningKey::derive(secret, date, region, service).sign(b"text")
        };
        let base = sign(b"secret", "20150830", "us-east-1", "iam");
        assert_ne!(base, sign(b"secreT", "20150830", "us-east-1", "iam"));
        assert_ne!(base, sign(b"secret", "20150831", "us-east-1", "iam"));
        assert_ne!(base, sign(b"secret", "20150830", "us-east-2", "iam"));
        assert_ne!(base, sign(b"secret", "20150830", "us-east-1", "sts"));
    }
}
