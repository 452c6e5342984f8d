//! Making the secrets of new keys.

use super::Kms;
use super::errors::KmsError;
use super::kind::KeyKind;
use super::secret::Secret;
use super::words::Word;

impl Kms {
    /// The secret of a new key.
    pub(super) fn new_secret(&self, kind: KeyKind) -> Result<Secret, KmsError> {
        let entropy = &*self.runtime.entropy;
        if let Some(pair) = kind.pair() {
            return Err(KmsError::Unsupported {
                reason: format!("Keys of the spec {} are not built", pair.word()),
            });
        }
        Ok(match kind.mac_key_bytes() {
            Some(bytes) => Secret::mac(bytes, entropy),
            None => Secret::symmetric(entropy),
        })
    }
}
