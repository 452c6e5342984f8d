//! `DisableKeyRotation`: the key keeps its material until somebody rotates it.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DisableKeyRotation;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DisableKeyRotationRequest")]
pub(crate) struct DisableKeyRotationInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
}

impl Operation for DisableKeyRotation {
    const NAME: &'static str = "DisableKeyRotation";
    type Service = Kms;
    type Input = DisableKeyRotationInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: DisableKeyRotationInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:DisableKeyRotation"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (_, target) = granted.into_parts();
        let key = target.into_key()?;
        key.check_rotates_itself()?;
        kms.update_with_replicas(call, &key, |key| {
            key.check_usable()?;
            key.schedule = None;
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
