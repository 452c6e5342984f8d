//! `EnableKey`: a disabled key may be used again.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::key::KeyState;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct EnableKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "EnableKeyRequest")]
pub(crate) struct EnableKeyInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
}

impl Operation for EnableKey {
    const NAME: &'static str = "EnableKey";
    type Service = Kms;
    type Input = EnableKeyInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: EnableKeyInput) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:EnableKey"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (_, target) = granted.into_parts();
        let key = target.into_key()?;
        kms.update(call, &key, |key| {
            key.check_switchable()?;
            key.state = KeyState::Enabled;
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
