//! Signatures: FIPS 186-5, RFC 8017, RFC 8032, FIPS 204.
//!
//! Where an algorithm signs a digest, a message in full and its digest lead to the same signatures.

use super::algorithms::{MessageType, SigningAlgorithm};
use super::errors::KmsError;
use super::key::Key;
use super::key_pair::{KeyPair, Private, ReadPair};
use super::kind::{KeyUsage, PairSpec};
use super::limits::MESSAGE_BYTES_MAX;
use super::shapes::Plaintext;
use super::validate::blob_length;
use super::words::Word;
use aws_lc_rs::digest::{Digest, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, UnparsedPublicKey, VerificationAlgorithm,
};
use bulla_gate::AccessRequest;

/// What the requests to sign and to verify have in common.
#[derive(Debug)]
pub(super) struct SigningRequest<'a> {
    pub(super) algorithm: SigningAlgorithm,
    message_type: MessageType,
    message: Message<'a>,
}

#[derive(Debug)]
enum Message<'a> {
    /// For algorithms that sign the message itself.
    Whole(&'a [u8]),
    /// For algorithms that sign a digest of it.
    Digest(Digest),
}

impl<'a> SigningRequest<'a> {
    /// Checks the members.
    pub(super) fn new(
        message: &'a Plaintext,
        message_type: Option<&str>,
        algorithm: &str,
    ) -> Result<Self, KmsError> {
        let bytes = message.expose();
        blob_length(bytes, "message", MESSAGE_BYTES_MAX)?;
        let algorithm = SigningAlgorithm::parse(algorithm, "signingAlgorithm")?;
        let message_type = message_type.map_or(Ok(MessageType::Raw), |text| {
            MessageType::parse(text, "messageType")
        })?;
        check_built(algorithm, message_type)?;
        let message = match (message_type, algorithm.digest()) {
            (MessageType::Raw, None) => Message::Whole(bytes),
            (MessageType::Raw, Some(hash)) => Message::Digest(digest(hash, bytes)),
            (MessageType::Digest, Some(hash)) => {
                let given = Digest::import_less_safe(bytes, hash);
                Message::Digest(given.map_err(|_| KmsError::Validation {
                    reason: format!("Digest is invalid length for algorithm {}.", algorithm.word()),
                })?)
            }
            (MessageType::Digest, None) | (MessageType::ExternalMu, _) => {
                return Err(KmsError::Validation {
                    reason: format!(
                        "MessageType {} is incompatible with algorithm {}.",
                        message_type.word(),
                        algorithm.word()
                    ),
                });
            }
        };
        Ok(Self {
            algorithm,
            message_type,
            message,
        })
    }

    /// A question to the policies, with the condition keys of signing.
    pub(super) fn ask(&self, request: AccessRequest) -> AccessRequest {
        request
            .with_key("kms:SigningAlgorithm", self.algorithm.word())
            .with_key("kms:MessageType", self.message_type.word())
    }

    /// The signature, if the key is for that and may be used now.
    pub(super) fn sign(&self, key: &Key, operation: &str) -> Result<Vec<u8>, KmsError> {
        let (_, pair) = self.pair(key, operation)?;
        self.sign_with(pair).map_err(|_| {
            tracing::error!(key = %key.arn, "nothing can be signed with the key");
            KmsError::Internal
        })
    }

    /// Whether a signature is one of the message by the key, if the key is for that and may be used now.
    pub(super) fn verify(&self, key: &Key, signature: &[u8], operation: &str) -> Result<(), KmsError> {
        let (spec, pair) = self.pair(key, operation)?;
        self.verify_with(spec, pair, signature)
            .map_err(|_| KmsError::InvalidSignature)
    }

