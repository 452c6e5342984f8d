//! `VerifyMac`: whether a message authentication code is that of a message. It is answered or refused, never "false".

use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::limits::SIGNATURE_BYTES_MAX;
use crate::kms::mac::MacRequest;
use crate::kms::shapes::Plaintext;
use crate::kms::words::Word;
use crate::kms::{Kms, validate};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct VerifyMac;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "VerifyMacRequest")]
pub(crate) struct VerifyMacInput {
    /// 1 to 4,096 bytes.
    pub(crate) message: Plaintext,
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// That of the key.
    pub(crate) mac_algorithm: String,
    /// 1 to 6,144 bytes.
    pub(crate) mac: Blob,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
}

impl VerifyMacInput {
    fn request(&self) -> Result<MacRequest<'_>, KmsError> {
        MacRequest::new(&self.message, &self.mac_algorithm)
    }

    fn code(&self) -> Result<&[u8], KmsError> {
        let Blob(code) = &self.mac;
        validate::blob_length(code, "mac", SIGNATURE_BYTES_MAX)?;
        Ok(code)
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "VerifyMacResponse")]
pub(crate) struct VerifyMacOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    /// Always: a code that is not valid is an error.
    pub(crate) mac_valid: bool,
    pub(crate) mac_algorithm: String,
}

impl Operation for VerifyMac {
    const NAME: &'static str = "VerifyMac";
    type Service = Kms;
    type Input = VerifyMacInput;
    type Output = VerifyMacOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: VerifyMacInput) -> Result<Resolved<Self>, KmsError> {
        let algorithm = input.request()?.algorithm;
        input.code()?;
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let request = target
            .request_across_accounts(kms, "kms:VerifyMac")
            .with_key("kms:MacAlgorithm", algorithm.word());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(_: &Kms, _: &Call<'_>, granted: Authorized<Self>) -> Result<VerifyMacOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let request = input.request()?;
        request.verify(&key, input.code()?, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(VerifyMacOutput {
            key_id: key.arn.to_string(),
            mac_valid: true,
            mac_algorithm: request.algorithm.word().to_owned(),
        })
    }
}
