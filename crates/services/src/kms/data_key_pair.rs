//! Data key pairs: made here, kept by who asked for them, the private key encrypted under a symmetric key.

use super::Kms;
use super::access::{Sought, with_encryption_context};
use super::algorithms::EncryptionAlgorithm;
use super::data_key::end_dry_run;
use super::errors::KmsError;
use super::key::Key;
use super::kind::{KeyUsage, PairSpec, built};
use super::validate::violation;
use super::words::Word;
use bulla_envelope::SecretBytes;
use bulla_gate::AccessRequest;
use std::collections::BTreeMap;

/// What the two requests for data key pairs have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataKeyPairRequest<'a> {
    pub(super) pair: PairSpec,
    context: &'a BTreeMap<String, String>,
}

/// A pair that was just made.
#[derive(Debug)]
pub(super) struct DataKeyPair {
    /// PKCS #8, DER.
    pub(super) private: SecretBytes,
    /// The same, encrypted.
    pub(super) sealed: Vec<u8>,
    /// `SubjectPublicKeyInfo`, DER.
    pub(super) public: Vec<u8>,
}

impl<'a> DataKeyPairRequest<'a> {
    /// Checks the members.
    pub(super) fn new(text: &str, context: &'a BTreeMap<String, String>) -> Result<Self, KmsError> {
        super::validate::encryption_context(context)?;
        let pair = built::<PairSpec>(text, "keyPairSpec")?;
        if matches!(pair, PairSpec::MlDsa44 | PairSpec::MlDsa65 | PairSpec::MlDsa87) {
            return Err(violation(
                text,
                "keyPairSpec",
                "Member must be the spec of an RSA or elliptic curve key pair",
            ));
        }
        Ok(Self { pair, context })
    }

    /// The question to the policies.
    pub(super) fn ask(&self, kms: &Kms, target: &Sought, action: &'static str) -> AccessRequest {
        let request = target
            .request_across_accounts(kms, action)
            .with_key("kms:DataKeyPairSpec", self.pair.word());
        with_encryption_context(request, EncryptionAlgorithm::SymmetricDefault, self.context)
    }

    /// A new pair, its private key encrypted.
    pub(super) async fn make(
        &self,
        kms: &Kms,
        key: &Key,
        dry_run: Option<bool>,
        operation: &str,
    ) -> Result<DataKeyPair, KmsError> {
        key.check_symmetric(operation)?;
        end_dry_run(dry_run)?;
        let made = kms.new_pair(self.pair, KeyUsage::SignVerify).await?;
        let public = made.read().ok_or(KmsError::Internal)?.public.clone();
        let private = made.into_pkcs8();
        Ok(DataKeyPair {
            sealed: kms.seal(key, private.expose(), self.context)?,
            private,
            public,
        })
    }
}
