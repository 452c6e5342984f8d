//! Erasure keys of KMS keys: what is destroyed outside the data folder, so that a destroyed key is destroyed in every copy
//! of the folder too.
//!
//! What must stay true: material is stored only under a key that the erasure key of this very record went into, and that
//! erasure key was durable before. [`Kms::store`](super::Kms) is the one place that stores keys and sees to it; a key that
//! was copied under another name gets an erasure key of its own there.

use super::Kms;
use super::errors::KmsError;
use super::key::Key;
use super::record::record_key;
use bulla_envelope::{ErasureError, ErasureName, Purpose, SealError, SecretKey};
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use bytes::Bytes;
use std::sync::Arc;

/// What the erasure key of a key is called. A replica that was destroyed can be made again under its id: then it is of
/// another time.
pub(super) fn erasure_name(
    owner: AccountId,
    region: Region,
    id: KeyId,
    created: Timestamp,
) -> Option<ErasureName> {
    let name = format!("{owner}-{region}-{id}");
    ErasureName::new(&if id.is_multi_region() {
        format!("{name}-{}", created.as_millis())
    } else {
        name
    })
}

/// What wraps the material of a key.
#[derive(Clone)]
pub(super) enum Wrapping {
    /// Nothing yet, or nothing that is at hand.
    NotYet,
    /// A key for one record.
    Own(Arc<MaterialKey>),
}

impl Wrapping {
    /// The key that wraps the material in this record.
    pub(super) fn own(&self, record_name: &[u8]) -> Option<&MaterialKey> {
        match self {
            Self::Own(own) if own.record_name == record_name => Some(own),
            Self::Own(_) | Self::NotYet => None,
        }
    }
}

impl From<Option<MaterialKey>> for Wrapping {
    fn from(key: Option<MaterialKey>) -> Self {
        key.map_or(Self::NotYet, |key| Self::Own(Arc::new(key)))
    }
}

impl std::fmt::Debug for Wrapping {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Wrapping(..)")
    }
}

/// The key that wraps the material in one record: of the instance and of the record's erasure key.
pub(super) struct MaterialKey {
    record_name: Bytes,
    key: SecretKey,
}

impl MaterialKey {
    /// The key for the record of this name.
    pub(super) fn derive(
        wrapping: &SecretKey,
        erasure: &SecretKey,
        record_name: &[u8],
    ) -> Result<Self, SealError> {
        Ok(Self {
            record_name: Bytes::copy_from_slice(record_name),
            key: wrapping.derive_with(erasure, Purpose::KmsKeyMaterial, &[record_name])?,
        })
    }

    /// The key itself.
    pub(super) fn key(&self) -> &SecretKey {
        &self.key
    }
}

impl Kms {
    /// Sees to it that each key has what wraps its material; made keys are durable then.
    pub(super) async fn prepare(&self, keys: &mut [Key]) -> Result<(), KmsError> {
        let needs = |key: &&mut Key| {
            let name = record_key(key.owner, key.region, key.id);
            !key.is_locked() && key.wrapping.own(&name).is_none()
        };
        let mut waiting: Vec<&mut Key> = keys.iter_mut().filter(needs).collect();
        let names = waiting
            .iter()
            .map(|key| erasure_name(key.owner, key.region, key.id, key.created));
        let Some(names) = names.collect::<Option<Vec<_>>>() else {
            tracing::error!("a key has a name that no erasure key can have");
            return Err(KmsError::Internal);
        };
        if names.is_empty() {
            return Ok(());
        }
        let made = self.erasure.create(names).await.map_err(|error| {
            log_unusable(&error);
            KmsError::Internal
        })?;
        for (key, erasure) in waiting.iter_mut().zip(made) {
            let name = record_key(key.owner, key.region, key.id);
            let own = MaterialKey::derive(&self.wrapping, &erasure, &name).map_err(|error| {
                tracing::error!(key = %key.arn, %error, "the key that wraps a key's material cannot be derived");
                KmsError::Internal
            })?;
            key.wrapping = Wrapping::Own(Arc::new(own));
        }
        Ok(())
    }
}

/// Says what is wrong with the keyring.
pub(super) fn log_unusable(error: &ErasureError) {
    tracing::error!(why = error.why(), fix = error.fix(), "{}", error.what());
}
