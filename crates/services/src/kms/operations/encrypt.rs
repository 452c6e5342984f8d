//! `Encrypt`: up to 4,096 bytes under a key.

use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::encryption::Encryption;
use crate::kms::errors::KmsError;
use crate::kms::limits::PLAINTEXT_BYTES_MAX;
use crate::kms::shapes::Plaintext;
use crate::kms::words::Word;
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct Encrypt;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "EncryptRequest")]
pub(crate) struct EncryptInput {
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// 1 to 4,096 bytes.
    pub(crate) plaintext: Plaintext,
    /// Must be given again to decrypt; of symmetric keys only.
    #[member(default)]
    pub(crate) encryption_context: BTreeMap<String, String>,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) encryption_algorithm: Option<String>,
    pub(crate) dry_run: Option<bool>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "EncryptResponse")]
pub(crate) struct EncryptOutput {
    pub(crate) ciphertext_blob: Blob,
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) encryption_algorithm: String,
}

fn encryption(input: &EncryptInput) -> Result<Encryption<'_>, KmsError> {
    Encryption::of_request(input.encryption_algorithm.as_deref(), &input.encryption_context)
}

impl Operation for Encrypt {
    const NAME: &'static str = "Encrypt";
    type Service = Kms;
    type Input = EncryptInput;
    type Output = EncryptOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: EncryptInput) -> Result<Resolved<Self>, KmsError> {
        validate::blob_length(input.plaintext.expose(), "plaintext", PLAINTEXT_BYTES_MAX)?;
        let encryption = encryption(&input)?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let request = target.request_across_accounts(kms, "kms:Encrypt");
        let access = Access::one(encryption.ask(request));
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
    ) -> Result<EncryptOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = kms.key_for_use(call, target).await?;
        let encryption = encryption(&input)?;
        let blob = encryption.encrypt(kms, &key, input.plaintext.expose(), Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(EncryptOutput {
            ciphertext_blob: Blob(blob),
            key_id: key.arn.to_string(),
            encryption_algorithm: encryption.algorithm.word().to_owned(),
        })
    }
}
