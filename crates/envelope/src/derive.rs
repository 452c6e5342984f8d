//! Keys derived from keys, one for each purpose, so that no key serves two.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::aad::encode_parts;
use crate::seal::SealError;
use crate::secret::{KEY_BYTES, SecretKey};

/// What a derived key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Wraps the secrets of access keys.
    AccessKeys,
    /// Wraps the key that signs certificates of destruction.
    DestructionCertificates,
    /// Wraps erasure keys.
    ErasureKeys,
    /// Is nobody's key: the public name of an instance.
    InstanceName,
    /// Wraps the key material of KMS keys, together with an erasure key; alone, seals what is stored of them.
    KmsKeyMaterial,
    /// Tags message groups and deduplication ids.
    MessageTags,
    /// Tags receipt handles.
    ReceiptHandles,
    /// Seals session tokens of temporary credentials.
    SessionTokens,
    /// Wraps the data keys of queues with `SqsManagedSseEnabled`.
    SqsManagedKeys,
}

impl Purpose {
    /// The label that goes into the derivation. A label never changes: what is stored depends on it.
    const fn label(self) -> &'static str {
        match self {
            Self::AccessKeys => "access keys 1",
            Self::DestructionCertificates => "destruction certificates 1",
            Self::ErasureKeys => "erasure keys 1",
            Self::InstanceName => "instance name 1",
            Self::KmsKeyMaterial => "kms key material 1",
            Self::MessageTags => "message tags 1",
            Self::ReceiptHandles => "receipt handles 1",
            Self::SessionTokens => "session tokens 1",
            Self::SqsManagedKeys => "sqs managed keys 1",
        }
    }
}

impl SecretKey {
    /// The key for a purpose and a context (for instance an account id, or nothing).
    ///
    /// The same key, purpose and context always give the same derived key; from which neither this key nor another derived
    /// one can be found.
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn derive(&self, purpose: Purpose, context: &[&[u8]]) -> Result<Self, SealError> {
        let info = encode_parts(&[b"bulla", purpose.label().as_bytes(), &encode_parts(context)]);
        Ok(hkdf(self, b"", &info)?)
    }

    /// The key for a purpose and a context that only who has both keys can find: either of them alone tells nothing of it.
    ///
    /// The input of the derivation is both, one after the other, as in NIST SP 800-56C rev. 2, section 2 (hybrid shared
    /// secrets).
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn derive_with(&self, other: &Self, purpose: Purpose, context: &[&[u8]]) -> Result<Self, SealError> {
        let info = encode_parts(&[
            b"bulla with another key",
            purpose.label().as_bytes(),
            &encode_parts(context),
        ]);
        let mut both = zeroize::Zeroizing::new([0; 2 * KEY_BYTES]);
        let (first, second) = both.split_at_mut(KEY_BYTES);
        first.copy_from_slice(self.expose());
        second.copy_from_slice(other.expose());
        Ok(hkdf_of(both.as_slice(), b"", &info)?)
    }
}

/// HKDF with SHA-256 (RFC 5869), 32 bytes.
pub(crate) fn hkdf(key: &SecretKey, salt: &[u8], info: &[u8]) -> Result<SecretKey, Unspecified> {
    hkdf_of(key.expose(), salt, info)
}

fn hkdf_of(key: &[u8], salt: &[u8], info: &[u8]) -> Result<SecretKey, Unspecified> {
    let mut derived = zeroize::Zeroizing::new([0; KEY_BYTES]);
    Salt::new(HKDF_SHA256, salt)
        .extract(key)
        .expand(&[info], HKDF_SHA256)?
        .fill(derived.as_mut_slice())?;
    SecretKey::from_slice(derived.as_slice()).ok_or(Unspecified)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_slice(&[byte; KEY_BYTES]).unwrap()
    }

    #[test]
    fn each_purpose_and_context_has_a_key_of_its_own() {
        let purposes = [
            Purpose::AccessKeys,
            Purpose::KmsKeyMaterial,
            Purpose::SessionTokens,
            Purpose::SqsManagedKeys,
        ];
        let contexts: [&[&[u8]]; 4] = [&[], &[b""], &[b"ab", b"c"], &[b"a", b"bc"]];
        let mut keys = Vec::new();
        for purpose in purposes {
            for context in contexts {
                keys.push(*key(1).derive(purpose, context).unwrap().expose());
            }
        }
        keys.push(*key(2).derive(Purpose::AccessKeys, &[]).unwrap().expose());
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn a_key_of_two_keys_needs_both_in_their_order() {
        let derive = |one, other| {
            *key(one)
                .derive_with(&key(other), Purpose::KmsKeyMaterial, &[b"k"])
                .unwrap()
                .expose()
        };
        let keys = [
            derive(1, 2),
            derive(2, 1),
            derive(1, 1),
            derive(1, 3),
            derive(3, 2),
            *key(1).derive(Purpose::KmsKeyMaterial, &[b"k"]).unwrap().expose(),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        // Computed apart from this code, with Python's hmac after RFC 5869, like the one below.
        assert_eq!(derive(1, 2)[..4], [0xF9, 0x8A, 0xC2, 0xB8]);
    }

    // Computed apart from this code, with Python's hmac after RFC 5869. A change here would make stored data unreadable.
    #[test]
    fn derived_keys_stay_what_they_are() {
        let derived = key(1)
            .derive(Purpose::KmsKeyMaterial, &[b"111122223333"])
            .unwrap();
        let expected = [
            0x86, 0xD9, 0x5A, 0x20, 0x31, 0xF3, 0xDC, 0xD2, 0x72, 0x81, 0x0F, 0x65, 0xAC, 0x35, 0x9B, 0x58,
            0x28, 0xDC, 0xF0, 0x54, 0xDA, 0x69, 0x0F, 0x66, 0x85, 0x25, 0x04, 0x26, 0x66, 0x01, 0x26, 0xCA,
        ];
        assert_eq!(derived.expose(), &expected);
    }
}
