//! Which operation a key is for: its usage and its algorithms.

use super::errors::KmsError;
use super::key::Key;
use super::kind::KeyUsage;
use super::words::Word;

impl Key {
    /// Refuses an operation that keys of this usage are not for, and a key that may do no cryptography now.
    pub(super) fn check_usage(&self, usage: KeyUsage, operation: &str) -> Result<(), KmsError> {
        if self.kind.usage() != usage {
            return Err(KmsError::InvalidKeyUsage {
                reason: format!(
                    "{} key usage is {} which is not valid for {operation}.",
                    self.arn,
                    self.kind.usage().word()
                ),
            });
        }
        self.check_usable()
    }

    /// Refuses an algorithm that is not among those of the key.
    pub(super) fn check_algorithm<W: Word>(&self, algorithm: W, known: &[W]) -> Result<(), KmsError> {
        if known.contains(&algorithm) {
            return Ok(());
        }
        Err(KmsError::InvalidKeyUsage {
            reason: format!(
                "Algorithm {} is incompatible with key spec {}.",
                algorithm.word(),
                self.kind.spec().word()
            ),
        })
    }

    /// Refuses what only symmetric encryption keys do: making data keys.
    pub(super) fn check_symmetric(&self, operation: &str) -> Result<(), KmsError> {
        self.check_usage(KeyUsage::EncryptDecrypt, operation)?;
        if self.kind.is_symmetric() {
            return Ok(());
        }
        Err(KmsError::InvalidKeyUsage {
            reason: format!(
                "{} key spec is {} which is not valid for {operation}.",
                self.arn,
                self.kind.spec().word()
            ),
        })
    }

    /// Refuses to change the rotation of a key whose material is imported, and of a replica, which follows its primary key.
    pub(super) fn check_rotates_itself(&self) -> Result<(), KmsError> {
        self.check_rotatable()?;
        if self.external.is_some() {
            return Err(self.origin_not_valid());
        }
        if self.is_replica() {
            return Err(KmsError::Unsupported {
                reason: format!(
                    "{} is a multi-Region replica key: its rotation is that of its primary key.",
                    self.arn
                ),
            });
        }
        Ok(())
    }

    /// The refusal of an operation that is for keys of another origin.
    pub(super) fn origin_not_valid(&self) -> KmsError {
        KmsError::Unsupported {
            reason: format!(
                "{} origin is {} which is not valid for this operation.",
                self.arn,
                self.origin()
            ),
        }
    }

    /// Refuses to rotate what is not rotated: all but symmetric encryption keys.
    pub(super) fn check_rotatable(&self) -> Result<(), KmsError> {
        if self.kind.is_symmetric() {
            return Ok(());
        }
        Err(KmsError::Unsupported {
            reason: format!(
                "{} is not a symmetric encryption key; other keys are not rotated.",
                self.arn
            ),
        })
    }
}
