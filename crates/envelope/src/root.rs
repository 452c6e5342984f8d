//! Root keys: who holds the first key of the chain.
//!
//! A provider wraps and unwraps; the key itself need not be in this process. Here are a file, a passphrase, a PKCS#11
//! token, and memory for tests and `--ephemeral`; a key service over the network is implemented where the network is.
//!
//! What must stay true: a provider says which key wrapped, and refuses what another one wrapped by that name, so that a
//! wrong key is told from damage; and it tells a root key that is out of reach, which may come back, from one that is
//! wrong, which will not.

mod error;
mod file;
mod format;
mod location;
mod memory;
mod passphrase;
mod pkcs11;

use std::fmt;

use bulla_runtime::Entropy;

use crate::aad::encode_parts;
use crate::derive::hkdf;
use crate::seal::SealError;
use crate::secret::{SecretBytes, SecretKey};
use crate::tag::sha256;
use crate::wrap::{unwrap, wrap};

pub use error::{RootKeyError, RootKeyErrorCode};
pub use file::{DataFolder, DataFolderState, FileRootKey, RootKeyOrigin, is_inside};
pub use location::RootKeyLocation;
pub use memory::MemoryRootKey;
pub use passphrase::{PASSPHRASE_BYTES_MAX, PASSPHRASE_CHARACTERS_MIN, PassphraseRootKey};
pub use pkcs11::{Pkcs11Place, Pkcs11RootKey};

/// Something that wraps and unwraps with a root key. Both may take long and block their thread.
pub trait RootKey: Send + Sync {
    /// Wraps key material, bound to `aad`.
    ///
    /// # Errors
    /// `BULLA-K014` when the provider does not do it, `BULLA-K017` when it cannot be reached.
    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError>;

    /// Gives wrapped key material back.
    ///
    /// # Errors
    /// `BULLA-K010` when it was wrapped by another root key, `BULLA-K015` when for another `aad`, or it is damaged,
    /// `BULLA-K017` when the provider cannot be reached.
    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<SecretBytes, RootKeyError>;

    /// Which root key this is; no secrets.
    fn describe(&self) -> RootKeyDescription;
}

/// What a root key made of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The root key.
    pub id: RootKeyId,
    /// What it gave; what is in it, only its provider knows.
    pub bytes: Vec<u8>,
}

/// Which root key is in use, to be shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyDescription {
    /// Who holds it.
    pub provider: RootKeyProvider,
    /// Its public name, if that is known before it is used.
    pub id: Option<RootKeyId>,
    /// When it was made, seconds since 1970-01-01T00:00:00Z, if that is known.
    pub since_epoch_seconds: Option<u64>,
    /// Where it is, in the operator's words: the path of a file, the ARN of a key.
    pub place: String,
}

/// Who holds a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKeyProvider {
    /// A file of the operator.
    File,
    /// This process alone; what it wrapped is lost with it.
    Memory,
    /// Somebody who knows a passphrase.
    Passphrase,
    /// A token behind PKCS#11, for instance a hardware security module.
    Pkcs11,
    /// A key service that speaks the API of AWS KMS.
    Kms,
}

impl RootKeyProvider {
    const ALL: [Self; 5] = [
        Self::File,
        Self::Memory,
        Self::Passphrase,
        Self::Pkcs11,
        Self::Kms,
    ];

    /// Its number in stored records. A number never changes and is never used again.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Memory => 2,
            Self::Passphrase => 3,
            Self::Pkcs11 => 4,
            Self::Kms => 5,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.number() == number)
    }
}

impl fmt::Display for RootKeyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Memory => "memory",
            Self::Passphrase => "passphrase",
            Self::Pkcs11 => "pkcs11",
            Self::Kms => "kms",
        })
    }
}

/// The public name of a root key: derived from it one way, so that two keys can be told apart without showing either.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RootKeyId([u8; 8]);

impl RootKeyId {
    /// The name of a key that has a public name of its own: an ARN, or the parts that tell a key in a token.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let digest = sha256(&encode_parts(parts));
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

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

    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
        let bytes = wrap(&self.key, plaintext, aad, entropy)
            .map_err(|error: SealError| RootKeyError::cannot_wrap(error))?;
        Ok(Wrapped { id: self.id, bytes })
    }

    fn unwrap(
        &self,
        wrapped: &Wrapped,
        aad: &[u8],
        description: &RootKeyDescription,
    ) -> Result<SecretBytes, RootKeyError> {
        if wrapped.id != self.id {
            return Err(RootKeyError::wrong_key(description, wrapped.id));
        }
        unwrap(&self.key, &wrapped.bytes, aad).map_err(|error| RootKeyError::cannot_unwrap(self.id, error))
    }
}
