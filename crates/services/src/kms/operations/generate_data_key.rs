//! `GenerateDataKey`: a fresh data key, once in clear and once encrypted under a key.

use crate::kms::access::{Sought, with_encryption_context};
use crate::kms::algorithms::EncryptionAlgorithm;
use crate::kms::data_key::{data_key_bytes, end_dry_run, no_recipient};
use crate::kms::errors::KmsError;
use crate::kms::shapes::{Plaintext, RecipientInfo};
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub struct GenerateDataKey;

/// Its input.
#[derive(Debug, Default, Shape)]
#[shape(name = "GenerateDataKeyRequest")]
pub struct GenerateDataKeyInput {
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub key_id: String,
    /// Must be given again to decrypt.
    #[member(default)]
    pub encryption_context: BTreeMap<String, String>,
    /// 1 to 1,024; either this or `key_spec`.
    pub number_of_bytes: Option<i32>,
    /// `AES_256` or `AES_128`; either this or `number_of_bytes`.
    pub key_spec: Option<String>,
    /// Grants bind at once, so that none is needed; one that was not made here is refused.
    #[member(default)]
    pub grant_tokens: Vec<String>,
    /// Enclaves are not built; refused.
    pub recipient: Option<RecipientInfo>,
    /// Only tells whether the call would have succeeded.
    pub dry_run: Option<bool>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GenerateDataKeyResponse")]
pub struct GenerateDataKeyOutput {
    /// The data key, encrypted.
    pub ciphertext_blob: Blob,
    /// The data key in clear.
    pub plaintext: Plaintext,
    /// ARN of the key that encrypted it.
    pub key_id: String,
    /// Never: enclaves are not built.
    pub ciphertext_for_recipient: Option<Blob>,
    /// Which of the key's materials encrypted it, 64 hexadecimal digits.
    pub key_material_id: String,
}

impl Operation for GenerateDataKey {
    const NAME: &'static str = "GenerateDataKey";
    type Service = Kms;
    type Input = GenerateDataKeyInput;
    type Output = GenerateDataKeyOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GenerateDataKeyInput,
    ) -> Result<Resolved<Self>, KmsError> {
        data_key_bytes(input.key_spec.as_deref(), input.number_of_bytes)?;
        validate::encryption_context(&input.encryption_context)?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        no_recipient(input.recipient.as_ref())?;
        let target = kms.seek(call, &input.key_id)?;
        let request = target.request_across_accounts(kms, "kms:GenerateDataKey");
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
    ) -> Result<GenerateDataKeyOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = kms.key_for_use(call, target).await?;
        key.check_symmetric(Self::NAME)?;
        let data_key = kms.random(data_key_bytes(input.key_spec.as_deref(), input.number_of_bytes)?);
        let blob = kms.seal(&key, data_key.expose(), &input.encryption_context)?;
        end_dry_run(input.dry_run)?;
        Ok(GenerateDataKeyOutput {
            ciphertext_blob: Blob(blob),
            plaintext: Plaintext::new(data_key),
            key_id: key.arn.to_string(),
            ciphertext_for_recipient: None,
            key_material_id: key.material.id.to_string(),
        })
    }
}
