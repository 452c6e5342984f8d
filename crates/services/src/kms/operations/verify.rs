//! `Verify`: whether a signature is one of a message by the key. It is answered or refused, never "false".

use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::limits::SIGNATURE_BYTES_MAX;
use crate::kms::shapes::Plaintext;
use crate::kms::signing::SigningRequest;
use crate::kms::words::Word;
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct Verify;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "VerifyRequest")]
pub(crate) struct VerifyInput {
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// 1 to 4,096 bytes.
    pub(crate) message: Plaintext,
    /// `RAW` if absent.
    pub(crate) message_type: Option<String>,
    /// 1 to 6,144 bytes.
    pub(crate) signature: Blob,
    /// One of the key's.
    pub(crate) signing_algorithm: String,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
}

impl VerifyInput {
    fn request(&self) -> Result<SigningRequest<'_>, KmsError> {
        SigningRequest::new(
            &self.message,
            self.message_type.as_deref(),
            &self.signing_algorithm,
        )
    }

    fn signature(&self) -> Result<&[u8], KmsError> {
        let Blob(signature) = &self.signature;
        validate::blob_length(signature, "signature", SIGNATURE_BYTES_MAX)?;
        Ok(signature)
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "VerifyResponse")]
pub(crate) struct VerifyOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    /// Always: a signature that is not valid is an error.
    pub(crate) signature_valid: bool,
    pub(crate) signing_algorithm: String,
}

impl Operation for Verify {
    const NAME: &'static str = "Verify";
    type Service = Kms;
    type Input = VerifyInput;
    type Output = VerifyOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: VerifyInput) -> Result<Resolved<Self>, KmsError> {
        kms.check_grant_tokens(&input.grant_tokens)?;
        let request = input.request()?;
        input.signature()?;
        let target = kms.seek(call, &input.key_id)?;
        let access = Access::one(request.ask(target.request_across_accounts(kms, "kms:Verify")));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(_: &Kms, _: &Call<'_>, granted: Authorized<Self>) -> Result<VerifyOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let request = input.request()?;
        request.verify(&key, input.signature()?, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(VerifyOutput {
            key_id: key.arn.to_string(),
            signature_valid: true,
            signing_algorithm: request.algorithm.word().to_owned(),
        })
    }
}
