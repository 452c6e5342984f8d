//! `GetKeyRotationStatus`: whether and when a key is rotated by itself.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::Timestamp;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetKeyRotationStatus;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetKeyRotationStatusRequest")]
pub(crate) struct GetKeyRotationStatusInput {
    /// Key id or key ARN; of another account an ARN only.
    pub(crate) key_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetKeyRotationStatusResponse")]
pub(crate) struct GetKeyRotationStatusOutput {
    pub(crate) key_rotation_enabled: bool,
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) rotation_period_in_days: Option<i32>,
    pub(crate) next_rotation_date: Option<Timestamp>,
    /// Never: a rotation on demand is over when it is answered.
    pub(crate) on_demand_rotation_start_date: Option<Timestamp>,
}

impl Operation for GetKeyRotationStatus {
    const NAME: &'static str = "GetKeyRotationStatus";
    type Service = Kms;
    type Input = GetKeyRotationStatusInput;
    type Output = GetKeyRotationStatusOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GetKeyRotationStatusInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request_across_accounts(kms, "kms:GetKeyRotationStatus"));
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
    ) -> Result<GetKeyRotationStatusOutput, KmsError> {
        let (_, target) = granted.into_parts();
        let key = target.into_key()?;
        let schedule = key.active_schedule();
        Ok(GetKeyRotationStatusOutput {
            key_rotation_enabled: schedule.is_some(),
            key_id: key.arn.to_string(),
            rotation_period_in_days: schedule.and_then(|schedule| i32::try_from(schedule.period_days).ok()),
            next_rotation_date: schedule.map(|schedule| schedule.next),
            on_demand_rotation_start_date: None,
        })
    }
}
