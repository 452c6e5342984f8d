//! `ReEncrypt`: from one key or encryption context to another, without the plaintext leaving.
//!
//! Two permissions, each on its own key: `kms:ReEncryptFrom` where it was encrypted, `kms:ReEncryptTo` where it will be.

use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::encryption::Encryption;
use crate::kms::errors::KmsError;
use crate::kms::limits::CIPHERTEXT_BYTES_MAX;
use crate::kms::words::Word;
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
    /// The key that is expected to have encrypted it, required unless it is a symmetric one.
    pub(crate) source_key_id: Option<String>,
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) destination_key_id: String,
    /// Must be given to decrypt from now on.
    #[member(default)]
    pub(crate) destination_encryption_context: BTreeMap<String, String>,
    /// `SYMMETRIC_DEFAULT` if absent.
    pub(crate) source_encryption_algorithm: Option<String>,
    /// `SYMMETRIC_DEFAULT` if absent.
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
    pub(crate) source_key_material_id: Option<String>,
    pub(crate) destination_key_material_id: Option<String>,
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
        let (source, destination) = encryptions(&input)?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        if !input.dry_run_modifiers.is_empty() {
            return Err(KmsError::Unsupported {
                reason: "DryRunModifiers are not built".to_owned(),
            });
        }
        let blob = blob(&input)?;
        validate::blob_length(blob, "ciphertextBlob", CIPHERTEXT_BYTES_MAX)?;
        let from = match &input.source_key_id {
            Some(text) => kms.seek(call, text)?,
            None if source.names_key() => kms.seek_key_of(call, blob)?,
            None => return Err(validate::missing("sourceKeyId")),
        };
        let to = kms.seek(call, &input.destination_key_id)?;
        let same = from.is_same_key(&to).to_string();
        let ask = |sought: &Sought, action, encryption: Encryption<'_>| {
            let request = sought
                .request_across_accounts(kms, action)
                .with_key("kms:ReEncryptOnSameKey", &same);
            encryption.ask(request)
        };
        let access = Access::Needs(vec![
            ask(&from, "kms:ReEncryptFrom", source),
            ask(&to, "kms:ReEncryptTo", destination),
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
        let (source, destination) = encryptions(&input)?;
        let opened = source.decrypt(&from, blob(&input)?, Self::NAME)?;
        let sealed = destination.encrypt(kms, &to, opened.plaintext.expose(), Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(ReEncryptOutput {
            ciphertext_blob: Blob(sealed),
            source_key_id: from.arn.to_string(),
            key_id: to.arn.to_string(),
            source_encryption_algorithm: source.algorithm.word().to_owned(),
            destination_encryption_algorithm: destination.algorithm.word().to_owned(),
            source_key_material_id: opened.material_id(&from),
            destination_key_material_id: to.current_material_id(),
        })
    }
}

/// From and to.
fn encryptions(input: &ReEncryptInput) -> Result<(Encryption<'_>, Encryption<'_>), KmsError> {
    let source = Encryption::of_request(
        input.source_encryption_algorithm.as_deref(),
        &input.source_encryption_context,
    )?;
    let destination = Encryption::of_request(
        input.destination_encryption_algorithm.as_deref(),
        &input.destination_encryption_context,
    )?;
    Ok((source, destination))
}

fn blob(input: &ReEncryptInput) -> Result<&[u8], KmsError> {
    let blob = input.ciphertext_blob.as_ref().map(|Blob(bytes)| bytes.as_slice());
    blob.ok_or_else(|| validate::missing("ciphertextBlob"))
}
