//! `GenerateDataKeyPairWithoutPlaintext`: a fresh key pair, its private key encrypted under a key only.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::data_key_pair::DataKeyPairRequest;
use crate::kms::errors::KmsError;
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct GenerateDataKeyPairWithoutPlaintext;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GenerateDataKeyPairWithoutPlaintextRequest")]
pub(crate) struct GenerateDataKeyPairWithoutPlaintextInput {
    /// Must be given again to decrypt.
    #[member(default)]
    pub(crate) encryption_context: BTreeMap<String, String>,
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// RSA or an elliptic curve.
    pub(crate) key_pair_spec: String,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
}

impl GenerateDataKeyPairWithoutPlaintextInput {
    fn request(&self) -> Result<DataKeyPairRequest<'_>, KmsError> {
        DataKeyPairRequest::new(&self.key_pair_spec, &self.encryption_context)
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GenerateDataKeyPairWithoutPlaintextResponse")]
pub(crate) struct GenerateDataKeyPairWithoutPlaintextOutput {
    pub(crate) private_key_ciphertext_blob: Blob,
    /// `SubjectPublicKeyInfo`, DER.
    pub(crate) public_key: Blob,
    /// ARN of the key that encrypted the private key.
    pub(crate) key_id: String,
    pub(crate) key_pair_spec: String,
    pub(crate) key_material_id: String,
}

impl Operation for GenerateDataKeyPairWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyPairWithoutPlaintext";
    type Service = Kms;
    type Input = GenerateDataKeyPairWithoutPlaintextInput;
    type Output = GenerateDataKeyPairWithoutPlaintextOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GenerateDataKeyPairWithoutPlaintextInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let request = input.request()?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let access = Access::one(request.ask(kms, &target, "kms:GenerateDataKeyPairWithoutPlaintext"));
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
    ) -> Result<GenerateDataKeyPairWithoutPlaintextOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let request = input.request()?;
        let made = request.make(kms, &key, input.dry_run, Self::NAME).await?;
        Ok(GenerateDataKeyPairWithoutPlaintextOutput {
            private_key_ciphertext_blob: Blob(made.sealed),
            public_key: Blob(made.public),
            key_id: key.arn.to_string(),
            key_pair_spec: request.pair.word().to_owned(),
            key_material_id: key.material.id.to_string(),
        })
    }
}
