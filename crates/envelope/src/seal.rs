//! Sealing of what is stored, and opening it again.
//!
//! A sealed value is `01` (the format: AES-256-GCM with the nonce beside it), 12 bytes of nonce, the ciphertext, and 16 bytes of
//! tag. The nonce is 4 random bytes, drawn once for the data key, and a counter of 8.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

use crate::secret::{DataKey, SecretKey};

/// How many values one data key seals before its [`Sealer`] refuses.
///
/// Source: NIST SP 800-38D, 8.3 (2^32 invocations with one key).
pub const SEALS_MAX: u64 = 1 << 32;

/// How much longer a sealed value is than what was sealed, bytes.
pub const SEALED_OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + NONCE_LEN;
const TAG_BYTES: usize = 16;

/// Why a value was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// The data key has sealed [`SEALS_MAX`] values; a new one is needed.
    Exhausted,
    /// The cryptographic library refused; with the lengths used here it has no reason to.
    Refused,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exhausted => "the data key has sealed as many values as it may",
            Self::Refused => "the cryptographic library refused to seal",
        })
    }
}

impl std::error::Error for SealError {}

impl From<Unspecified> for SealError {
    fn from(_: Unspecified) -> Self {
        Self::Refused
    }
}

/// Why a value was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It is not of a format that is known here.
    Malformed,
    /// It was sealed with another key or other associated data, or was altered; which of these cannot be told.
    Refused,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a sealed value of a known format",
            Self::Refused => "the sealed value was altered, or belongs to another key or place",
        })
    }
}

impl std::error::Error for OpenError {}

impl From<Unspecified> for OpenError {
    fn from(_: Unspecified) -> Self {
        Self::Refused
    }
}

/// The plaintext to be sealed, in the buffer that will be the sealed value: it is encrypted where it lies.
///
/// Wiped when dropped without being sealed.
pub struct SealBuffer(Zeroizing<Vec<u8>>);

impl SealBuffer {
    /// A buffer for that many bytes of plaintext. More may be added, at the cost of a copy that is not wiped.
    #[must_use]
    pub fn with_capacity(plaintext_bytes: usize) -> Self {
        let mut bytes = Vec::with_capacity(plaintext_bytes.saturating_add(SEALED_OVERHEAD_BYTES));
        bytes.push(VERSION);
        bytes.extend_from_slice(&[0; NONCE_LEN]);
        Self(Zeroizing::new(bytes))
    }

    /// Appends plaintext.
    pub fn extend_from_slice(&mut self, plaintext: &[u8]) {
        self.0.extend_from_slice(plaintext);
    }

    /// How many bytes of plaintext there are so far.
    #[must_use]
    pub fn plaintext_bytes(&self) -> usize {
        self.0.len() - HEADER_BYTES
    }
}

impl From<&[u8]> for SealBuffer {
    fn from(plaintext: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(plaintext.len());
        buffer.extend_from_slice(plaintext);
        buffer
    }
}

impl fmt::Debug for SealBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealBuffer(..)")
    }
}

/// A sealed value. Only a [`Sealer`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to store.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The same value, as it is read back.
    #[must_use]
    pub fn as_ref(&self) -> SealedRef<'_> {
        SealedRef(&self.0)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Stored bytes that have the form of a sealed value. Whether they are one is seen by opening.
#[derive(Clone, Copy)]
pub struct SealedRef<'a>(&'a [u8]);

impl<'a> SealedRef<'a> {
    /// Looks at the format and the least length.
    ///
    /// # Errors
    /// [`OpenError::Malformed`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OpenError> {
        if bytes.first() == Some(&VERSION) && bytes.len() >= SEALED_OVERHEAD_BYTES {
            Ok(Self(bytes))
        } else {
            Err(OpenError::Malformed)
        }
    }

    /// How long the plaintext is, bytes.
    #[must_use]
    pub fn plaintext_bytes(&self) -> usize {
        self.0.len() - SEALED_OVERHEAD_BYTES
    }
}

impl fmt::Debug for SealedRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedRef({} bytes)", self.0.len())
    }
}

/// Seals values with one data key, each with a nonce of its own. May be shared between threads.
///
/// It lives in memory only. After a restart, and after [`SEALS_MAX`] values, a new data key is generated.
#[derive(Debug)]
pub struct Sealer {
    opener: Arc<Opener>,
    nonce_prefix: [u8; 4],
    sealed: AtomicU64,
}

