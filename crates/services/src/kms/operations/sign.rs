//! `Sign`: a signature with the private key.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::shapes::Plaintext;
use crate::kms::signing::SigningRequest;
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct Sign;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "SignRequest")]
pub(crate) struct SignInput {
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// 1 to 4,096 bytes.
    pub(crate) message: Plaintext,
    /// `RAW` if absent.
    pub(crate) message_type: Option<String>,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    /// One of the key's.
    pub(crate) signing_algorithm: String,
    pub(crate) dry_run: Option<bool>,
}

impl SignInput {
    fn request(&self) -> Result<SigningRequest<'_>, KmsError> {
        SigningRequest::new(
            &self.message,
            self.message_type.as_deref(),
            &self.signing_algorithm,
        )
    }
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "SignResponse")]
pub(crate) struct SignOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) signature: Blob,
    pub(crate) signing_algorithm: String,
}

impl Operation for Sign {
    const NAME: &'static str = "Sign";
    type Service = Kms;
    type Input = SignInput;
    type Output = SignOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: SignInput) -> Result<Resolved<Self>, KmsError> {
        kms.check_grant_tokens(&input.grant_tokens)?;
        let request = input.request()?;
        let target = kms.seek(call, &input.key_id)?;
        let access = Access::one(request.ask(target.request_across_accounts(kms, "kms:Sign")));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(_: &Kms, _: &Call<'_>, granted: Authorized<Self>) -> Result<SignOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let request = input.request()?;
        let signature = request.sign(&key, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        Ok(SignOutput {
            key_id: key.arn.to_string(),
            signature: Blob(signature),
            signing_algorithm: request.algorithm.word().to_owned(),
        })
    }
}
