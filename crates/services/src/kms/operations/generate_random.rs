//! `GenerateRandom`: random bytes, of the same source as key material.

use crate::kms::data_key::no_recipient;
use crate::kms::errors::KmsError;
use crate::kms::limits::RANDOM_BYTES_MAX;
use crate::kms::shapes::{Plaintext, RecipientInfo};
use crate::kms::{Kms, validate};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct GenerateRandom;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GenerateRandomRequest")]
pub(crate) struct GenerateRandomInput {
    /// 1 to 1,024; required.
    pub(crate) number_of_bytes: Option<i32>,
    pub(crate) custom_key_store_id: Option<String>,
    pub(crate) recipient: Option<RecipientInfo>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GenerateRandomResponse")]
pub(crate) struct GenerateRandomOutput {
    pub(crate) plaintext: Plaintext,
    pub(crate) ciphertext_for_recipient: Option<Blob>,
}

impl Operation for GenerateRandom {
    const NAME: &'static str = "GenerateRandom";
    type Service = Kms;
    type Input = GenerateRandomInput;
    type Output = GenerateRandomOutput;
    type Error = KmsError;
    /// How many bytes.
    type Target = usize;

    async fn resolve(
        _: &Kms,
        call: &Call<'_>,
        input: GenerateRandomInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let bytes = input.number_of_bytes.ok_or_else(|| KmsError::Validation {
            reason: "NumberOfBytes is required.".to_owned(),
        })?;
        let bytes = validate::range(bytes, "numberOfBytes", 1, RANDOM_BYTES_MAX)?;
        no_recipient(input.recipient.as_ref())?;
        if input.custom_key_store_id.is_some() {
            return Err(KmsError::Unsupported {
                reason: "Custom key stores are not built".to_owned(),
            });
        }
        let access = Access::one(AccessRequest::new("kms:GenerateRandom", "*", call.account()));
        Ok(Resolved {
            input,
            target: usize::try_from(bytes).unwrap_or(1),
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GenerateRandomOutput, KmsError> {
        let (_, bytes) = granted.into_parts();
        Ok(GenerateRandomOutput {
            plaintext: Plaintext::new(kms.random(bytes)),
            ciphertext_for_recipient: None,
        })
    }
}
