//! Message authentication codes. Source: RFC 2104, FIPS 198-1.

use super::algorithms::MacAlgorithm;
use super::errors::KmsError;
use super::key::Key;
use super::kind::KeyUsage;
use super::limits::MESSAGE_BYTES_MAX;
use super::shapes::Plaintext;
use super::validate::blob_length;
use super::words::Word;
use aws_lc_rs::hmac;

/// What the requests to make and to check a code have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct MacRequest<'a> {
    pub(super) algorithm: MacAlgorithm,
    pub(super) message: &'a [u8],
}

impl<'a> MacRequest<'a> {
    /// Checks the members.
    pub(super) fn new(message: &'a Plaintext, algorithm: &str) -> Result<Self, KmsError> {
        let message = message.expose();
        blob_length(message, "message", MESSAGE_BYTES_MAX)?;
        let algorithm = MacAlgorithm::parse(algorithm, "macAlgorithm")?;
        Ok(Self { algorithm, message })
    }

    /// The code of the message.
    pub(super) fn make(&self, key: &Key, operation: &str) -> Result<hmac::Tag, KmsError> {
        Ok(hmac::sign(&self.key(key, operation)?, self.message))
    }

    /// Whether the code is that of the message; compared in constant time.
    pub(super) fn verify(&self, key: &Key, code: &[u8], operation: &str) -> Result<(), KmsError> {
        let key = self.key(key, operation)?;
        hmac::verify(&key, self.message, code).map_err(|_| KmsError::InvalidMac)
    }

    fn key(&self, key: &Key, operation: &str) -> Result<hmac::Key, KmsError> {
        key.check_usage(KeyUsage::GenerateVerifyMac, operation)?;
        key.check_algorithm(self.algorithm, key.kind.mac_algorithms())?;
        let algorithm = match self.algorithm {
            MacAlgorithm::HmacSha224 => hmac::HMAC_SHA224,
            MacAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
            MacAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
            MacAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
        };
        let secret = key.material.secret.mac_key().ok_or(KmsError::Internal)?;
        Ok(hmac::Key::new(algorithm, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::hmac;
    use crate::kms::key::hex;

    /// RFC 4231, section 4.3, test case 2.
    #[test]
    fn the_codes_are_those_of_rfc_4231() {
        let rows = [
            (
                hmac::HMAC_SHA224,
                "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
            ),
            (
                hmac::HMAC_SHA256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                hmac::HMAC_SHA384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                hmac::HMAC_SHA512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
                 caeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (algorithm, expected) in rows {
            let key = hmac::Key::new(algorithm, b"Jefe");
            let code = hmac::sign(&key, b"what do ya want for nothing?");
            assert_eq!(hex(code.as_ref()), expected);
        }
    }
}
