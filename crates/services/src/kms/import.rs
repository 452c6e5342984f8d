//! How key material comes in: encrypted under an RSA key that is made for it and that only this data folder has.
//!
//! Nothing of an import is kept between its two calls: the private half of the wrapping key travels in the import token,
//! sealed, and bound to the KMS key that it is for. A token is good for 24 hours, for as many imports as one likes.
//!
//! Source: KMS API Reference, `GetParametersForImport` and `ImportKeyMaterial` (read 2026-11-21); RFC 8017, RSAES-OAEP;
//! RFC 5649, AES key wrap with padding.

use super::Kms;
use super::errors::KmsError;
use super::key::{Key, hex};
use super::kind::{KeyKind, KeySpec, PairSpec};
use super::limits::IMPORT_TOKEN_LIFETIME;
use super::record::record_key;
use super::secret::Secret;
use super::words::Word;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::{error::Unspecified, hmac};
use bulla_envelope::{Purpose, SecretBytes, SecretKey, encode_parts, unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_types::Timestamp;
use std::sync::Arc;
use zeroize::Zeroizing;

const TOKEN_LABEL: &[u8] = b"bulla kms import token 1";
const ID_LABEL: &[u8] = b"imported key material ids 1";
const AES_KEY_BYTES: usize = 32;
/// Algorithm, spec, time.
const HEAD_BYTES: usize = 2 + 8;

/// How key material is encrypted on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrappingAlgorithm {
    /// Under the RSA key, with SHA-1.
    OaepSha1,
    /// Under the RSA key, with SHA-256.
    OaepSha256,
    /// Under an AES key, and that under the RSA key, with SHA-1.
    AesKeyWrapSha1,
    /// Under an AES key, and that under the RSA key, with SHA-256.
    AesKeyWrapSha256,
}

impl Word for WrappingAlgorithm {
    const ALL: &'static [Self] = &[
        Self::OaepSha1,
        Self::OaepSha256,
        Self::AesKeyWrapSha1,
        Self::AesKeyWrapSha256,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::OaepSha1 => "RSAES_OAEP_SHA_1",
            Self::OaepSha256 => "RSAES_OAEP_SHA_256",
            Self::AesKeyWrapSha1 => "RSA_AES_KEY_WRAP_SHA_1",
            Self::AesKeyWrapSha256 => "RSA_AES_KEY_WRAP_SHA_256",
        }
    }
}

impl WrappingAlgorithm {
    fn oaep(self) -> &'static OaepAlgorithm {
        match self {
            Self::OaepSha1 | Self::AesKeyWrapSha1 => &OAEP_SHA1_MGF1SHA1,
            Self::OaepSha256 | Self::AesKeyWrapSha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }

    fn has_aes_key(self) -> bool {
        match self {
            Self::OaepSha1 | Self::OaepSha256 => false,
            Self::AesKeyWrapSha1 | Self::AesKeyWrapSha256 => true,
        }
    }
}

/// An algorithm and the size of its RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrapping {
    pub(super) algorithm: WrappingAlgorithm,
    /// RSA.
    pub(super) spec: PairSpec,
}

impl Wrapping {
    /// Parses the members. What AWS has withdrawn, or has in China alone, is not supported.
    pub(super) fn parse(algorithm: &str, spec: &str) -> Result<Self, KmsError> {
        let unsupported = |text: &str| KmsError::Unsupported {
            reason: format!("{text} is not supported for wrapping key material."),
        };
        if ["RSAES_PKCS1_V1_5", "SM2PKE"].contains(&algorithm) {
            return Err(unsupported(algorithm));
        }
        if spec == "SM2" {
            return Err(unsupported(spec));
        }
        super::validate::one_of(
            spec,
            "wrappingKeySpec",
            &["RSA_2048", "RSA_3072", "RSA_4096", "SM2"],
        )?;
        Ok(Self {
            algorithm: WrappingAlgorithm::parse(algorithm, "wrappingAlgorithm")?,
            spec: PairSpec::parse(spec, "wrappingKeySpec")?,
        })
    }

    /// Refuses an algorithm that is not for such key material.
    pub(super) fn check_fits(self, kind: KeyKind) -> Result<(), KmsError> {
        let fits = match kind.spec() {
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => !self.algorithm.has_aes_key(),
            KeySpec::Pair(pair) if pair.is_rsa() => self.algorithm.has_aes_key(),
            // It is longer than what the key encrypts.
            KeySpec::Pair(PairSpec::NistP521) => {
                self.algorithm.has_aes_key() || self.spec != PairSpec::Rsa2048
            }
            KeySpec::Pair(_) => true,
        };
        if fits {
            return Ok(());
        }
        Err(KmsError::Unsupported {
            reason: format!(
                "Key material of the spec {} cannot be wrapped with {} and {}.",
                kind.spec().word(),
                self.algorithm.word(),
                self.spec.word()
            ),
        })
    }
}

/// What an import token holds.
#[derive(Debug)]
pub(super) struct ImportToken {
    pub(super) wrapping: Wrapping,
    /// The token is good before that time.
    pub(super) valid_to: Timestamp,
    /// PKCS #8, DER, of the wrapping key.
    private: SecretBytes,
}

impl ImportToken {
    /// Of a wrapping key that was just made.
    pub(super) fn new(wrapping: Wrapping, private: SecretBytes, now: Timestamp) -> Self {
        Self {
            wrapping,
            valid_to: now.after(IMPORT_TOKEN_LIFETIME),
            private,
        }
    }