    fn pair<'k>(&self, key: &'k Key, operation: &str) -> Result<(PairSpec, &'k ReadPair), KmsError> {
        key.check_usage(KeyUsage::SignVerify, operation)?;
        key.check_algorithm(self.algorithm, key.kind.signing_algorithms())?;
        let spec = key.kind.pair().ok_or(KmsError::Internal)?;
        Ok((spec, key.read_pair()?))
    }

    fn sign_with(&self, pair: &ReadPair) -> Result<Vec<u8>, Unspecified> {
        match (&pair.private, &self.message) {
            (Private::Rsa(own), Message::Digest(digest)) => {
                let mut signature = vec![0; own.public_modulus_len()];
                own.sign_digest(self.rsa_encoding()?, digest, &mut signature)?;
                Ok(signature)
            }
            (Private::Ecdsa(own), Message::Digest(digest)) => Ok(own.sign_digest(digest)?.as_ref().to_vec()),
            (Private::Ed25519(own), Message::Whole(message)) => Ok(own.try_sign(message)?.as_ref().to_vec()),
            (Private::MlDsa(own), Message::Whole(message)) => {
                let mut signature = vec![0; own.algorithm().signature_len()];
                let length = own.sign(message, &mut signature)?;
                signature.truncate(length);
                Ok(signature)
            }
            (Private::Rsa(_) | Private::Ecdsa(_), Message::Whole(_))
            | (Private::Ed25519(_) | Private::MlDsa(_), Message::Digest(_))
            | (Private::Oaep(..) | Private::Ecdh(_), _) => Err(Unspecified),
        }
    }

    fn verify_with(&self, spec: PairSpec, pair: &ReadPair, signature: &[u8]) -> Result<(), Unspecified> {
        let public = UnparsedPublicKey::new(self.verification(spec)?, &pair.public);
        match &self.message {
            Message::Whole(message) => public.verify(message, signature),
            Message::Digest(digest) => public.verify_digest(digest, signature),
        }
    }

    fn rsa_encoding(&self) -> Result<&'static dyn RsaEncoding, Unspecified> {
        match self.algorithm {
            SigningAlgorithm::RsassaPssSha256 => Ok(&RSA_PSS_SHA256),
            SigningAlgorithm::RsassaPssSha384 => Ok(&RSA_PSS_SHA384),
            SigningAlgorithm::RsassaPssSha512 => Ok(&RSA_PSS_SHA512),
            SigningAlgorithm::RsassaPkcs1Sha256 => Ok(&RSA_PKCS1_SHA256),
            SigningAlgorithm::RsassaPkcs1Sha384 => Ok(&RSA_PKCS1_SHA384),
            SigningAlgorithm::RsassaPkcs1Sha512 => Ok(&RSA_PKCS1_SHA512),
            SigningAlgorithm::EcdsaSha256
            | SigningAlgorithm::EcdsaSha384
            | SigningAlgorithm::EcdsaSha512
            | SigningAlgorithm::Sm2Dsa
            | SigningAlgorithm::MlDsaShake256
            | SigningAlgorithm::Ed25519Sha512
            | SigningAlgorithm::Ed25519PhSha512 => Err(Unspecified),
        }
    }

    fn verification(&self, spec: PairSpec) -> Result<&'static dyn VerificationAlgorithm, Unspecified> {
        match self.algorithm {
            SigningAlgorithm::RsassaPssSha256 => Ok(&RSA_PSS_2048_8192_SHA256),
            SigningAlgorithm::RsassaPssSha384 => Ok(&RSA_PSS_2048_8192_SHA384),
            SigningAlgorithm::RsassaPssSha512 => Ok(&RSA_PSS_2048_8192_SHA512),
            SigningAlgorithm::RsassaPkcs1Sha256 => Ok(&RSA_PKCS1_2048_8192_SHA256),
            SigningAlgorithm::RsassaPkcs1Sha384 => Ok(&RSA_PKCS1_2048_8192_SHA384),
            SigningAlgorithm::RsassaPkcs1Sha512 => Ok(&RSA_PKCS1_2048_8192_SHA512),
            SigningAlgorithm::EcdsaSha256 if spec == PairSpec::Secp256k1 => Ok(&ECDSA_P256K1_SHA256_ASN1),
            SigningAlgorithm::EcdsaSha256 => Ok(&ECDSA_P256_SHA256_ASN1),
            SigningAlgorithm::EcdsaSha384 => Ok(&ECDSA_P384_SHA384_ASN1),
            SigningAlgorithm::EcdsaSha512 => Ok(&ECDSA_P521_SHA512_ASN1),
            SigningAlgorithm::Ed25519Sha512 => Ok(&ED25519),
            SigningAlgorithm::MlDsaShake256 if spec == PairSpec::MlDsa44 => Ok(&ML_DSA_44),
            SigningAlgorithm::MlDsaShake256 if spec == PairSpec::MlDsa65 => Ok(&ML_DSA_65),
            SigningAlgorithm::MlDsaShake256 => Ok(&ML_DSA_87),
            SigningAlgorithm::Sm2Dsa | SigningAlgorithm::Ed25519PhSha512 => Err(Unspecified),
        }
    }
}

