//! What the operations that encrypt and decrypt have in common: an algorithm, and an encryption context where it has one.

use super::Kms;
use super::access::with_encryption_context;
use super::algorithms::EncryptionAlgorithm;
use super::ciphertext::{Ciphertext, seal};
use super::errors::KmsError;
use super::key::{Key, Material};
use super::kind::KeyUsage;
use super::oaep;
use super::validate;
use super::words::Word;
use bulla_envelope::SecretBytes;
use bulla_gate::AccessRequest;
use std::collections::BTreeMap;

/// How a request encrypts or decrypts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encryption<'a> {
    pub(super) algorithm: EncryptionAlgorithm,
    context: &'a BTreeMap<String, String>,
}

/// What was encrypted.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) plaintext: SecretBytes,
    /// What decrypted it.
    pub(super) material: &'a Material,
}

impl<'a> Encryption<'a> {
    /// Checks the members.
    pub(super) fn of_request(
        algorithm: Option<&str>,
        context: &'a BTreeMap<String, String>,
    ) -> Result<Self, KmsError> {
        validate::encryption_context(context)?;
        let algorithm = EncryptionAlgorithm::of_request(algorithm)?;
        Ok(Self { algorithm, context })
    }

    /// Whether a ciphertext names its key.
    pub(super) fn names_key(&self) -> bool {
        self.algorithm == EncryptionAlgorithm::SymmetricDefault
    }

    /// A question to the policies, with the condition keys of the encryption.
    pub(super) fn ask(&self, request: AccessRequest) -> AccessRequest {
        with_encryption_context(request, self.algorithm, self.context)
    }

    /// Encrypts, if the key is for that and may be used now.
    pub(super) fn encrypt(
        &self,
        kms: &Kms,
        key: &Key,
        plaintext: &[u8],
        operation: &str,
    ) -> Result<Vec<u8>, KmsError> {
        self.check(key, operation)?;
        if key.kind.is_symmetric() {
            return kms.seal(key, plaintext, self.context);
        }
        oaep::encrypt(key, self.algorithm, plaintext)
    }

    /// Decrypts, if the key is for that and may be used now.
    pub(super) fn decrypt<'k>(
        &self,
        key: &'k Key,
        blob: &[u8],
        operation: &str,
    ) -> Result<Opened<'k>, KmsError> {
        self.check(key, operation)?;
        if key.kind.is_symmetric() {
            return key.open(blob, self.context);
        }
        Ok(Opened {
            plaintext: oaep::decrypt(key, self.algorithm, blob)?,
            material: &key.material,
        })
    }

    /// Only the symmetric algorithm knows encryption contexts: one that would be ignored is refused.
    fn check(&self, key: &Key, operation: &str) -> Result<(), KmsError> {
        key.check_usage(KeyUsage::EncryptDecrypt, operation)?;
        key.check_algorithm(self.algorithm, key.kind.encryption_algorithms())?;
        if self.context.is_empty() || key.kind.is_symmetric() {
            return Ok(());
        }
        Err(KmsError::Validation {
            reason: format!(
                "An encryption context cannot be used with {}.",
                self.algorithm.word()
            ),
        })
    }
}

impl Opened<'_> {
    /// The id of the material that decrypted; keys that are never rotated show none.
    pub(super) fn material_id(&self, key: &Key) -> Option<String> {
        key.kind.is_symmetric().then(|| self.material.id.to_string())
    }
}

impl Key {
    /// What a ciphertext of this symmetric key holds.
    fn open(&self, blob: &[u8], context: &BTreeMap<String, String>) -> Result<Opened<'_>, KmsError> {
        let ciphertext = Ciphertext::parse(blob).ok_or(KmsError::InvalidCiphertext)?;
        if ciphertext.key != self.id {
            return Err(KmsError::IncorrectKey);
        }
        let material = self
            .material(ciphertext.material)
            .ok_or(KmsError::InvalidCiphertext)?;
        let plaintext = ciphertext
            .open(material, context)
            .ok_or(KmsError::InvalidCiphertext)?;
        Ok(Opened { plaintext, material })
    }

    /// The id of the material that encrypts; keys that are never rotated show none.
    pub(super) fn current_material_id(&self) -> Option<String> {
        let shown = self.kind.is_symmetric() && !self.material.id.is_empty();
        shown.then(|| self.material.id.to_string())
    }
}

impl Kms {
    /// Encrypts under a symmetric key.
    pub(super) fn seal(
        &self,
        key: &Key,
        plaintext: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, KmsError> {
        key.check_usable()?;
        seal(key.id, &key.material, plaintext, context, &*self.runtime.entropy).map_err(|error| {
            tracing::error!(key = %key.arn, %error, "nothing can be encrypted under the key");
            KmsError::Internal
        })
    }
}
