//! What a key is: its material, its policy, its state.
//!
//! A [`Key`] is never changed: whoever changes one stores a new value under the same id, so that a call that found a
//! key sees the same policy and the same state from its decision to its answer.

use super::alias::Alias;
use super::certificate::Scheduled;
use super::erasure::Wrapping;
use super::errors::KmsError;
use super::external::External;
use super::kind::KeyKind;
use super::rotation::Schedule;
use super::secret::Secret;
use bulla_policy::Policy;
use bulla_runtime::Entropy;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: KeyId,
    pub(super) region: Region,
    pub(super) owner: AccountId,
    pub(super) arn: Arc<str>,
    /// Never changes.
    pub(super) kind: KeyKind,
    pub(super) created: Timestamp,
    pub(super) description: String,
    pub(super) state: KeyState,
    pub(super) policy: Arc<Policy>,
    pub(super) tags: BTreeMap<String, String>,
    /// In order of name.
    pub(super) aliases: Vec<Alias>,
    /// What encrypts from now on.
    pub(super) material: Arc<Material>,
    /// What encrypted before, oldest first; it still opens.
    pub(super) former: Vec<Arc<Material>>,
    /// When it is rotated by itself.
    pub(super) schedule: Option<Schedule>,
    /// Of a key whose material is imported; `None` when it was made here.
    pub(super) external: Option<External>,
    /// Of a multi-Region key, the region of its primary key; never changes but by `UpdatePrimaryRegion`.
    pub(super) primary: Option<Region>,
    /// What wraps its material; made when it is stored for the first time.
    pub(super) wrapping: Wrapping,
    /// Who scheduled its deletion.
    pub(super) scheduled: Option<Scheduled>,
}

/// What a key may be used for now.
///
/// Source: KMS Developer Guide, "Key states of AWS KMS keys" (read 2026-11-21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyState {
    /// For everything.
    Enabled,
    /// For no cryptography.
    Disabled,
    /// As disabled, and destroyed at that time unless the deletion is cancelled.
    PendingDeletion(Timestamp),
    /// As disabled; so many days after the last replica is deleted it is destroyed, unless the deletion is cancelled.
    PendingReplicaDeletion(u32),
    /// For no cryptography, because there is no material.
    PendingImport,
}

impl KeyState {
    /// AWS's word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion(_) => "PendingDeletion",
            Self::PendingReplicaDeletion(_) => "PendingReplicaDeletion",
            Self::PendingImport => "PendingImport",
        }
    }

    /// When the key is destroyed.
    pub(super) fn deletion(self) -> Option<Timestamp> {
        match self {
            Self::PendingDeletion(at) => Some(at),
            Self::Enabled | Self::Disabled | Self::PendingReplicaDeletion(_) | Self::PendingImport => None,
        }
    }

    /// Days between the deletion of the last replica and that of the key.
    pub(super) fn deletion_window(self) -> Option<i32> {
        match self {
            Self::PendingReplicaDeletion(days) => i32::try_from(days).ok(),
            Self::Enabled | Self::Disabled | Self::PendingDeletion(_) | Self::PendingImport => None,
        }
    }
}

impl Key {
    /// Refuses a key that may do no cryptography now.
    pub(super) fn check_usable(&self) -> Result<(), KmsError> {
        match self.state {
            KeyState::Enabled if self.is_locked() => Err(KmsError::Unavailable {
                key: Arc::clone(&self.arn),
            }),
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(KmsError::Disabled {
                key: Arc::clone(&self.arn),
            }),
            KeyState::PendingImport => Err(KmsError::PendingImport {
                key: Arc::clone(&self.arn),
            }),
            KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion(_) => self.check_not_pending(),
        }
    }

    /// Refuses a key that will be deleted.
    pub(super) fn check_not_pending(&self) -> Result<(), KmsError> {
        match self.state {
            KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport => Ok(()),
            KeyState::PendingDeletion(_) => Err(KmsError::PendingDeletion {
                key: Arc::clone(&self.arn),
            }),
            KeyState::PendingReplicaDeletion(_) => Err(KmsError::PendingReplicaDeletion {
                key: Arc::clone(&self.arn),
            }),
        }
    }

    /// Refuses a key that cannot be enabled and disabled: one that will be deleted, or that has no material.
    pub(super) fn check_switchable(&self) -> Result<(), KmsError> {
        match self.state {
            KeyState::Enabled | KeyState::Disabled => Ok(()),
            KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion(_) | KeyState::PendingImport => {
                self.check_usable()
            }
        }
    }

    /// Whether its material cannot be used, because its erasure key is missing.
    pub(super) fn is_locked(&self) -> bool {
        self.materials().any(|material| material.secret.is_locked())
    }

    /// AWS's word for what it may be used for now.
    pub(super) fn state_name(&self) -> &'static str {
        if self.is_locked() && self.check_not_pending().is_ok() {
            return "Unavailable";
        }
        self.state.name()
    }

    /// Whether the deletion date has come: there is no such key any more, whether or not it has been swept yet.
    pub(super) fn is_gone(&self, now: Timestamp) -> bool {
        self.state.deletion().is_some_and(|at| at <= now)
    }

    /// The material of a version that a ciphertext names.
    pub(super) fn material(&self, version: u32) -> Option<&Material> {
        // Most ciphertexts are young.
        self.materials()
            .rev()
            .find(|material| material.version == version)
    }

    /// All materials, oldest first.
    pub(super) fn materials(&self) -> impl DoubleEndedIterator<Item = &Material> {
        self.former
            .iter()
            .chain([&self.material])
            .map(|material| &**material)
    }

    /// New material encrypts from now on. The key is a symmetric one.
    pub(super) fn rotate(&mut self, made: Made, now: Timestamp, entropy: &dyn Entropy) {
        let version = self.material.version.saturating_add(1);
        let material = Material::new(version, made, Secret::symmetric(entropy), now, entropy);
        self.former
            .push(std::mem::replace(&mut self.material, Arc::new(material)));
    }
}

/// Why there is a material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// It is the first one.
    WithTheKey,
    /// A rotation was due.
    Automatically,
    /// Somebody asked for a rotation.
    OnDemand,
}

/// The secret of a key: what encrypts, signs or authenticates.
pub(super) struct Material {
    /// From 1, rising with each rotation; ciphertexts name it.
    pub(super) version: u32,
    /// 64 hexadecimal digits, as `KeyMaterialId` shows it; tells nothing about the secret. Random, or of imported material
    /// what only that material has; empty before the first import.
    pub(super) id: Arc<str>,
    /// Why it was made.
    pub(super) made: Made,
    /// When it was made.
    pub(super) created: Timestamp,
    /// Wiped when the last key value that holds it is dropped.
    pub(super) secret: Secret,
}

impl Material {
    /// Material of a key that was just created.
    pub(super) fn first(secret: Secret, created: Timestamp, entropy: &dyn Entropy) -> Self {
        Self::new(1, Made::WithTheKey, secret, created, entropy)
    }

    /// The place of material that will be imported: no secret, and no id until there was one.
    pub(super) fn awaited(now: Timestamp) -> Self {
        Self {
            version: 1,
            id: "".into(),
            made: Made::WithTheKey,
            created: now,
            secret: Secret::Absent,
        }
    }

    fn new(version: u32, made: Made, secret: Secret, created: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut id = [0; 32];
        entropy.fill(&mut id);
        Self {
            version,
            id: hex(&id).into(),
            made,
            created,
            secret,
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

impl std::fmt::Debug for Material {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Material")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
