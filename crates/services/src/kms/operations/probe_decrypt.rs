//! Whether a caller may decrypt with a key, when there is nothing to decrypt. Not on the wire: for services that hand out
//! what one key sealed on condition that another may be used too.
//!
//! It asks and answers as `Decrypt` does, of the key's policy as of its state, and is audited as that.

use crate::kms::Kms;
use crate::kms::access::{Sought, with_encryption_context};
use crate::kms::algorithms::EncryptionAlgorithm;
use crate::kms::errors::KmsError;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub struct ProbeDecrypt;

/// Its input.
#[derive(Debug, Shape)]
pub struct ProbeDecryptInput {
    /// Key id, key ARN, alias or alias ARN.
    pub key_id: String,
    /// What the service would decrypt with.
    #[member(default)]
    pub encryption_context: BTreeMap<String, String>,
}

/// Its output.
#[derive(Debug, Shape)]
pub struct ProbeDecryptOutput {
    /// ARN of the key.
    pub key_id: String,
}

impl Operation for ProbeDecrypt {
    const NAME: &'static str = "Decrypt";
    type Service = Kms;
    type Input = ProbeDecryptInput;
    type Output = ProbeDecryptOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ProbeDecryptInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek(call, &input.key_id)?;
        let request = target.request_across_accounts(kms, "kms:Decrypt");
        let access = Access::one(with_encryption_context(
            request,
            EncryptionAlgorithm::SymmetricDefault,
            &input.encryption_context,
        ));
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
    ) -> Result<ProbeDecryptOutput, KmsError> {
        let (_, target) = granted.into_parts();
        let key = kms.key_for_use(call, target).await?;
        key.check_symmetric(Self::NAME)?;
        Ok(ProbeDecryptOutput {
            key_id: key.arn.to_string(),
        })
    }
}
