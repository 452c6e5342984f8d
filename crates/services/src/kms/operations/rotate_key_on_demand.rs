//! `RotateKeyOnDemand`: new material now. The schedule of automatic rotations stays as it is.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::key::Made;
use crate::kms::limits::ROTATIONS_ON_DEMAND_MAX;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct RotateKeyOnDemand;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "RotateKeyOnDemandRequest")]
pub(crate) struct RotateKeyOnDemandInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "RotateKeyOnDemandResponse")]
pub(crate) struct RotateKeyOnDemandOutput {
    /// Key ARN.
    pub(crate) key_id: String,
}

impl Operation for RotateKeyOnDemand {
    const NAME: &'static str = "RotateKeyOnDemand";
    type Service = Kms;
    type Input = RotateKeyOnDemandInput;
    type Output = RotateKeyOnDemandOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: RotateKeyOnDemandInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:RotateKeyOnDemand"));
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
    ) -> Result<RotateKeyOnDemandOutput, KmsError> {
        let (_, target) = granted.into_parts();
        let key = target.into_key()?;
        key.check_rotates_itself()?;
        let now = call.time();
        kms.rotate_now(&key, now, |key| {
            key.check_usable()?;
            let before = key.materials().filter(|material| material.made == Made::OnDemand);
            if before.count() >= ROTATIONS_ON_DEMAND_MAX {
                return Err(KmsError::LimitExceeded {
                    reason: format!("A key is rotated on demand at most {ROTATIONS_ON_DEMAND_MAX} times"),
                });
            }
            key.rotate(Made::OnDemand, now, &*call.runtime().entropy);
            Ok(())
        })
        .await?;
        Ok(RotateKeyOnDemandOutput {
            key_id: key.arn.to_string(),
        })
    }
}
