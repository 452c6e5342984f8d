//! `GenerateDataKeyWithoutPlaintext`: a fresh data key, encrypted under a key; for those who need it later.

use crate::kms::access::{Sought, with_encryption_context};
use crate::kms::algorithms::EncryptionAlgorithm;
use crate::kms::data_key::{data_key_bytes, end_dry_run};
use crate::kms::errors::KmsError;
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct GenerateDataKeyWithoutPlaintext;

/// Its input; as that of `GenerateDataKey`.
#[derive(Debug, Default, Shape)]
#[shape(name = "GenerateDataKeyWithoutPlaintextRequest")]
pub(crate) struct GenerateDataKeyWithoutPlaintextInput {
    pub(crate) key_id: String,
    #[member(default)]
    pub(crate) encryption_context: BTreeMap<String, String>,
    pub(crate) key_spec: Option<String>,
    pub(crate) number_of_bytes: Option<i32>,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GenerateDataKeyWithoutPlaintextResponse")]
pub(crate) struct GenerateDataKeyWithoutPlaintextOutput {
    pub(crate) ciphertext_blob: Blob,
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) key_material_id: String,
}

impl Operation for GenerateDataKeyWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyWithoutPlaintext";
    type Service = Kms;
    type Input = GenerateDataKeyWithoutPlaintextInput;
    type Output = GenerateDataKeyWithoutPlaintextOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GenerateDataKeyWithoutPlaintextInput,
    ) -> Result<Resolved<Self>, KmsError> {
        data_key_bytes(input.key_spec.as_deref(), input.number_of_bytes)?;
        validate::encryption_context(&input.encryption_context)?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let request = target.request_across_accounts(kms, "kms:GenerateDataKeyWithoutPlaintext");
        let access = Access::one(with_encryption_context(
            request,
            EncryptionAlgorithm::SymmetricDefault,
            &input.encryption_context,
        ));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GenerateDataKeyWithoutPlaintextOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = kms.key_for_use(call, target).await?;
        key.check_symmetric(Self::NAME)?;
        let data_key = kms.random(data_key_bytes(input.key_spec.as_deref(), input.number_of_bytes)?);
        let blob = kms.seal(&key, data_key.expose(), &input.encryption_context)?;
        end_dry_run(input.dry_run)?;
        Ok(GenerateDataKeyWithoutPlaintextOutput {
            ciphertext_blob: Blob(blob),
            key_id: key.arn.to_string(),
            key_material_id: key.material.id.to_string(),
        })
    }
}
