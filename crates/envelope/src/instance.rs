//! The instance key: the secret of one data folder, which binds the folder to its root key.
//!
//! It is made with the folder, and stored in it wrapped by the root key. At every start it is unwrapped before anything
//! else is read: with the wrong root key the server says so at once, and not at the first message that does not open.
//!
//! The record is `01` (the format), the 8 bytes of the root key's id (no secret), and the wrapped key.

use std::fmt;

use bulla_runtime::Entropy;

use crate::derive::Purpose;
use crate::root::{RootKey, RootKeyError, RootKeyId};
use crate::seal::SealError;
use crate::secret::SecretKey;

const VERSION: u8 = 1;
const AAD: &[u8] = b"bulla instance key 1";

/// The secret of one data folder, from which the keys for all purposes are derived.
pub struct InstanceKey(SecretKey);

impl InstanceKey {
    /// A new instance key, and the record to store in the new data folder.
    ///
    /// # Errors
    /// What the root key's provider says.
    pub fn create(root_key: &dyn RootKey, entropy: &dyn Entropy) -> Result<(Self, Vec<u8>), RootKeyError> {
        let key = Self(SecretKey::generate(entropy));
        let record = key.bind(root_key, entropy)?;
        Ok((key, record))
    }

    /// The instance key of a data folder, from the record that is stored in it.
    ///
    /// # Errors
    /// `BULLA-K010` when the folder belongs to another root key, `BULLA-K011` when the record is damaged.
    pub fn open(root_key: &dyn RootKey, record: &[u8]) -> Result<Self, RootKeyError> {
        let parts = record.split_first().and_then(|(version, rest)| {
            let (id, wrapped) = rest.split_first_chunk::<8>()?;
            (*version == VERSION).then_some((RootKeyId::from_bytes(*id), wrapped))
        });
        let Some((bound_to, wrapped)) = parts else {
            return Err(RootKeyError::binding_damaged());
        };
        let given = root_key.describe();
        if given.id != bound_to {
            return Err(RootKeyError::wrong_key(&given, bound_to));
        }
        let key = root_key
            .unwrap(wrapped, AAD)
            .map_err(|_| RootKeyError::binding_damaged())?;
        SecretKey::from_slice(key.expose())
            .map(Self)
            .ok_or_else(RootKeyError::binding_damaged)
    }

    /// The record that binds this key to a root key: at creation, and when the root key is replaced.
    ///
    /// # Errors
    /// What the root key's provider says.
    pub fn bind(&self, root_key: &dyn RootKey, entropy: &dyn Entropy) -> Result<Vec<u8>, RootKeyError> {
        let wrapped = root_key.wrap(self.0.expose(), AAD, entropy)?;
        let mut record = vec![VERSION];
        record.extend_from_slice(root_key.describe().id.as_bytes());
        record.extend_from_slice(&wrapped);
        Ok(record)
    }

    /// The key for a purpose and a context; see [`SecretKey::derive`].
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn derive(&self, purpose: Purpose, context: &[&[u8]]) -> Result<SecretKey, SealError> {
        self.0.derive(purpose, context)
    }
}

impl fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use bulla_runtime::SystemEntropy;

    use super::*;
    use crate::root::{MemoryRootKey, RootKeyErrorCode};

    fn root() -> MemoryRootKey {
        MemoryRootKey::generate(&SystemEntropy).unwrap()
    }

    fn purpose_key(key: &InstanceKey) -> SecretKey {
        key.derive(Purpose::AccessKeys, &[]).unwrap()
    }

    #[test]
    fn the_record_gives_the_instance_key_back() {
        let root = root();
        let (key, record) = InstanceKey::create(&root, &SystemEntropy).unwrap();
        let opened = InstanceKey::open(&root, &record).unwrap();
        assert_eq!(purpose_key(&key), purpose_key(&opened));
        assert_eq!(format!("{key:?}"), "InstanceKey(..)");
    }

    #[test]
    fn another_root_key_is_refused_with_both_ids() {
        let (bound, given) = (root(), root());
        let (_, record) = InstanceKey::create(&bound, &SystemEntropy).unwrap();
        let error = InstanceKey::open(&given, &record).unwrap_err();
        assert_eq!(error.code(), RootKeyErrorCode::WrongKey);
        let text = error.to_string();
        assert!(text.contains(&bound.describe().id.to_string()), "{text}");
        assert!(text.contains(&given.describe().id.to_string()), "{text}");
    }

    #[test]
    fn every_damaged_record_is_refused() {
        let root = root();
        let (_, record) = InstanceKey::create(&root, &SystemEntropy).unwrap();
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(InstanceKey::open(&root, &damaged).is_err());
        }
        for end in 0..record.len() {
            let error = InstanceKey::open(&root, &record[..end]).unwrap_err();
            assert_eq!(error.code(), RootKeyErrorCode::BindingDamaged);
        }
    }

    #[test]
    fn a_replaced_root_key_opens_the_same_instance_key() {
        let (old, new) = (root(), root());
        let (key, _) = InstanceKey::create(&old, &SystemEntropy).unwrap();
        let record = key.bind(&new, &SystemEntropy).unwrap();
        assert_eq!(
            purpose_key(&key),
            purpose_key(&InstanceKey::open(&new, &record).unwrap())
        );
        assert!(InstanceKey::open(&old, &record).is_err());
    }
}
