//! `DeriveSharedSecret`: what this key pair and another one's public key agree on.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::agreement::Agreement;
use crate::kms::data_key::{end_dry_run, no_recipient};
use crate::kms::errors::KmsError;
use crate::kms::shapes::{Plaintext, RecipientInfo};
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeriveSharedSecret;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeriveSharedSecretRequest")]
pub(crate) struct DeriveSharedSecretInput {
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// `ECDH`.
    pub(crate) key_agreement_algorithm: String,
    /// `SubjectPublicKeyInfo`, DER, of the same curve.
    pub(crate) public_key: Blob,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
    /// Enclaves are not built; refused.
    pub(crate) recipient: Option<RecipientInfo>,
}

impl DeriveSharedSecretInput {
    fn agreement(&self) -> Result<Agreement<'_>, KmsError> {
        Agreement::new(&self.public_key, &self.key_agreement_algorithm)
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DeriveSharedSecretResponse")]
pub(crate) struct DeriveSharedSecretOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) shared_secret: Plaintext,
    /// Never: enclaves are not built.
    pub(crate) ciphertext_for_recipient: Option<Blob>,
    pub(crate) key_agreement_algorithm: String,
    pub(crate) key_origin: String,
}

impl Operation for DeriveSharedSecret {
    const NAME: &'static str = "DeriveSharedSecret";
    type Service = Kms;
    type Input = DeriveSharedSecretInput;
    type Output = DeriveSharedSecretOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: DeriveSharedSecretInput,
    ) -> Result<Resolved<Self>, KmsError> {
        kms.check_grant_tokens(&input.grant_tokens)?;
        no_recipient(input.recipient.as_ref())?;
        let algorithm = input.agreement()?.algorithm;
        let target = kms.seek(call, &input.key_id)?;
        let request = target
            .request_across_accounts(kms, "kms:DeriveSharedSecret")
            .with_key("kms:KeyAgreementAlgorithm", algorithm.word());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(
        _: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DeriveSharedSecretOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let agreement = input.agreement()?;
        let secret = agreement.derive(&key, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(DeriveSharedSecretOutput {
            key_id: key.arn.to_string(),
            shared_secret: Plaintext::new(secret),
            ciphertext_for_recipient: None,
            key_agreement_algorithm: agreement.algorithm.word().to_owned(),
            key_origin: key.origin().to_owned(),
        })
    }
}
