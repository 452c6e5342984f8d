//! The instance key: the secret of one data folder, which binds the folder to its root key.
//!
//! It is made with the folder, and stored in it wrapped by the root key. At every start it is unwrapped before anything
//! else is read: with the wrong root key the server says so at once, and not at the first message that does not open.
//!
//! The record is `02` (the format), the number of the root key's provider, the time of the binding (8 bytes, big-endian,
//! seconds since 1970; 0 if not known), the 8 bytes of the root key's id, and the wrapped key, which is bound to all of
//! these but the id. Nothing but the wrapped key is secret. Records `01` have the id only, and are of a file.

use std::fmt;

use bulla_runtime::Entropy;

use crate::aad::encode_parts;
use crate::derive::Purpose;
use crate::hex::hex;
use crate::root::{RootKey, RootKeyError, RootKeyErrorCode, RootKeyId, RootKeyProvider, Wrapped};
use crate::seal::SealError;
use crate::secret::SecretKey;

const NAME_BYTES: usize = 8;
const VERSION: u8 = 2;
const AAD: &[u8] = b"bulla instance key 2";
const FIRST_VERSION: u8 = 1;
const FIRST_AAD: &[u8] = b"bulla instance key 1";

/// What a data folder is bound to, as its record says; to be shown to operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Who holds the root key.
    pub provider: RootKeyProvider,
    /// The root key's public name.
    pub id: RootKeyId,
    /// When the data folder was bound to it, seconds since 1970-01-01T00:00:00Z, if that is known.
    pub since_epoch_seconds: Option<u64>,
}

impl Binding {
    /// Reads the record of a data folder, without any root key.
    ///
    /// # Errors
    /// `BULLA-K011` when the record is damaged.
    pub fn read(record: &[u8]) -> Result<Self, RootKeyError> {
        Record::read(record)
            .map(|record| record.binding)
            .ok_or_else(RootKeyError::binding_damaged)
    }

    fn aad(&self) -> Vec<u8> {
        let since = self.since_epoch_seconds.unwrap_or_default().to_be_bytes();
        encode_parts(&[AAD, &[self.provider.number()], &since])
    }
}

struct Record {
    binding: Binding,
    wrapped: Wrapped,
    aad: Vec<u8>,
}

impl Record {
    fn read(record: &[u8]) -> Option<Self> {
        let (version, rest) = record.split_first()?;
        let (provider, since, rest) = match *version {
            FIRST_VERSION => (RootKeyProvider::File, 0, rest),
            VERSION => {
                let (provider, rest) = rest.split_first()?;
                let (since, rest) = rest.split_first_chunk()?;
                (
                    RootKeyProvider::from_number(*provider)?,
                    u64::from_be_bytes(*since),
                    rest,
                )
            }
            _ => return None,
        };
        let (id, bytes) = rest.split_first_chunk::<8>()?;
        let id = RootKeyId::from_bytes(*id);
        let binding = Binding {
            provider,
            id,
            since_epoch_seconds: (since != 0).then_some(since),
        };
        let aad = match *version {
            FIRST_VERSION => FIRST_AAD.to_vec(),
            _ => binding.aad(),
        };
        let bytes = bytes.to_vec();
        Some(Self {
            binding,
            wrapped: Wrapped { id, bytes },
            aad,
        })
    }
}

/// The secret of one data folder, from which the keys for all purposes are derived.
pub struct InstanceKey(SecretKey);

