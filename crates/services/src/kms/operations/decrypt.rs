//! `Decrypt`: what `Encrypt` or `GenerateDataKey` encrypted, given the same encryption context.
//!
//! The ciphertext names its key. A client that names one too is answered only if they are the same: that keeps an
//! attacker from handing it a ciphertext made under a key of his own.

use crate::kms::access::Sought;
use crate::kms::ciphertext::Ciphertext;
use crate::kms::data_key::{end_dry_run, no_recipient};
use crate::kms::encryption::Encryption;
use crate::kms::errors::KmsError;
use crate::kms::external::as_of;
use crate::kms::limits::CIPHERTEXT_BYTES_MAX;
use crate::kms::shapes::{Plaintext, RecipientInfo};
use crate::kms::words::Word;
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub struct Decrypt;

/// Its input.
#[derive(Debug, Default, Shape)]
#[shape(name = "DecryptRequest")]
pub struct DecryptInput {
    /// What was encrypted, 1 to 6,144 bytes; required.
    pub ciphertext_blob: Option<Blob>,
    /// As it was given to encrypt.
    #[member(default)]
    pub encryption_context: BTreeMap<String, String>,
    /// Grants bind at once, so that none is needed; one that was not made here is refused.
    #[member(default)]
    pub grant_tokens: Vec<String>,
    /// The key that is expected, required unless it is a symmetric one: key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub key_id: Option<String>,
    /// That of the encryption; `SYMMETRIC_DEFAULT` if absent.
    pub encryption_algorithm: Option<String>,
    /// Enclaves are not built; refused.
    pub recipient: Option<RecipientInfo>,
    /// Only tells whether the call would have succeeded.
    pub dry_run: Option<bool>,
    /// Not built; refused.
    #[member(default)]
    pub dry_run_modifiers: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DecryptResponse")]
pub struct DecryptOutput {
    /// ARN of the key that decrypted it.
    pub key_id: String,
    /// What was encrypted.
    pub plaintext: Plaintext,
    /// That of the request.
    pub encryption_algorithm: String,
    /// Never: enclaves are not built.
    pub ciphertext_for_recipient: Option<Blob>,
    /// Which of a symmetric key's materials decrypted it, 64 hexadecimal digits.
    pub key_material_id: Option<String>,
}

impl Operation for Decrypt {
    const NAME: &'static str = "Decrypt";
    type Service = Kms;
    type Input = DecryptInput;
    type Output = DecryptOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: DecryptInput) -> Result<Resolved<Self>, KmsError> {
        let encryption = encryption(&input)?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        no_recipient(input.recipient.as_ref())?;
        if !input.dry_run_modifiers.is_empty() {
            return Err(KmsError::Unsupported {
                reason: "DryRunModifiers are not built".to_owned(),
            });
        }
        let blob = blob(&input)?;
        validate::blob_length(blob, "ciphertextBlob", CIPHERTEXT_BYTES_MAX)?;
        let target = match &input.key_id {
            Some(text) => kms.seek(call, text)?,
            None if encryption.names_key() => kms.seek_key_of(call, blob)?,
            None => return Err(validate::missing("keyId")),
        };
        let request = target.request_across_accounts(kms, "kms:Decrypt");
        let access = Access::one(encryption.ask(request));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(_: &Kms, _: &Call<'_>, granted: Authorized<Self>) -> Result<DecryptOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let encryption = encryption(&input)?;
        let opened = encryption.decrypt(&key, blob(&input)?, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(DecryptOutput {
            key_id: key.arn.to_string(),
            key_material_id: opened.material_id(&key),
            plaintext: Plaintext::new(opened.plaintext),
            encryption_algorithm: encryption.algorithm.word().to_owned(),
            ciphertext_for_recipient: None,
        })
    }
}

fn encryption(input: &DecryptInput) -> Result<Encryption<'_>, KmsError> {
    Encryption::of_request(input.encryption_algorithm.as_deref(), &input.encryption_context)
}

fn blob(input: &DecryptInput) -> Result<&[u8], KmsError> {
    let blob = input.ciphertext_blob.as_ref().map(|Blob(bytes)| bytes.as_slice());
    blob.ok_or_else(|| validate::missing("ciphertextBlob"))
}

impl Kms {
    /// Finds the key that a ciphertext names, whichever account owns it.
    pub(super) fn seek_key_of(&self, call: &Call<'_>, blob: &[u8]) -> Result<Sought, KmsError> {
        let ciphertext = Ciphertext::parse(blob).ok_or(KmsError::InvalidCiphertext)?;
        let key = self
            .view()
            .key(call.region(), ciphertext.key, call.time())
            .map(|key| as_of(Arc::clone(key), call.time()))
            .ok_or(KmsError::CiphertextKeyUnknown)?;
        let grants = self.grants_of(call, &key);
        Ok(Sought::found(key, grants))
    }
}