/// What AWS has and the cryptographic library has not.
fn check_built(algorithm: SigningAlgorithm, message_type: MessageType) -> Result<(), KmsError> {
    let what = if algorithm == SigningAlgorithm::Ed25519PhSha512 {
        algorithm.word()
    } else if algorithm == SigningAlgorithm::MlDsaShake256 && message_type == MessageType::ExternalMu {
        message_type.word()
    } else {
        return Ok(());
    };
    Err(KmsError::Unsupported {
        reason: format!("{what} is not built: the cryptographic library does not offer it"),
    })
}

impl Key {
    /// The key pair as the library wants it.
    pub(super) fn read_pair(&self) -> Result<&ReadPair, KmsError> {
        let pair = self.material.secret.pair().and_then(KeyPair::read);
        pair.ok_or_else(|| {
            tracing::error!(key = %self.arn, "the key pair cannot be read");
            KmsError::Internal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyPair, SigningRequest};
    use crate::kms::grant::unhex;
    use crate::kms::kind::{KeyUsage, PairSpec};
    use crate::kms::shapes::Plaintext;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
    use bulla_envelope::SecretBytes;

    fn message(bytes: &[u8]) -> Plaintext {
        Plaintext::new(SecretBytes::new(bytes.to_vec()))
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn signatures_of_ed25519_are_those_of_rfc_8032() {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let pkcs8 = unhex(&format!("302e020100300506032b657004220420{seed}")).unwrap();
        let pair = KeyPair::new(PairSpec::Ed25519, KeyUsage::SignVerify, SecretBytes::new(pkcs8));
        let message = message(&[0x72]);
        let request = SigningRequest::new(&message, None, "ED25519_SHA_512").unwrap();
        let expected = unhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        )
        .unwrap();
        let read = pair.read().unwrap();
        assert_eq!(request.sign_with(read).unwrap(), expected);
        assert!(request.verify_with(PairSpec::Ed25519, read, &expected).is_ok());
        let public = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
        assert!(read.public.ends_with(&public));
    }

    /// RFC 6979, appendix A.2.5, message "sample" with SHA-256.
    #[test]
    fn a_signature_of_rfc_6979_is_valid() {
        let private = unhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721").unwrap();
        let public = unhex(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
             7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        )
        .unwrap();
        let own =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_ASN1_SIGNING, &private, &public);
        let pkcs8 = SecretBytes::new(own.unwrap().to_pkcs8v1().unwrap().as_ref().to_vec());
        let pair = KeyPair::new(PairSpec::NistP256, KeyUsage::SignVerify, pkcs8);
        let signature = unhex(
            "3046\
             022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        )
        .unwrap();
        let message = message(b"sample");
        let request = SigningRequest::new(&message, None, "ECDSA_SHA_256").unwrap();
        let read = pair.read().unwrap();
        assert!(request.verify_with(PairSpec::NistP256, read, &signature).is_ok());
        let own = request.sign_with(read).unwrap();
        assert!(request.verify_with(PairSpec::NistP256, read, &own).is_ok());
    }
}
