//! `EnableKeyRotation`: new material every so many days.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::limits::{ROTATION_PERIOD_DAYS_DEFAULT, ROTATION_PERIOD_DAYS_MAX, ROTATION_PERIOD_DAYS_MIN};
use crate::kms::rotation::Schedule;
use crate::kms::validate::range;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct EnableKeyRotation;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "EnableKeyRotationRequest")]
pub(crate) struct EnableKeyRotationInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// 90 to 2,560 days, 365 if absent.
    pub(crate) rotation_period_in_days: Option<i32>,
}

fn period(input: &EnableKeyRotationInput) -> Result<u32, KmsError> {
    let days = input
        .rotation_period_in_days
        .unwrap_or(ROTATION_PERIOD_DAYS_DEFAULT);
    range(
        days,
        "rotationPeriodInDays",
        ROTATION_PERIOD_DAYS_MIN,
        ROTATION_PERIOD_DAYS_MAX,
    )
    .map(i32::unsigned_abs)
}

impl Operation for EnableKeyRotation {
    const NAME: &'static str = "EnableKeyRotation";
    type Service = Kms;
    type Input = EnableKeyRotationInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: EnableKeyRotationInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let days = period(&input)?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = target
            .request(kms, "kms:EnableKeyRotation")
            .with_key("kms:RotationPeriodInDays", days.to_string());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        key.check_rotates_itself()?;
        let (days, now) = (period(&input)?, call.time());
        kms.update_with_replicas(call, &key, |key| {
            key.check_usable()?;
            // The same request again moves no date.
            if key.schedule.is_none_or(|schedule| schedule.period_days != days) {
                key.schedule = Some(Schedule::starting(days, now));
            }
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