impl Sealer {
    /// A sealer that uses the data key up.
    ///
    /// # Errors
    /// [`SealError::Refused`].
    pub fn new(data_key: DataKey) -> Result<Self, SealError> {
        let (key, nonce_prefix) = data_key.into_parts();
        let opener = Arc::new(Opener {
            cipher: cipher(&key)?,
        });
        Ok(Self {
            opener,
            nonce_prefix,
            sealed: AtomicU64::new(0),
        })
    }

    /// Opens what this sealer sealed.
    #[must_use]
    pub fn opener(&self) -> Arc<Opener> {
        Arc::clone(&self.opener)
    }

    /// Seals the plaintext of the buffer, in place, bound to `aad`: it opens only with the same.
    ///
    /// # Errors
    /// [`SealError::Exhausted`] after [`SEALS_MAX`] values, [`SealError::Refused`].
    pub fn seal(&self, mut buffer: SealBuffer, aad: &[u8]) -> Result<Sealed, SealError> {
        let count = self.sealed.fetch_add(1, Ordering::Relaxed);
        if count >= SEALS_MAX {
            // Keeps the counter from ever coming round, however often a refused caller asks.
            self.sealed.store(SEALS_MAX, Ordering::Relaxed);
            return Err(SealError::Exhausted);
        }
        let mut nonce = [0; NONCE_LEN];
        for (to, from) in nonce
            .iter_mut()
            .zip(self.nonce_prefix.into_iter().chain(count.to_be_bytes()))
        {
            *to = from;
        }
        let Some((header, plaintext)) = buffer.0.split_at_mut_checked(HEADER_BYTES) else {
            return Err(SealError::Refused);
        };
        for (to, from) in header.iter_mut().zip([VERSION].into_iter().chain(nonce)) {
            *to = from;
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .opener
            .cipher
            .seal_in_place_separate_tag(nonce, Aad::from(aad), plaintext)?;
        buffer.0.extend_from_slice(tag.as_ref());
        Ok(Sealed(std::mem::take(&mut *buffer.0)))
    }
}

/// Opens what was sealed with one data key. May be shared between threads.
pub struct Opener {
    cipher: LessSafeKey,
}

impl Opener {
    /// An opener for the key that a wrapped data key gave back.
    ///
    /// # Errors
    /// [`OpenError::Refused`].
    pub fn new(key: &SecretKey) -> Result<Self, OpenError> {
        Ok(Self { cipher: cipher(key)? })
    }

    /// The plaintext of a sealed value.
    ///
    /// # Errors
    /// [`OpenError::Refused`] when the key or `aad` is not that of the sealing, or a bit has changed.
    pub fn open(&self, sealed: SealedRef<'_>, aad: &[u8]) -> Result<Vec<u8>, OpenError> {
        let mut plaintext = Vec::new();
        self.open_into(sealed, aad, &mut plaintext)?;
        Ok(plaintext)
    }

    /// Appends the plaintext of a sealed value to `out`; on an error `out` is as before.
    ///
    /// # Errors
    /// As [`Opener::open`].
    pub fn open_into(&self, sealed: SealedRef<'_>, aad: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        let start = out.len();
        out.resize(start + sealed.plaintext_bytes(), 0);
        let opened = self.open_to_slice(sealed, aad, out.get_mut(start..).unwrap_or_default());
        if opened.is_err() {
            out.truncate(start);
        }
        opened
    }

    fn open_to_slice(&self, sealed: SealedRef<'_>, aad: &[u8], out: &mut [u8]) -> Result<(), OpenError> {
        let Some((_, rest)) = sealed.0.split_first() else {
            return Err(OpenError::Malformed);
        };
        let Some((nonce, rest)) = rest.split_first_chunk::<NONCE_LEN>() else {
            return Err(OpenError::Malformed);
        };
        let Some((ciphertext, tag)) = rest.split_last_chunk::<TAG_BYTES>() else {
            return Err(OpenError::Malformed);
        };
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Ok(self
            .cipher
            .open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, out)?)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(..)")
    }
}

pub(crate) fn cipher(key: &SecretKey) -> Result<LessSafeKey, Unspecified> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose())?))
}

#[cfg(test)]
mod tests;
