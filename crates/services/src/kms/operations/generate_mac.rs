//! `GenerateMac`: a message authentication code under an HMAC key.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::mac::MacRequest;
use crate::kms::shapes::Plaintext;
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct GenerateMac;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GenerateMacRequest")]
pub(crate) struct GenerateMacInput {
    /// 1 to 4,096 bytes.
    pub(crate) message: Plaintext,
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// That of the key.
    pub(crate) mac_algorithm: String,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) dry_run: Option<bool>,
}

impl GenerateMacInput {
    fn request(&self) -> Result<MacRequest<'_>, KmsError> {
        MacRequest::new(&self.message, &self.mac_algorithm)
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GenerateMacResponse")]
pub(crate) struct GenerateMacOutput {
    pub(crate) mac: Blob,
    pub(crate) mac_algorithm: String,
    /// Key ARN.
    pub(crate) key_id: String,
}

impl Operation for GenerateMac {
    const NAME: &'static str = "GenerateMac";
    type Service = Kms;
    type Input = GenerateMacInput;
    type Output = GenerateMacOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GenerateMacInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let algorithm = input.request()?.algorithm;
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let request = target
            .request_across_accounts(kms, "kms:GenerateMac")
            .with_key("kms:MacAlgorithm", algorithm.word());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(
        _: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GenerateMacOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let request = input.request()?;
        let code = request.make(&key, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(GenerateMacOutput {
            mac: Blob(code.as_ref().to_vec()),
            mac_algorithm: request.algorithm.word().to_owned(),
            key_id: key.arn.to_string(),
        })
    }
}
