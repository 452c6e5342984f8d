//! Agreeing on a secret with the owner of another key pair: SP 800-56A, elliptic curve cryptography cofactor
//! Diffie-Hellman. The cofactor of all curves here is 1.

use super::algorithms::AgreementAlgorithm;
use super::errors::KmsError;
use super::key::Key;
use super::key_pair::Private;
use super::kind::KeyUsage;
use super::limits::PUBLIC_KEY_BYTES_MAX;
use super::validate::blob_length;
use super::words::Word;
use aws_lc_rs::agreement::{self, ParsedPublicKey, ParsedPublicKeyFormat, PrivateKey, UnparsedPublicKey};
use bulla_envelope::SecretBytes;
use bulla_wire::Blob;

/// With whom, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreement<'a> {
    pub(super) algorithm: AgreementAlgorithm,
    /// Of the other side: `SubjectPublicKeyInfo`, DER.
    public_key: &'a [u8],
}

impl<'a> Agreement<'a> {
    /// Checks the members.
    pub(super) fn new(Blob(public_key): &'a Blob, algorithm: &str) -> Result<Self, KmsError> {
        let algorithm = AgreementAlgorithm::parse(algorithm, "keyAgreementAlgorithm")?;
        blob_length(public_key, "publicKey", PUBLIC_KEY_BYTES_MAX)?;
        Ok(Self {
            algorithm,
            public_key,
        })
    }

    /// The secret: the x-coordinate, as long as the curve's field.
    pub(super) fn derive(&self, key: &Key, operation: &str) -> Result<SecretBytes, KmsError> {
        key.check_usage(KeyUsage::KeyAgreement, operation)?;
        key.check_algorithm(self.algorithm, key.kind.agreement_algorithms())?;
        match &key.read_pair()?.private {
            Private::Ecdh(own) => derive(own, self.public_key).ok_or_else(|| KmsError::Validation {
                reason: format!(
                    "PublicKey is not a DER-encoded public key (SubjectPublicKeyInfo) of the key spec {}.",
                    key.kind.spec().word()
                ),
            }),
            Private::Rsa(_)
            | Private::Oaep(..)
            | Private::Ecdsa(_)
            | Private::Ed25519(_)
            | Private::MlDsa(_) => Err(KmsError::Internal),
        }
    }
}

/// `None` when the other key is not a point of the same curve.
fn derive(own: &PrivateKey, other: &[u8]) -> Option<SecretBytes> {
    let other = ParsedPublicKey::try_from(UnparsedPublicKey::new(own.algorithm(), other)).ok()?;
    if other.format() != ParsedPublicKeyFormat::X509 {
        return None;
    }
    agreement::agree(own, other, (), |secret| Ok(SecretBytes::new(secret.to_vec()))).ok()
}

#[cfg(test)]
mod tests {
    use super::{PrivateKey, agreement, derive};
    use crate::kms::grant::unhex;

    fn point(hex: &str) -> Vec<u8> {
        let mut der = unhex("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        der.extend(unhex(hex).unwrap());
        der
    }

    /// NIST CAVP, `KAS_ECC_CDH_PrimitiveTest`, P-256, `COUNT = 0`.
    #[test]
    fn secrets_are_those_of_the_nist_vectors() {
        let own = unhex("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534").unwrap();
        let own = PrivateKey::from_private_key(&agreement::ECDH_P256, &own).unwrap();
        let other = "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287\
                     db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac";
        let expected = unhex("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b").unwrap();
        assert_eq!(derive(&own, &point(other)).unwrap().expose(), expected);
        // A point that is not in DER, one that is not on the curve, no point.
        assert_eq!(derive(&own, &unhex(other).unwrap()), None);
        assert_eq!(derive(&own, &point(&other.replace("a4ac", "a4ad"))), None);
        assert_eq!(derive(&own, &point("00")), None);
    }
}
