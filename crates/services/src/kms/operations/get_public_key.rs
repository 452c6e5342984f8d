//! `GetPublicKey`: the public half of a key pair, and what it may be used with.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::shapes::listed;
use crate::kms::words::Word;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Blob, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct GetPublicKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetPublicKeyRequest")]
pub(crate) struct GetPublicKeyInput {
    /// Key id, key ARN, alias or alias ARN; of another account an ARN only.
    pub(crate) key_id: String,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetPublicKeyResponse")]
pub(crate) struct GetPublicKeyOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    /// `SubjectPublicKeyInfo` of RFC 5280, DER.
    pub(crate) public_key: Blob,
    pub(crate) customer_master_key_spec: String,
    pub(crate) key_spec: String,
    pub(crate) key_usage: String,
    pub(crate) encryption_algorithms: Option<Vec<String>>,
    pub(crate) signing_algorithms: Option<Vec<String>>,
    pub(crate) key_agreement_algorithms: Option<Vec<String>>,
    /// Never: such keys are not built.
    pub(crate) encapsulation_algorithms: Option<Vec<String>>,
}

impl Operation for GetPublicKey {
    const NAME: &'static str = "GetPublicKey";
    type Service = Kms;
    type Input = GetPublicKeyInput;
    type Output = GetPublicKeyOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GetPublicKeyInput,
    ) -> Result<Resolved<Self>, KmsError> {
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let access = Access::one(target.request_across_accounts(kms, "kms:GetPublicKey"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetPublicKeyOutput, KmsError> {
        let (_, target) = granted.into_parts();
        let key = target.into_key()?;
        if key.kind.pair().is_none() {
            return Err(KmsError::Unsupported {
                reason: format!("{} is not an asymmetric key: it has no public key.", key.arn),
            });
        }
        key.check_usable()?;
        let spec = key.kind.spec().word();
        Ok(GetPublicKeyOutput {
            key_id: key.arn.to_string(),
            public_key: Blob(key.read_pair()?.public.clone()),
            customer_master_key_spec: spec.to_owned(),
            key_spec: spec.to_owned(),
            key_usage: key.kind.usage().word().to_owned(),
            encryption_algorithms: listed(key.kind.encryption_algorithms()),
            signing_algorithms: listed(key.kind.signing_algorithms()),
            key_agreement_algorithms: listed(key.kind.agreement_algorithms()),
            encapsulation_algorithms: None,
        })
    }
}
