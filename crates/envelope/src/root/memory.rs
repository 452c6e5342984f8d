//! A root key in memory only: for tests and `--ephemeral`.

use std::fmt;

use bulla_runtime::Entropy;

use super::{LocalRootKey, RootKey, RootKeyDescription, RootKeyError, RootKeyProvider, Wrapped};
use crate::secret::{SecretBytes, SecretKey};

/// A root key that is gone with the process.
pub struct MemoryRootKey(LocalRootKey);

impl MemoryRootKey {
    /// A new random root key.
    ///
    /// # Errors
    /// `BULLA-K014` when the cryptographic library refuses.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, RootKeyError> {
        LocalRootKey::new(SecretKey::generate(entropy)).map(Self)
    }
}

impl RootKey for MemoryRootKey {
    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
        self.0.wrap(plaintext, aad, entropy)
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<SecretBytes, RootKeyError> {
        self.0.unwrap(wrapped, aad, &self.describe())
    }

    fn describe(&self) -> RootKeyDescription {
        RootKeyDescription {
            provider: RootKeyProvider::Memory,
            id: Some(self.0.id),
            since_epoch_seconds: None,
            place: "memory".to_owned(),
        }
    }
}

impl fmt::Debug for MemoryRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryRootKey({})", self.0.id)
    }
}
