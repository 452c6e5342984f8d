//! Rotation: new material encrypts from now on, and all former material still opens what it encrypted.
//!
//! Nothing else of the key changes: id, policy, grants and the data keys that are out. The schedule is kept by the sweep;
//! a key that is disabled or awaits deletion is not rotated, and a date that passed meanwhile is made up for as soon as
//! the key is enabled again (KMS API Reference, `GetKeyRotationStatus`, read 2026-11-21).

use super::errors::KmsError;
use super::key::{Key, KeyState, Made};
use super::limits::SWEEP_INTERVAL;
use super::{Kms, current};
use bulla_types::Timestamp;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const _: () = assert!(SWEEP_INTERVAL.as_secs() < DAY.as_secs());

/// When a key is rotated by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// 90 to 2,560.
    pub(super) period_days: u32,
    /// The next time.
    pub(super) next: Timestamp,
}

impl Schedule {
    /// The first rotation is a period from now.
    pub(super) fn starting(period_days: u32, now: Timestamp) -> Self {
        Self {
            period_days,
            next: now.after(DAY.saturating_mul(period_days)),
        }
    }

    /// The schedule after a rotation: a period after the planned date, or after now when that was missed by a day.
    fn after_rotation(self, now: Timestamp) -> Self {
        let missed = now.since(self.next) > DAY;
        Self::starting(self.period_days, if missed { now } else { self.next })
    }
}

impl Key {
    /// The schedule, if the key is rotated by itself in its present state.
    pub(super) fn active_schedule(&self) -> Option<Schedule> {
        match self.state {
            KeyState::Enabled | KeyState::Disabled => self.schedule,
            KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion(_) | KeyState::PendingImport => {
                None
            }
        }
    }

    fn rotation_is_due(&self, now: Timestamp) -> bool {
        self.check_usable().is_ok()
            && !self.is_replica()
            && self.schedule.is_some_and(|schedule| schedule.next <= now)
    }
}

impl Kms {
    /// Rotates a key that exists, and with it the replicas that follow it. The gate is not told: which material encrypts decides nothing about who may do what, and
    /// data keys that are out stay good, as at AWS.
    pub(super) async fn rotate_now(
        &self,
        key: &Key,
        now: Timestamp,
        rotate: impl FnOnce(&mut Key) -> Result<(), KmsError> + Send,
    ) -> Result<(), KmsError> {
        let _writing = self.writing.lock().await;
        let mut key = current(&self.view(), key, now)?;
        // It may have become a replica since the call found it.
        key.check_rotates_itself()?;
        rotate(&mut key)?;
        let rotated = self.view().with_replicas(key, now);
        let rotated = self.store(rotated).await?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        rotated.into_iter().map(Arc::new).for_each(|key| view.put(key));
        Ok(())
    }

    /// Rotates the keys whose date has come. What fails is tried again next time.
    pub(super) async fn rotate_due(&self) {
        let _writing = self.writing.lock().await;
        let now = self.runtime.clock.now();
        let due: Vec<Arc<Key>> = self
            .view()
            .all()
            .filter(|key| key.rotation_is_due(now))
            .cloned()
            .collect();
        for key in due {
            let mut rotated = Key::clone(&key);
            rotated.rotate(Made::Automatically, now, &*self.runtime.entropy);
            rotated.schedule = key.schedule.map(|schedule| schedule.after_rotation(now));
            let material = Arc::clone(&rotated.material.id);
            let rotated = self.view().with_replicas(rotated, now);
            if let Ok(rotated) = self.store(rotated).await {
                tracing::info!(key = %key.arn, %material, "the key was rotated as scheduled");
                let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
                rotated.into_iter().map(Arc::new).for_each(|key| view.put(key));
            }
        }
    }
}
