//! `CancelKeyDeletion`: a key that was scheduled for deletion stays, disabled.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::key::KeyState;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CancelKeyDeletion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CancelKeyDeletionRequest")]
pub(crate) struct CancelKeyDeletionInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CancelKeyDeletionResponse")]
pub(crate) struct CancelKeyDeletionOutput {
    /// Key ARN.
    pub(crate) key_id: String,
}

impl Operation for CancelKeyDeletion {
    const NAME: &'static str = "CancelKeyDeletion";
    type Service = Kms;
    type Input = CancelKeyDeletionInput;
    type Output = CancelKeyDeletionOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: CancelKeyDeletionInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:CancelKeyDeletion"));
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
    ) -> Result<CancelKeyDeletionOutput, KmsError> {
        let (_, target) = granted.into_parts();
        let key = target.into_key()?;
        kms.update(call, &key, |key| match key.state {
            KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion(_) => {
                key.state = if key.material.secret.is_absent() {
                    KeyState::PendingImport
                } else {
                    KeyState::Disabled
                };
                key.scheduled = None;
                Ok(())
            }
            KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport => {
                Err(KmsError::NotPendingDeletion {
                    key: Arc::clone(&key.arn),
                })
            }
        })
        .await?;
        Ok(CancelKeyDeletionOutput {
            key_id: key.arn.to_string(),
        })
    }
}
