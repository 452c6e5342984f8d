//! `GetParametersForImport`: a public key to encrypt key material under, and the token that belongs to it.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::import::{ImportToken, Wrapping};
use crate::kms::kind::KeyUsage;
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::Timestamp;
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct GetParametersForImport;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetParametersForImportRequest")]
pub(crate) struct GetParametersForImportInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// `RSAES_OAEP_SHA_1` or `_256`; for RSA keys `RSA_AES_KEY_WRAP_SHA_1` or `_256`.
    pub(crate) wrapping_algorithm: String,
    /// `RSA_2048`, `RSA_3072` or `RSA_4096`.
    pub(crate) wrapping_key_spec: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetParametersForImportResponse")]
pub(crate) struct GetParametersForImportOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) import_token: Blob,
    /// `SubjectPublicKeyInfo`, DER.
    pub(crate) public_key: Blob,
    /// 24 hours from now.
    pub(crate) parameters_valid_to: Timestamp,
}

impl Operation for GetParametersForImport {
    const NAME: &'static str = "GetParametersForImport";
    type Service = Kms;
    type Input = GetParametersForImportInput;
    type Output = GetParametersForImportOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GetParametersForImportInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let wrapping = Wrapping::parse(&input.wrapping_algorithm, &input.wrapping_key_spec)?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = target
            .request(kms, "kms:GetParametersForImport")
            .with_key("kms:WrappingAlgorithm", wrapping.algorithm.word())
            .with_key("kms:WrappingKeySpec", wrapping.spec.word());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetParametersForImportOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let wrapping = Wrapping::parse(&input.wrapping_algorithm, &input.wrapping_key_spec)?;
        key.check_external()?;
        key.check_not_pending()?;
        wrapping.check_fits(key.kind)?;
        let pair = kms.new_pair(wrapping.spec, KeyUsage::EncryptDecrypt).await?;
        let public = pair.read().ok_or(KmsError::Internal)?.public.clone();
        let token = ImportToken::new(wrapping, pair.into_pkcs8(), call.time());
        let sealed = token.seal(&key, &kms.wrapping, &*call.runtime().entropy)?;
        Ok(GetParametersForImportOutput {
            key_id: key.arn.to_string(),
            import_token: Blob(sealed),
            public_key: Blob(public),
            parameters_valid_to: token.valid_to,
        })
    }
}