    /// Bytes that only this data folder can make and read, and that are for this key alone.
    pub(super) fn seal(
        &self,
        key: &Key,
        wrapping: &SecretKey,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, KmsError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + self.private.expose().len()));
        plain.extend_from_slice(&[place(self.wrapping.algorithm), place(self.wrapping.spec)]);
        plain.extend_from_slice(&self.valid_to.as_millis().to_be_bytes());
        plain.extend_from_slice(self.private.expose());
        wrap(wrapping, &plain, &token_binding(key), entropy).map_err(|error| {
            tracing::error!(%error, "no import token can be made");
            KmsError::Internal
        })
    }

    /// What was sealed.
    ///
    /// # Errors
    /// `InvalidImportTokenException` when it was not made here or is for another key, `ExpiredImportTokenException`.
    pub(super) fn open(
        token: &[u8],
        key: &Key,
        wrapping: &SecretKey,
        now: Timestamp,
    ) -> Result<Self, KmsError> {
        let plain = unwrap(wrapping, token, &token_binding(key)).map_err(|_| KmsError::InvalidImportToken)?;
        let token = Self::parse(plain.expose()).ok_or(KmsError::InvalidImportToken)?;
        if token.valid_to <= now {
            return Err(KmsError::ExpiredImportToken);
        }
        Ok(token)
    }

    fn parse(plain: &[u8]) -> Option<Self> {
        let ([algorithm, spec], rest) = plain.split_first_chunk::<2>()?;
        let (valid_to, private) = rest.split_first_chunk::<8>()?;
        Some(Self {
            wrapping: Wrapping {
                algorithm: *WrappingAlgorithm::ALL.get(usize::from(*algorithm))?,
                spec: *PairSpec::ALL.get(usize::from(*spec))?,
            },
            valid_to: Timestamp::from_millis(u64::from_be_bytes(*valid_to)),
            private: SecretBytes::new(private.to_vec()),
        })
    }

    /// The key material that was encrypted under the wrapping key.
    ///
    /// # Errors
    /// `InvalidCiphertextException`, whatever is wrong.
    pub(super) fn unwrap(&self, encrypted: &[u8]) -> Result<SecretBytes, KmsError> {
        self.unwrapped(encrypted).map_err(|_| KmsError::InvalidCiphertext)
    }

    fn unwrapped(&self, encrypted: &[u8]) -> Result<SecretBytes, Unspecified> {
        let private = PrivateDecryptingKey::from_pkcs8(self.private.expose())?;
        let private = OaepPrivateDecryptingKey::new(private)?;
        let oaep = self.wrapping.algorithm.oaep();
        if !self.wrapping.algorithm.has_aes_key() {
            return decrypt(&private, oaep, encrypted);
        }
        let (aes_key, wrapped) = encrypted
            .split_at_checked(private.key_size_bytes())
            .ok_or(Unspecified)?;
        let aes_key = decrypt(&private, oaep, aes_key)?;
        if aes_key.expose().len() != AES_KEY_BYTES {
            return Err(Unspecified);
        }
        let mut buffer = Zeroizing::new(vec![0; wrapped.len()]);
        let aes_key = AesKek::new(&AES_256, aes_key.expose())?;
        let bytes = aes_key.unwrap_with_padding(wrapped, &mut buffer)?.len();
        buffer.truncate(bytes);
        Ok(SecretBytes::new(std::mem::take(&mut *buffer)))
    }
}

/// Where a word stands among all; tokens live a day, so that the order may change.
fn place<W: Word>(word: W) -> u8 {
    let place = W::ALL.iter().position(|other| *other == word);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

fn token_binding(key: &Key) -> Vec<u8> {
    encode_parts(&[TOKEN_LABEL, &record_key(key.owner, key.region, key.id)])
}

fn decrypt(
    private: &OaepPrivateDecryptingKey,
    oaep: &'static OaepAlgorithm,
    ciphertext: &[u8],
) -> Result<SecretBytes, Unspecified> {
    let mut buffer = Zeroizing::new(vec![0; private.min_output_size()]);
    let bytes = private.decrypt(oaep, ciphertext, &mut buffer, None)?.len();
    buffer.truncate(bytes);
    Ok(SecretBytes::new(std::mem::take(&mut *buffer)))
}

/// Key material as keys of that kind have it: 32 bytes for AES, as long as the code for HMAC, PKCS #8 in DER for pairs.
///
/// # Errors
/// `IncorrectKeyMaterialException`.
pub(super) fn secret(kind: KeyKind, material: SecretBytes) -> Result<Secret, KmsError> {
    let secret = Secret::from_stored(kind, material);
    let sound = |secret: &Secret| secret.pair().is_none_or(super::key_pair::KeyPair::is_sound);
    secret
        .filter(sound)
        .ok_or_else(|| KmsError::IncorrectKeyMaterial {
            reason: format!(
                "The key material is not that of a key of the spec {}.",
                kind.spec().word()
            ),
        })
}

impl Kms {
    /// What imported material is known by: only the same has the same. The keys of a multi-Region key agree on it; of a pair it
    /// says which public key it has, whatever the encoding was.
    pub(super) fn imported_id(&self, key: &Key, secret: &Secret) -> Result<Arc<str>, KmsError> {
        let tagging = self.wrapping.derive(Purpose::KmsKeyMaterial, &[ID_LABEL]);
        let tagging = tagging.map_err(|_| KmsError::Internal)?;
        let tagging = hmac::Key::new(hmac::HMAC_SHA256, tagging.expose());
        let known_by = match secret {
            Secret::Symmetric(_) | Secret::Mac(_) => secret.stored(),
            Secret::Pair(pair) => &pair.read().ok_or(KmsError::Internal)?.public,
            Secret::Absent | Secret::Locked(_) => return Err(KmsError::Internal),
        };
        let tag = hmac::sign(&tagging, &encode_parts(&[key.id.as_str().as_bytes(), known_by]));
        Ok(hex(tag.as_ref()).into())
    }
}
