//! Multi-Region keys: a primary key and its replicas, one in a region, with one id and the same material.
//!
//! Each is a key of its own: policy, grants, tags, description, aliases, state and quota are not shared. Shared are id, kind,
//! origin, material and rotation; what changes these changes all keys in one commit, which is possible because the keys of an
//! account are one partition. So a ciphertext of one opens with the other, and no region is ever behind. Imported material is
//! not shared: it is imported into each, and only the same.
//!
//! What must stay true:
//! - All keys of one id name the same primary region, and the primary key is there as long as any other.
//! - A primary key is not destroyed before its replicas: its waiting time begins when the last of them is gone.

use super::errors::KmsError;
use super::key::{Key, KeyState};
use super::limits::RELATED_KEYS_MAX;
use super::shapes::{KeyMetadata, MultiRegionConfiguration, MultiRegionKey};
use super::view::View;
use super::{Kms, current};
use bulla_gate::Call;
use bulla_types::{Region, Timestamp};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// What a key is among those of a multi-Region key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegionRole {
    /// The one that can be replicated and rotated.
    Primary,
    /// One that follows it.
    Replica,
}

impl RegionRole {
    /// AWS's word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Replica => "REPLICA",
        }
    }
}

impl Key {
    /// Of a multi-Region key, what it is.
    pub(super) fn role(&self) -> Option<RegionRole> {
        let primary = self.primary?;
        Some(if primary == self.region {
            RegionRole::Primary
        } else {
            RegionRole::Replica
        })
    }

    /// Whether it follows a primary key of another region.
    pub(super) fn is_replica(&self) -> bool {
        self.role() == Some(RegionRole::Replica)
    }

    /// Refuses all but the primary key of a multi-Region key.
    pub(super) fn check_primary(&self) -> Result<(), KmsError> {
        if self.role() == Some(RegionRole::Primary) {
            return Ok(());
        }
        Err(KmsError::Unsupported {
            reason: format!("{} is not a multi-Region primary key.", self.arn),
        })
    }

    /// Whether it is a primary key that others follow.
    pub(super) fn has_replicas(&self, view: &View, now: Timestamp) -> bool {
        self.role() == Some(RegionRole::Primary)
            && view.related(self.id, now).any(|key| key.region != self.region)
    }

    /// This replica with what it shares with its primary key. One whose erasure key is lost keeps its material as it is, for
    /// when the file is put back; it has what is newer from the next rotation on.
    pub(super) fn following(&self, primary: &Self) -> Self {
        let mut key = self.clone();
        key.primary = primary.primary;
        key.schedule = primary.schedule;
        if primary.external.is_none() && !self.is_locked() {
            key.material = Arc::clone(&primary.material);
            key.former.clone_from(&primary.former);
        }
        key
    }
}

impl View {
    /// All about a key, with the other keys of a multi-Region key.
    pub(super) fn metadata(&self, key: &Key, now: Timestamp) -> KeyMetadata {
        let mut metadata = KeyMetadata::from(key);
        metadata.multi_region_configuration = key.role().map(|role| {
            let shown = |key: &Key| MultiRegionKey {
                arn: Some(key.arn.to_string()),
                region: Some(key.region.as_str().to_owned()),
            };
            let (mut primary, mut replicas) = (None, Vec::new());
            for related in self.related(key.id, now) {
                match related.role() {
                    Some(RegionRole::Primary) => primary = Some(shown(related)),
                    Some(RegionRole::Replica) | None => replicas.push(shown(related)),
                }
            }
            MultiRegionConfiguration {
                multi_region_key_type: Some(role.word().to_owned()),
                primary_key: primary,
                replica_keys: Some(replicas),
            }
        });
        metadata
    }

    /// Refuses one replica too many.
    pub(super) fn check_replicable(&self, key: &Key, now: Timestamp) -> Result<(), KmsError> {
        if self.related(key.id, now).count() < RELATED_KEYS_MAX {
            return Ok(());
        }
        Err(KmsError::LimitExceeded {
            reason: format!("A multi-Region key has at most {RELATED_KEYS_MAX} keys"),
        })
    }
}

/// A region in a request, as KMS writes them: `eu-central-1`.
pub(super) fn region(text: &str, member: &str) -> Result<Region, KmsError> {
    let is_region = |text: &str| {
        let (names, number) = text.rsplit_once('-')?;
        let words = names.split('-').count();
        let lower = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed = (2..=3).contains(&words) && names.split('-').all(lower) && digits;
        well_formed.then(|| Region::parse(text).ok()).flatten()
    };
    is_region(text).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        super::validate::violation(
            &shown,
            member,
            "Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$",
        )
    })
}

impl Kms {
    /// Changes a key that exists, and with it the replicas that follow it.
    pub(super) async fn update_with_replicas(
        &self,
        call: &Call<'_>,
        key: &Key,
        change: impl FnOnce(&mut Key) -> Result<(), KmsError> + Send,
    ) -> Result<(), KmsError> {
        let now = call.time();
        self.write(call, |view| {
            let mut key = current(view, key, now)?;
            // It may have become a replica since the call found it.
            key.check_rotates_itself()?;
            change(&mut key)?;
            Ok((view.with_replicas(key, now), ()))
        })
        .await
    }

    /// Begins to wait for the deletion of primary keys whose last replica is gone. What fails is tried again next time.
    pub(super) async fn release_primaries(&self) {
        let _writing = self.writing.lock().await;
        let now = self.runtime.clock.now();
        let waiting = |view: &View| -> Vec<Key> {
            view.all()
                .filter_map(|key| match key.state {
                    KeyState::PendingReplicaDeletion(days) if !key.has_replicas(view, now) => {
                        let mut key = Key::clone(key);
                        key.state = KeyState::PendingDeletion(now.after(DAY.saturating_mul(days)));
                        Some(key)
                    }
                    KeyState::PendingReplicaDeletion(_)
                    | KeyState::PendingDeletion(_)
                    | KeyState::PendingImport
                    | KeyState::Enabled
                    | KeyState::Disabled => None,
                })
                .collect()
        };
        let released = waiting(&self.view());
        for key in released {
            let arn = Arc::clone(&key.arn);
            if let Ok(released) = self.store(vec![key]).await {
                tracing::info!(key = %arn, "the last replica is gone; the key now awaits its own deletion");
                let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
                released.into_iter().map(Arc::new).for_each(|key| view.put(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn a_region_has_the_form_of_those_of_aws() {
        for text in ["us-east-1", "ap-southeast-2", "us-gov-west-1", "eu-central-12"] {
            assert_eq!(region(text, "replicaRegion").unwrap().as_str(), text);
        }
        for text in [
            "",
            "local",
            "us-east",
            "us-1",
            "us--1",
            "US-east-1",
            "a-b-c-d-1",
            "us-east-1 ",
            "us-east-1x",
        ] {
            assert!(region(text, "replicaRegion").is_err(), "{text}");
        }
    }
}
