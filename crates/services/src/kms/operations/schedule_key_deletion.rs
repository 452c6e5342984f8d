//! `ScheduleKeyDeletion`: the key stops working now, and its material is destroyed after the waiting period.

use crate::kms::access::Sought;
use crate::kms::certificate::Scheduled;
use crate::kms::errors::KmsError;
use crate::kms::key::KeyState;
use crate::kms::limits::{DELETION_WINDOW_DAYS_DEFAULT, DELETION_WINDOW_DAYS_MAX, DELETION_WINDOW_DAYS_MIN};
use crate::kms::validate::range;
use crate::kms::{Kms, current};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::Timestamp;
use bulla_wire::Shape;
use std::time::Duration;

/// The operation.
#[derive(Debug)]
pub(crate) struct ScheduleKeyDeletion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ScheduleKeyDeletionRequest")]
pub(crate) struct ScheduleKeyDeletionInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// 7 to 30 days, 30 if absent.
    pub(crate) pending_window_in_days: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ScheduleKeyDeletionResponse")]
pub(crate) struct ScheduleKeyDeletionOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    /// Nothing while replicas are waited for.
    pub(crate) deletion_date: Option<Timestamp>,
    pub(crate) key_state: String,
    pub(crate) pending_window_in_days: i32,
}

const DAY: Duration = Duration::from_hours(24);

fn window(input: &ScheduleKeyDeletionInput) -> Result<i32, KmsError> {
    let days = input
        .pending_window_in_days
        .unwrap_or(DELETION_WINDOW_DAYS_DEFAULT);
    range(
        days,
        "pendingWindowInDays",
        DELETION_WINDOW_DAYS_MIN,
        DELETION_WINDOW_DAYS_MAX,
    )
}

impl Operation for ScheduleKeyDeletion {
    const NAME: &'static str = "ScheduleKeyDeletion";
    type Service = Kms;
    type Input = ScheduleKeyDeletionInput;
    type Output = ScheduleKeyDeletionOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ScheduleKeyDeletionInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let days = window(&input)?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = target
            .request(kms, "kms:ScheduleKeyDeletion")
            .with_key("kms:ScheduleKeyDeletionPendingWindowInDays", days.to_string());
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
    ) -> Result<ScheduleKeyDeletionOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let days = window(&input)?;
        let now = call.time();
        let scheduled = Scheduled {
            by: call.caller().identity().arn.to_string(),
            request_id: call.caller().request_id().to_string(),
            at_ms: now.as_millis(),
        };
        let state = kms
            .write(call, |view| {
                let mut key = current(view, &key, now)?;
                key.check_not_pending()?;
                key.state = if key.has_replicas(view, now) {
                    KeyState::PendingReplicaDeletion(days.unsigned_abs())
                } else {
                    KeyState::PendingDeletion(now.after(DAY.saturating_mul(days.unsigned_abs())))
                };
                key.scheduled = Some(scheduled);
                let state = key.state;
                Ok((vec![key], state))
            })
            .await?;
        Ok(ScheduleKeyDeletionOutput {
            key_id: key.arn.to_string(),
            deletion_date: state.deletion(),
            key_state: state.name().to_owned(),
            pending_window_in_days: days,
        })
    }
}
