//! Wrapping of keys by keys, and of other small secrets: access keys, session tokens, ciphertexts of KMS.
//!
//! A wrapped value is `81` (the format), 16 bytes of salt, 12 bytes of nonce, the ciphertext, and 16 bytes of tag. Salt and nonce
//! are random; the key that encrypts is derived from the wrapping key and the salt. So one key may wrap without a count:
//! with random nonces alone it had to stop after 2^32 values (NIST SP 800-38D, 8.3).

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use bulla_runtime::Entropy;

use crate::derive::hkdf;
use crate::seal::{OpenError, SealError, cipher};
use crate::secret::{SecretBytes, SecretKey};

const VERSION: u8 = 0x81;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const LABEL: &[u8] = b"bulla wrap 1";

/// How much longer a wrapped value is than what was wrapped, bytes.
pub const WRAPPED_OVERHEAD_BYTES: usize = 1 + SALT_BYTES + NONCE_LEN + TAG_BYTES;

/// Wraps a secret with a key, bound to `aad`: it unwraps only with the same.
///
/// # Errors
/// [`SealError::Refused`].
pub fn wrap(
    key: &SecretKey,
    plaintext: &[u8],
    aad: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT_BYTES];
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut salt);
    entropy.fill(&mut nonce);
    let cipher = cipher(&hkdf(key, &salt, LABEL)?)?;
    let mut wrapped = Vec::with_capacity(plaintext.len().saturating_add(WRAPPED_OVERHEAD_BYTES));
    wrapped.push(VERSION);
    wrapped.extend_from_slice(&salt);
    wrapped.extend_from_slice(&nonce);
    let header_bytes = wrapped.len();
    wrapped.extend_from_slice(plaintext);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let in_place = wrapped.get_mut(header_bytes..).unwrap_or_default();
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(aad), in_place)?;
    wrapped.extend_from_slice(tag.as_ref());
    Ok(wrapped)
}

/// Gives a wrapped secret back.
///
/// # Errors
/// [`OpenError::Malformed`] when the bytes are not a wrapped value, [`OpenError::Refused`] when the key or `aad` is not that
/// of the wrapping, or a bit has changed.
pub fn unwrap(key: &SecretKey, wrapped: &[u8], aad: &[u8]) -> Result<SecretBytes, OpenError> {
    let parts = || {
        let (version, rest) = wrapped.split_first()?;
        let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        (*version == VERSION).then_some((salt, nonce, ciphertext, tag))
    };
    let (salt, nonce, ciphertext, tag) = parts().ok_or(OpenError::Malformed)?;
    let cipher = cipher(&hkdf(key, salt, LABEL)?)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let mut plaintext = vec![0; ciphertext.len()];
    cipher.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plaintext)?;
    Ok(SecretBytes::new(plaintext))
}

#[cfg(test)]
mod tests {
    use bulla_runtime::SystemEntropy;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_secrets_are_wrapped_differently() {
        let key = SecretKey::generate(&SystemEntropy);
        let wrap = || wrap(&key, b"secret", b"", &SystemEntropy).unwrap();
        assert_ne!(wrap(), wrap());
    }

    #[test]
    fn a_wrapped_value_is_bound_to_key_and_associated_data() {
        let key = SecretKey::generate(&SystemEntropy);
        let wrapped = wrap(&key, b"secret", b"aad", &SystemEntropy).unwrap();
        assert_eq!(unwrap(&key, &wrapped, b"aad").unwrap().expose(), b"secret");
        assert_eq!(unwrap(&key, &wrapped, b"aae"), Err(OpenError::Refused));
        assert_eq!(
            unwrap(&SecretKey::generate(&SystemEntropy), &wrapped, b"aad"),
            Err(OpenError::Refused)
        );
    }

    proptest! {
        #[test]
        fn whatever_is_wrapped_unwraps(secret in vec(any::<u8>(), 0..200), aad in vec(any::<u8>(), 0..40)) {
            let key = SecretKey::generate(&SystemEntropy);
            let wrapped = wrap(&key, &secret, &aad, &SystemEntropy).unwrap();
            prop_assert_eq!(wrapped.len(), secret.len() + WRAPPED_OVERHEAD_BYTES);
            prop_assert_eq!(unwrap(&key, &wrapped, &aad), Ok(SecretBytes::new(secret)));
        }

        #[test]
        fn every_flipped_bit_is_refused(secret in vec(any::<u8>(), 0..33)) {
            let key = SecretKey::generate(&SystemEntropy);
            let wrapped = wrap(&key, &secret, b"", &SystemEntropy).unwrap();
            for bit in 0..wrapped.len() * 8 {
                let mut stored = wrapped.clone();
                stored[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(unwrap(&key, &stored, b"").is_err());
            }
        }

        #[test]
        fn random_bytes_never_unwrap(bytes in vec(any::<u8>(), 0..100)) {
            prop_assert!(unwrap(&SecretKey::generate(&SystemEntropy), &bytes, b"").is_err());
        }
    }
}
