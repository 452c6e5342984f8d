//! Encrypting with RSA: RFC 8017, RSAES-OAEP with an empty label. The ciphertext is RSA's alone: it does not name its key.

use super::algorithms::EncryptionAlgorithm;
use super::errors::KmsError;
use super::key::Key;
use super::key_pair::Private;
use super::words::Word;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey,
};
use bulla_envelope::SecretBytes;
use zeroize::Zeroizing;

/// Encrypts under the public key.
pub(super) fn encrypt(
    key: &Key,
    algorithm: EncryptionAlgorithm,
    plaintext: &[u8],
) -> Result<Vec<u8>, KmsError> {
    let ((_, public), oaep) = (pair(key)?, oaep(algorithm)?);
    let max = public.max_plaintext_size(oaep);
    if plaintext.len() > max {
        return Err(KmsError::Validation {
            reason: format!(
                "Algorithm {} and key spec {} cannot encrypt data larger than {max} bytes.",
                algorithm.word(),
                key.kind.spec().word()
            ),
        });
    }
    let mut sealed = vec![0; public.ciphertext_size()];
    let bytes = public.encrypt(oaep, plaintext, &mut sealed, None);
    let bytes = bytes.map_err(|_| KmsError::Internal)?.len();
    sealed.truncate(bytes);
    Ok(sealed)
}

/// Decrypts with the private key. Whatever is wrong with the ciphertext is the same error.
pub(super) fn decrypt(
    key: &Key,
    algorithm: EncryptionAlgorithm,
    ciphertext: &[u8],
) -> Result<SecretBytes, KmsError> {
    let ((private, _), oaep) = (pair(key)?, oaep(algorithm)?);
    let mut buffer = Zeroizing::new(vec![0; private.min_output_size()]);
    let opened = private.decrypt(oaep, ciphertext, &mut buffer, None);
    let bytes = opened.map_err(|_| KmsError::InvalidCiphertext)?.len();
    buffer.truncate(bytes);
    Ok(SecretBytes::new(std::mem::take(&mut *buffer)))
}

fn pair(key: &Key) -> Result<(&OaepPrivateDecryptingKey, &OaepPublicEncryptingKey), KmsError> {
    match &key.read_pair()?.private {
        Private::Oaep(private, public) => Ok((private, public)),
        Private::Rsa(_) | Private::Ecdsa(_) | Private::Ecdh(_) | Private::Ed25519(_) | Private::MlDsa(_) => {
            Err(KmsError::Internal)
        }
    }
}

fn oaep(algorithm: EncryptionAlgorithm) -> Result<&'static OaepAlgorithm, KmsError> {
    match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => Ok(&OAEP_SHA1_MGF1SHA1),
        EncryptionAlgorithm::RsaesOaepSha256 => Ok(&OAEP_SHA256_MGF1SHA256),
        EncryptionAlgorithm::SymmetricDefault | EncryptionAlgorithm::Sm2Pke => Err(KmsError::Internal),
    }
}
