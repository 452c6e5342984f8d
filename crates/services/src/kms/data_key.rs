//! What the operations that make data keys have in common.

use super::Kms;
use super::errors::KmsError;
use super::limits::DATA_KEY_BYTES_MAX;
use super::shapes::RecipientInfo;
use super::validate::{one_of, range};
use bulla_envelope::SecretBytes;

/// The length of a data key, bytes: a key spec or a number, not both.
pub(super) fn data_key_bytes(
    key_spec: Option<&str>,
    number_of_bytes: Option<i32>,
) -> Result<usize, KmsError> {
    match (key_spec, number_of_bytes) {
        (Some(spec), None) => {
            one_of(spec, "keySpec", &["AES_256", "AES_128"])?;
            Ok(if spec == "AES_256" { 32 } else { 16 })
        }
        (None, Some(bytes)) => {
            let bytes = range(bytes, "numberOfBytes", 1, DATA_KEY_BYTES_MAX)?;
            Ok(usize::try_from(bytes).unwrap_or(1))
        }
        (None, None) | (Some(_), Some(_)) => Err(KmsError::Validation {
            reason: "Please specify either number of bytes or key spec.".to_owned(),
        }),
    }
}

/// Enclaves are not built; an answer in clear to who asked for a sealed one would be a leak.
pub(super) fn no_recipient(recipient: Option<&RecipientInfo>) -> Result<(), KmsError> {
    match recipient {
        None => Ok(()),
        Some(_) => Err(KmsError::Unsupported {
            reason: "Recipient (attested enclaves) is not built".to_owned(),
        }),
    }
}

/// Nothing is handed out when the request only tests permissions.
pub(super) fn end_dry_run(dry_run: Option<bool>) -> Result<(), KmsError> {
    if dry_run == Some(true) {
        Err(KmsError::DryRun)
    } else {
        Ok(())
    }
}

impl Kms {
    /// Random bytes.
    pub(super) fn random(&self, bytes: usize) -> SecretBytes {
        let mut random = vec![0; bytes];
        self.runtime.entropy.fill(&mut random);
        SecretBytes::new(random)
    }
}

#[cfg(test)]
mod tests {
    use super::data_key_bytes;

    #[test]
    fn a_data_key_has_a_spec_or_a_length() {
        assert_eq!(data_key_bytes(Some("AES_256"), None), Ok(32));
        assert_eq!(data_key_bytes(Some("AES_128"), None), Ok(16));
        assert_eq!(data_key_bytes(None, Some(1024)), Ok(1024));
        for (spec, bytes) in [
            (None, None),
            (Some("AES_256"), Some(32)),
            (Some("DES"), None),
            (None, Some(0)),
            (None, Some(1025)),
        ] {
            assert!(data_key_bytes(spec, bytes).is_err(), "{spec:?} {bytes:?}");
        }
    }
}
