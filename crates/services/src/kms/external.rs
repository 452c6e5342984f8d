//! Imported key material: it comes from outside, may expire, and only the same may be imported again.
//!
//! What must stay true: from its expiry on material is not used, whether or not the sweep has come by. So every call looks at
//! a key as it is at the call's time ([`as_of`]); the sweep then destroys the stored copy. What stays is the id of the
//! material, which is what the same material is known by when it comes again.

use super::Kms;
use super::errors::KmsError;
use super::key::{Key, KeyState, Material};
use super::secret::Secret;
use bulla_types::Timestamp;
use std::sync::{Arc, PoisonError};

/// Where the material of a key comes from: made here.
pub(super) const AWS_KMS: &str = "AWS_KMS";
/// Where the material of a key comes from: imported.
pub(super) const EXTERNAL: &str = "EXTERNAL";
/// Imported material that is destroyed at a time.
pub(super) const EXPIRES: &str = "KEY_MATERIAL_EXPIRES";
/// Imported material that stays.
pub(super) const DOES_NOT_EXPIRE: &str = "KEY_MATERIAL_DOES_NOT_EXPIRE";

/// What is known of imported material beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct External {
    /// From when on it is destroyed; `None`: never. Nothing when there is no material.
    pub(super) expires: Option<Timestamp>,
    /// What the client says of it; stays when it expires.
    pub(super) description: Option<String>,
}

impl Key {
    /// Where its material comes from.
    pub(super) fn origin(&self) -> &'static str {
        match self.external {
            None => AWS_KMS,
            Some(_) => EXTERNAL,
        }
    }

    /// When its imported material expires.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.external.as_ref()?.expires
    }

    /// Whether its imported material expires; nothing of other keys, and when there is none.
    pub(super) fn expiration_model(&self) -> Option<&'static str> {
        let external = self.external.as_ref()?;
        if self.material.secret.is_absent() {
            return None;
        }
        Some(match external.expires {
            Some(_) => EXPIRES,
            None => DOES_NOT_EXPIRE,
        })
    }

    /// Refuses a key whose material is not imported.
    pub(super) fn check_external(&self) -> Result<(), KmsError> {
        match self.external {
            Some(_) => Ok(()),
            None => Err(self.origin_not_valid()),
        }
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|at| at <= now)
    }

    /// The key without its imported material: until the same is imported again it does nothing.
    pub(super) fn without_material(&self) -> Self {
        let mut key = self.clone();
        key.material = Arc::new(Material {
            version: self.material.version,
            id: Arc::clone(&self.material.id),
            made: self.material.made,
            created: self.material.created,
            secret: Secret::Absent,
        });
        key.state = match self.state {
            KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport => KeyState::PendingImport,
            KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion(_) => self.state,
        };
        if let Some(external) = &mut key.external {
            external.expires = None;
        }
        key
    }
}

/// A key as it is at a time: imported material that has expired is gone.
pub(super) fn as_of(key: Arc<Key>, now: Timestamp) -> Arc<Key> {
    if key.has_expired(now) {
        Arc::new(key.without_material())
    } else {
        key
    }
}

impl Kms {
    /// Destroys imported material that has expired. What fails is tried again next time.
    pub(super) async fn forget_expired(&self) {
        let _writing = self.writing.lock().await;
        let now = self.runtime.clock.now();
        let due: Vec<Arc<Key>> = self
            .view()
            .all()
            .filter(|key| key.has_expired(now) && !key.is_gone(now))
            .cloned()
            .collect();
        for key in due {
            let emptied = key.without_material();
            if let Ok(emptied) = self.store(vec![emptied]).await {
                tracing::info!(key = %key.arn, "the key's imported material has expired; it is deleted");
                let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
                emptied.into_iter().map(Arc::new).for_each(|key| view.put(key));
            }
        }
    }
}