impl InstanceKey {
    /// A new instance key, bound to nothing yet.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(SecretKey::generate(entropy))
    }

    /// A new instance key, and the record to store in the new data folder, of a time that is not known.
    ///
    /// # Errors
    /// What the root key's provider says.
    pub fn create(root_key: &dyn RootKey, entropy: &dyn Entropy) -> Result<(Self, Vec<u8>), RootKeyError> {
        let key = Self::generate(entropy);
        let record = key.bind(root_key, 0, entropy)?;
        Ok((key, record))
    }

    /// The instance key of a data folder, from the record that is stored in it.
    ///
    /// # Errors
    /// `BULLA-K010` when the folder belongs to another root key, `BULLA-K016` when to one of another provider,
    /// `BULLA-K011` when the record is damaged, `BULLA-K017` when the root key cannot be reached, and what the root key's
    /// provider says.
    pub fn open(root_key: &dyn RootKey, record: &[u8]) -> Result<Self, RootKeyError> {
        let Record {
            binding,
            wrapped,
            aad,
        } = Record::read(record).ok_or_else(RootKeyError::binding_damaged)?;
        let given = root_key.describe();
        if given.provider != binding.provider {
            return Err(RootKeyError::other_provider(&given, &binding));
        }
        let key = root_key.unwrap(&wrapped, &aad).map_err(|error| {
            // The right root key, and what it wrapped has changed.
            if error.code() == RootKeyErrorCode::CannotUnwrap {
                return RootKeyError::binding_damaged();
            }
            error
        })?;
        SecretKey::from_slice(key.expose())
            .map(Self)
            .ok_or_else(RootKeyError::binding_damaged)
    }

    /// The record that binds this key to a root key: at creation, and when the root key is replaced. It was unwrapped
    /// again, so that no record is stored that does not open.
    ///
    /// # Errors
    /// What the root key's provider says.
    pub fn bind(
        &self,
        root_key: &dyn RootKey,
        now_epoch_seconds: u64,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, RootKeyError> {
        let mut binding = Binding {
            provider: root_key.describe().provider,
            id: RootKeyId::from_bytes([0; 8]),
            since_epoch_seconds: Some(now_epoch_seconds),
        };
        let wrapped = root_key.wrap(self.0.expose(), &binding.aad(), entropy)?;
        binding.id = wrapped.id;
        let mut record = vec![VERSION, binding.provider.number()];
        record.extend_from_slice(&now_epoch_seconds.to_be_bytes());
        record.extend_from_slice(binding.id.as_bytes());
        record.extend_from_slice(&wrapped.bytes);
        if Self::open(root_key, &record)?.0 != self.0 {
            return Err(RootKeyError::binding_damaged());
        }
        Ok(record)
    }

    /// The public name of the data folder and of all that are restored from its backups: 16 hexadecimal digits, derived
    /// one way.
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn name(&self) -> Result<String, SealError> {
        let named = self.derive(Purpose::InstanceName, &[])?;
        let (name, _) = named.expose().split_at(NAME_BYTES);
        Ok(hex(name).to_string())
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
    use crate::root::MemoryRootKey;

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
        for root in [bound, given] {
            assert!(text.contains(&root.describe().id.unwrap().to_string()), "{text}");
        }
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
        let record = key.bind(&new, 1_795_239_000, &SystemEntropy).unwrap();
        assert_eq!(
            purpose_key(&key),
            purpose_key(&InstanceKey::open(&new, &record).unwrap())
        );
        assert!(InstanceKey::open(&old, &record).is_err());
    }

    #[test]
    fn a_record_says_what_the_folder_is_bound_to() {
        let root = root();
        let key = InstanceKey::generate(&SystemEntropy);
        let record = key.bind(&root, 1_795_239_000, &SystemEntropy).unwrap();
        let binding = Binding {
            provider: RootKeyProvider::Memory,
            id: root.describe().id.unwrap(),
            since_epoch_seconds: Some(1_795_239_000),
        };
        assert_eq!(Binding::read(&record), Ok(binding));
    }

    /// A record of the first format, made of a root key whose bytes are all `0xA5`.
    struct FirstFormat(MemoryRootKey);

    impl RootKey for FirstFormat {
        fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
            self.0.wrap(plaintext, aad, entropy)
        }

        fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<crate::secret::SecretBytes, RootKeyError> {
            self.0.unwrap(wrapped, aad)
        }

        fn describe(&self) -> crate::root::RootKeyDescription {
            crate::root::RootKeyDescription {
                provider: RootKeyProvider::File,
                ..self.0.describe()
            }
        }
    }

    #[test]
    fn a_record_of_the_first_format_opens_with_a_file_only() {
        let root = FirstFormat(root());
        let key = InstanceKey::generate(&SystemEntropy);
        let wrapped = root.wrap(key.0.expose(), FIRST_AAD, &SystemEntropy).unwrap();
        let mut record = vec![FIRST_VERSION];
        record.extend_from_slice(wrapped.id.as_bytes());
        record.extend_from_slice(&wrapped.bytes);
        let opened = InstanceKey::open(&root, &record).unwrap();
        assert_eq!(purpose_key(&key), purpose_key(&opened));
        assert_eq!(Binding::read(&record).unwrap().since_epoch_seconds, None);
        let error = InstanceKey::open(&root.0, &record).unwrap_err();
        assert_eq!(error.code(), RootKeyErrorCode::OtherProvider);
    }
}
