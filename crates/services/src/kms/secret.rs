//! The secret in a key's material, by kind of key.

use super::key_pair::KeyPair;
use super::kind::{KeyKind, KeySpec};
use bulla_envelope::{SecretBytes, SecretKey};
use bulla_runtime::Entropy;

/// What must never leave; wiped when dropped, never printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Secret {
    /// Encrypts and decrypts.
    Symmetric(SecretKey),
    /// Makes message authentication codes.
    Mac(SecretBytes),
    /// Signs, decrypts or agrees on secrets.
    Pair(KeyPair),
    /// Is to be imported, or has expired.
    Absent,
    /// Cannot be used: it is as it was stored, wrapped under an erasure key that is missing.
    Locked(Box<[u8]>),
}

impl Secret {
    /// A new random key that encrypts.
    pub(super) fn symmetric(entropy: &dyn Entropy) -> Self {
        Self::Symmetric(SecretKey::generate(entropy))
    }

    /// A new random key that makes message authentication codes, of so many bytes.
    pub(super) fn mac(bytes: usize, entropy: &dyn Entropy) -> Self {
        let mut key = vec![0; bytes];
        entropy.fill(&mut key);
        Self::Mac(SecretBytes::new(key))
    }

    /// What is stored of it, wrapped; nothing of a locked one, which is stored as it is.
    pub(super) fn stored(&self) -> &[u8] {
        match self {
            Self::Symmetric(key) => key.expose(),
            Self::Mac(key) => key.expose(),
            Self::Pair(pair) => pair.pkcs8().expose(),
            Self::Absent | Self::Locked(_) => &[],
        }
    }

    /// Whether it cannot be used because its erasure key is missing.
    pub(super) fn is_locked(&self) -> bool {
        match self {
            Self::Locked(_) => true,
            Self::Symmetric(_) | Self::Mac(_) | Self::Pair(_) | Self::Absent => false,
        }
    }

    /// From what was stored; `None` when a key of that kind has no such secret.
    pub(super) fn from_stored(kind: KeyKind, stored: SecretBytes) -> Option<Self> {
        match kind.spec() {
            KeySpec::SymmetricDefault => SecretKey::from_slice(stored.expose()).map(Self::Symmetric),
            KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
                (kind.mac_key_bytes() == Some(stored.expose().len())).then_some(Self::Mac(stored))
            }
            KeySpec::Pair(pair) => Some(Self::Pair(KeyPair::new(pair, kind.usage(), stored))),
        }
    }

    /// Whether there is none.
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Symmetric(_) | Self::Mac(_) | Self::Pair(_) | Self::Locked(_) => false,
        }
    }

    /// Of symmetric keys.
    pub(super) fn encrypting_key(&self) -> Option<&SecretKey> {
        match self {
            Self::Symmetric(key) => Some(key),
            Self::Mac(_) | Self::Pair(_) | Self::Absent | Self::Locked(_) => None,
        }
    }

    /// Of HMAC keys.
    pub(super) fn mac_key(&self) -> Option<&[u8]> {
        match self {
            Self::Mac(key) => Some(key.expose()),
            Self::Symmetric(_) | Self::Pair(_) | Self::Absent | Self::Locked(_) => None,
        }
    }

    /// Of asymmetric keys.
    pub(super) fn pair(&self) -> Option<&KeyPair> {
        match self {
            Self::Pair(pair) => Some(pair),
            Self::Symmetric(_) | Self::Mac(_) | Self::Absent | Self::Locked(_) => None,
        }
    }
}
