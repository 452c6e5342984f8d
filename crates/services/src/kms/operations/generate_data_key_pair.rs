//! `GenerateDataKeyPair`: a fresh key pair, its private key once in clear and once encrypted under a key.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::data_key::no_recipient;
use crate::kms::data_key_pair::DataKeyPairRequest;
use crate::kms::errors::KmsError;
use crate::kms::shapes::{Plaintext, RecipientInfo};
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct GenerateDataKeyPair;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GenerateDataKeyPairRequest")]
pub(crate) struct GenerateDataKeyPairInput {
    /// Must be given again to decrypt.
    #[member(default)]
    pub(crate) encryption_context: BTreeMap<String, String>,
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// RSA or an elliptic curve.
    pub(crate) key_pair_spec: String,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    /// Enclaves are not built; refused.
    pub(crate) recipient: Option<RecipientInfo>,
    pub(crate) dry_run: Option<bool>,
}

impl GenerateDataKeyPairInput {
    fn request(&self) -> Result<DataKeyPairRequest<'_>, KmsError> {
        DataKeyPairRequest::new(&self.key_pair_spec, &self.encryption_context)
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GenerateDataKeyPairResponse")]
pub(crate) struct GenerateDataKeyPairOutput {
    pub(crate) private_key_ciphertext_blob: Blob,
    /// PKCS #8, DER.
    pub(crate) private_key_plaintext: Plaintext,
    /// `SubjectPublicKeyInfo`, DER.
    pub(crate) public_key: Blob,
    /// ARN of the key that encrypted the private key.
    pub(crate) key_id: String,
    pub(crate) key_pair_spec: String,
    /// Never: enclaves are not built.
    pub(crate) ciphertext_for_recipient: Option<Blob>,
    pub(crate) key_material_id: String,
}

impl Operation for GenerateDataKeyPair {
    const NAME: &'static str = "GenerateDataKeyPair";
    type Service = Kms;
    type Input = GenerateDataKeyPairInput;
    type Output = GenerateDataKeyPairOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GenerateDataKeyPairInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let request = input.request()?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        no_recipient(input.recipient.as_ref())?;
        let target = kms.seek(call, &input.key_id)?;
        let access = Access::one(request.ask(kms, &target, "kms:GenerateDataKeyPair"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GenerateDataKeyPairOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let request = input.request()?;
        let made = request.make(kms, &key, input.dry_run, Self::NAME).await?;
        Ok(GenerateDataKeyPairOutput {
            private_key_ciphertext_blob: Blob(made.sealed),
            private_key_plaintext: Plaintext::new(made.private),
            public_key: Blob(made.public),
            key_id: key.arn.to_string(),
            key_pair_spec: request.pair.word().to_owned(),
            ciphertext_for_recipient: None,
            key_material_id: key.material.id.to_string(),
        })
    }
}
