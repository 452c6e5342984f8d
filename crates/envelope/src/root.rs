//! Root keys: who holds the first key of the chain.
//!
//! A provider wraps and unwraps; the key itself need not be in this process. There are two so far: a file, and memory for
//! tests and `--ephemeral`. A passphrase, PKCS#11 or an external key service are further implementors of [`RootKey`].

mod error;
mod file;
mod format;
mod location;
mod memory;

use std::fmt;
use std::path::PathBuf;

use bulla_runtime::Entropy;

use crate::derive::hkdf;
use crate::seal::SealError;
use crate::secret::{SecretBytes, SecretKey};
use crate::wrap::{unwrap, wrap};

pub use error::{RootKeyError, RootKeyErrorCode};
pub use file::{DataFolder, DataFolderState, FileRootKey, RootKeyOrigin};
pub use location::RootKeyLocation;
pub use memory::MemoryRootKey;

/// Something that wraps and unwraps with a root key.
pub trait RootKey: Send + Sync {
    /// Wraps key material, bound to `aad`.
    ///
    /// # Errors
    /// `BULLA-K014` when the provider does not do it.
    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, RootKeyError>;

    /// Gives wrapped key material back.
    ///
    /// # Errors
    /// `BULLA-K015` when it was wrapped by another root key, for another `aad`, or is damaged.
    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<SecretBytes, RootKeyError>;

    /// Which root key this is; no secrets.
    fn describe(&self) -> RootKeyDescription;
}

/// Which root key is in use, to be shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyDescription {
    /// Who holds it.
    pub provider: RootKeyProvider,
    /// Its public name.
    pub id: RootKeyId,
    /// When it was made, seconds since 1970-01-01T00:00:00Z, if that is known.
    pub since_epoch_seconds: Option<u64>,
    /// Where it lies, if it is a file.
    pub path: Option<PathBuf>,
}

/// Who holds a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKeyProvider {
    /// A file of the operator.
    File,
    /// This process alone; what it wrapped is lost with it.
    Memory,
}

impl fmt::Display for RootKeyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Memory => "memory",
        })
    }
}

/// The public name of a root key: derived from it one way, so that two keys can be told apart without showing either.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RootKeyId([u8; 8]);

impl RootKeyId {
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKeyId({self})")
    }
}

/// A root key that is in this process: what the file and the memory provider have in common.
struct LocalRootKey {
    key: SecretKey,
    id: RootKeyId,
}

impl LocalRootKey {
    fn new(key: SecretKey) -> Result<Self, RootKeyError> {
        let named = hkdf(&key, b"", b"bulla root key id 1")
            .map_err(|error| RootKeyError::cannot_wrap(error.into()))?;
        let id = named.expose().first_chunk().copied().unwrap_or_default();
        Ok(Self {
            key,
            id: RootKeyId(id),
        })
    }

    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, RootKeyError> {
        wrap(&self.key, plaintext, aad, entropy).map_err(|error: SealError| RootKeyError::cannot_wrap(error))
    }

    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<SecretBytes, RootKeyError> {
        unwrap(&self.key, wrapped, aad).map_err(|error| RootKeyError::cannot_unwrap(self.id, error))
    }
}
