//! Keys and other secrets in memory: wiped when dropped, compared in constant time, never printed.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bulla_runtime::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The length of every symmetric key here, bytes.
pub const KEY_BYTES: usize = 32;

/// A symmetric key of 256 bits.
///
/// It is deliberately not `Clone`: whoever needs it twice shares it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; KEY_BYTES]);

impl SecretKey {
    /// A new random key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; KEY_BYTES]);
        entropy.fill(&mut key.0);
        key
    }

    /// The key with these bytes; `None` unless there are [`KEY_BYTES`] of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    /// The bytes of the key. The name says at the call that a secret leaves its type.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// Secret bytes of any length: what [`crate::unwrap`] gives back.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over the bytes; they are wiped when this is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. The name says at the call that a secret leaves its type.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// A key that was just generated and has sealed nothing yet: the only thing that a [`crate::Sealer`] is made of.
pub struct DataKey {
    key: SecretKey,
    nonce_prefix: [u8; 4],
}

impl DataKey {
    /// A new random data key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self::just_generated(SecretKey::generate(entropy), entropy)
    }

    /// The plaintext key that a key service's `GenerateDataKey` just answered.
    ///
    /// The caller states that nothing was sealed with it: a key that was *decrypted* opens ([`crate::Opener`]), and never
    /// becomes a data key again. Should it ever happen, the random first 32 bits of the nonces make a repetition unlikely, not
    /// impossible.
    #[must_use]
    pub fn just_generated(key: SecretKey, entropy: &dyn Entropy) -> Self {
        let mut nonce_prefix = [0; 4];
        entropy.fill(&mut nonce_prefix);
        Self { key, nonce_prefix }
    }

    /// The key, to be wrapped and stored.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    pub(crate) fn into_parts(self) -> (SecretKey, [u8; 4]) {
        (self.key, self.nonce_prefix)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use bulla_runtime::SystemEntropy;

    use super::*;

    fn is_wiped_on_drop<T: ZeroizeOnDrop>() {}

    #[test]
    fn keys_are_wiped_when_dropped() {
        is_wiped_on_drop::<SecretKey>();
        is_wiped_on_drop::<Zeroizing<Vec<u8>>>();
        let mut key = SecretKey::generate(&SystemEntropy);
        key.zeroize();
        assert_eq!(key.expose(), &[0; KEY_BYTES]);
    }

    #[test]
    fn debug_never_prints_a_secret() {
        let key = SecretKey([0xAB; KEY_BYTES]);
        assert_eq!(format!("{key:?}"), "SecretKey(..)");
        assert_eq!(
            format!("{:?}", DataKey::just_generated(key, &SystemEntropy)),
            "DataKey(..)"
        );
        assert_eq!(format!("{:?}", SecretBytes::new(vec![0xAB])), "SecretBytes(..)");
    }

    #[test]
    fn keys_are_equal_by_their_bytes() {
        let key = SecretKey([7; KEY_BYTES]);
        assert_eq!(Some(key), SecretKey::from_slice(&[7; KEY_BYTES]));
        assert_ne!(SecretKey([7; KEY_BYTES]), SecretKey([8; KEY_BYTES]));
        assert!(SecretKey::from_slice(&[7; 31]).is_none());
    }
}
