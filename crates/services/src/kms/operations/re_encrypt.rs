//! `ReEncrypt`: from one key or encryption context to another, without the plaintext leaving.
//!
//! Two permissions, each on its own key: `kms:ReEncryptFrom` where it was encrypted, `kms:ReEncryptTo` where it will be.

use crate::kms::access::{Sought, with_encryption_context};
use crate::kms::data_key::{algorithm, check_algorithm, end_dry_run};
use crate::kms::errors::KmsError;
use crate::kms::key::SYMMETRIC_DEFAULT;
use crate::kms::limits::CIPHERTEXT_BYTES_MAX;
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct ReEncrypt;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ReEncryptRequest")]
pub(crate) struct ReEncryptInput {
    /// What was encrypted, 1 to 6,144 bytes; required.
    pub(crate) ciphertext_blob: Option<Blob>,
    /// As it was given to encrypt.
    #[member(default)]
    pub(crate) source_encryption_context: BTreeMap<String, String>,
    /// The key that is expected to have encrypted it.
    pub(crate) source_key_id: Option<String>,
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) destination_key_id: String,
    /// Must be given to decrypt from now on.
    #[member(default)]
    pub(crate) destination_encryption_context: BTreeMap<String, String>,
    /// `SYMMETRIC_DEFAULT`.
    pub(crate) source_encryption_algorithm: Option<String>,
    /// `SYMMETRIC_DEFAULT`.
    pub(crate) destination_encryption_algorithm: Option<String>,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
    /// Not built; refused.
    #[member(default)]
    pub(crate) dry_run_modifiers: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ReEncryptResponse")]
pub(crate) struct ReEncryptOutput {
    pub(crate) ciphertext_blob: Blob,
    /// ARN of the key that decrypted.
    pub(crate) source_key_id: String,
    /// ARN of the key that encrypted.
    pub(crate) key_id: String,
    pub(crate) source_encryption_algorithm: String,
    pub(crate) destination_encryption_algorithm: String,
    pub(crate) source_key_material_id: String,
    pub(crate) destination_key_material_id: String,
}

/// The two keys.
#[derive(Debug)]
pub(crate) struct FromTo {
    from: Sought,
    to: Sought,
}

impl Operation for ReEncrypt {
    const NAME: &'static str = "ReEncrypt";
    type Service = Kms;
    type Input = ReEncryptInput;
    type Output = ReEncryptOutput;
    type Error = KmsError;
    type Target = FromTo;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: ReEncryptInput) -> Result<Resolved<Self>, KmsError> {
        validate::encryption_context(&input.source_encryption_context)?;
        validate::encryption_context(&input.destination_encryption_context)?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        algorithm(input.source_encryption_algorithm.as_deref())?;
        algorithm(input.destination_encryption_algorithm.as_deref())?;
        if !input.dry_run_modifiers.is_empty() {
            return Err(KmsError::Unsupported {
                reason: "DryRunModifiers are not built".to_owned(),
            });
        }
        let blob = blob(&input)?;
        validate::blob_length(blob, "ciphertextBlob", CIPHERTEXT_BYTES_MAX)?;
        let from = match &input.source_key_id {
            Some(text) => kms.seek(call, text)?,
            None => kms.seek_key_of(call, blob)?,
        };
        let to = kms.seek(call, &input.destination_key_id)?;
        let same = from.is_same_key(&to).to_string();
        let ask = |sought: &Sought, action, context| {
            let request = sought
                .request_across_accounts(kms, action)
                .with_key("kms:ReEncryptOnSameKey", &same);
            with_encryption_context(request, context)
        };
        let access = Access::Needs(vec![
            ask(&from, "kms:ReEncryptFrom", &input.source_encryption_context),
            ask(&to, "kms:ReEncryptTo", &input.destination_encryption_context),
        ]);
        Ok(Resolved {
            input,
            target: FromTo { from, to },
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ReEncryptOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let (from, to) = (target.from.into_key()?, target.to.into_key()?);
        check_algorithm(&from, input.source_encryption_algorithm.as_deref())?;
        check_algorithm(&to, input.destination_encryption_algorithm.as_deref())?;
        let (material, plaintext) = from.open(blob(&input)?, &input.source_encryption_context)?;
        let sealed = kms.seal(&to, plaintext.expose(), &input.destination_encryption_context)?;
        end_dry_run(input.dry_run)?;
        Ok(ReEncryptOutput {
            ciphertext_blob: Blob(sealed),
            source_key_id: from.arn.to_string(),
            key_id: to.arn.to_string(),
            source_encryption_algorithm: SYMMETRIC_DEFAULT.to_owned(),
            destination_encryption_algorithm: SYMMETRIC_DEFAULT.to_owned(),
            source_key_material_id: material.id.to_string(),
            destination_key_material_id: to.material.id.to_string(),
        })
    }
}

fn blob(input: &ReEncryptInput) -> Result<&[u8], KmsError> {
    let blob = input.ciphertext_blob.as_ref().map(|Blob(bytes)| bytes.as_slice());
    blob.ok_or_else(|| validate::missing("ciphertextBlob"))
}
