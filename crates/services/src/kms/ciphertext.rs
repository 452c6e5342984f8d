//! The ciphertext blob: what `Encrypt` and `GenerateDataKey` hand out and `Decrypt` takes back.
//!
//! ```text
//! byte 0       01, the format
//! byte 1       01, the algorithm: AES-256-GCM, as `bulla_envelope::wrap` does it
//! bytes 2..38  the key's id, as text
//! bytes 38..42 the version of its material, big-endian, from 1
//! bytes 42..46 CRC-32C of all before it
//! from 46      the wrapped plaintext: salt, nonce, ciphertext, tag
//! ```
//!
//! Header and encryption context are associated data: nothing in the blob can be changed, and nothing opens with another
//! context. Account and region are not in the blob, so that copies of a multi-Region key open each other's.
//!
//! What the checksum is for: a blob that was damaged is an invalid ciphertext, one whose key is gone says that the key
//! is gone. It protects nothing; the tag does.
//!
//! Nonces: each blob is encrypted under a key derived from the material and 16 random bytes, so that random nonces do
//! not repeat under one key whatever the number of blobs (see `bulla_envelope::wrap`).

use super::key::Material;
use bulla_envelope::{SealError, SecretBytes, encode_encryption_context, encode_parts, unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_types::KeyId;
use std::collections::BTreeMap;

const FORMAT: u8 = 1;
const ALGORITHM: u8 = 1;
const KEY_ID_BYTES: usize = 36;
const LABEL: &[u8] = b"bulla kms ciphertext 1";

/// Bytes before the wrapped plaintext.
pub(super) const HEADER_BYTES: usize = 2 + KEY_ID_BYTES + 4 + 4;

/// A blob that has the form of a ciphertext. Whether it is one is seen by opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ciphertext<'a> {
    /// The key it was made with.
    pub(super) key: KeyId,
    /// The version of the key's material.
    pub(super) material: u32,
    header: &'a [u8],
    wrapped: &'a [u8],
}

impl<'a> Ciphertext<'a> {
    /// Looks at the header; `None` when it is not one, or damaged.
    pub(super) fn parse(blob: &'a [u8]) -> Option<Self> {
        let (header, wrapped) = blob.split_at_checked(HEADER_BYTES)?;
        let (checked, checksum) = header.split_last_chunk::<4>()?;
        if crc32c::crc32c(checked) != u32::from_be_bytes(*checksum) {
            return None;
        }
        let ([format, algorithm], rest) = checked.split_first_chunk::<2>()?;
        let (id, version) = rest.split_first_chunk::<KEY_ID_BYTES>()?;
        if *format != FORMAT || *algorithm != ALGORITHM {
            return None;
        }
        let key = KeyId::parse(std::str::from_utf8(id).ok()?).ok()?;
        let material = u32::from_be_bytes(version.try_into().ok()?);
        Some(Self {
            key,
            material,
            header,
            wrapped,
        })
    }

    /// The plaintext; `None` when the material or the context is another, or a bit has changed.
    pub(super) fn open(
        &self,
        material: &Material,
        context: &BTreeMap<String, String>,
    ) -> Option<SecretBytes> {
        let key = material.secret.encrypting_key()?;
        unwrap(key, self.wrapped, &associated_data(self.header, context)).ok()
    }
}

/// Encrypts under a key's material.
pub(super) fn seal(
    key: KeyId,
    material: &Material,
    plaintext: &[u8],
    context: &BTreeMap<String, String>,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let mut blob = Vec::with_capacity(HEADER_BYTES);
    blob.extend_from_slice(&[FORMAT, ALGORITHM]);
    blob.extend_from_slice(key.as_str().as_bytes());
    blob.extend_from_slice(&material.version.to_be_bytes());
    let checksum = crc32c::crc32c(&blob);
    blob.extend_from_slice(&checksum.to_be_bytes());
    let material = material.secret.encrypting_key().ok_or(SealError::Refused)?;
    let wrapped = wrap(material, plaintext, &associated_data(&blob, context), entropy)?;
    blob.extend_from_slice(&wrapped);
    Ok(blob)
}

fn associated_data(header: &[u8], context: &BTreeMap<String, String>) -> Vec<u8> {
    let pairs = context.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    encode_parts(&[LABEL, header, &encode_encryption_context(pairs)])
}

#[cfg(test)]
mod tests {
    use super::{Ciphertext, HEADER_BYTES, seal};
    use crate::kms::key::Material;
    use crate::kms::secret::Secret;
    use bulla_envelope::SecretBytes;
    use bulla_runtime::{SeededEntropy, SystemEntropy};
    use bulla_types::{KeyId, Timestamp};
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn material() -> Material {
        let entropy = SeededEntropy::new(1);
        Material::first(Secret::symmetric(&entropy), Timestamp::from_millis(0), &entropy)
    }

    fn key() -> KeyId {
        KeyId::from_entropy([7; 16])
    }

    fn open(blob: &[u8], material: &Material, context: &BTreeMap<String, String>) -> Option<SecretBytes> {
        Ciphertext::parse(blob)?.open(material, context)
    }

    #[test]
    fn a_blob_names_its_key_and_the_version_of_its_material() {
        let blob = seal(key(), &material(), b"x", &BTreeMap::new(), &SystemEntropy).unwrap();
        let parsed = Ciphertext::parse(&blob).unwrap();
        assert_eq!((parsed.key, parsed.material), (key(), 1));
    }

    #[test]
    fn multi_region_ids_fit() {
        let id = KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
        let blob = seal(id, &material(), b"x", &BTreeMap::new(), &SystemEntropy).unwrap();
        assert_eq!(Ciphertext::parse(&blob).unwrap().key, id);
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_opens_with_its_context_alone(
            plaintext in vec(any::<u8>(), 1..200),
            context in btree_map("[a-c]{0,2}", "[a-c]{0,2}", 0..3),
            other in btree_map("[a-c]{0,2}", "[a-c]{0,2}", 0..3),
        ) {
            let blob = seal(key(), &material(), &plaintext, &context, &SystemEntropy).unwrap();
            prop_assert_eq!(open(&blob, &material(), &context), Some(SecretBytes::new(plaintext)));
            prop_assert_eq!(open(&blob, &material(), &other).is_some(), context == other);
        }

        #[test]
        fn every_flipped_bit_and_every_cut_is_refused(plaintext in vec(any::<u8>(), 1..40)) {
            let blob = seal(key(), &material(), &plaintext, &BTreeMap::new(), &SystemEntropy).unwrap();
            for bit in 0..blob.len() * 8 {
                let mut changed = blob.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(open(&changed, &material(), &BTreeMap::new()).is_none());
                prop_assert!(bit / 8 >= HEADER_BYTES || Ciphertext::parse(&changed).is_none());
            }
            for end in 0..blob.len() {
                prop_assert!(open(&blob[..end], &material(), &BTreeMap::new()).is_none());
            }
        }

        #[test]
        fn random_bytes_are_no_ciphertext(bytes in vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes, &material(), &BTreeMap::new()).is_none());
        }
    }
}
