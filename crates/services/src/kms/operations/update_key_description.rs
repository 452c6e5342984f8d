//! `UpdateKeyDescription`: another text beside the key.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateKeyDescription;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateKeyDescriptionRequest")]
pub(crate) struct UpdateKeyDescriptionInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// 0 to 8,192 characters.
    pub(crate) description: String,
}

impl Operation for UpdateKeyDescription {
    const NAME: &'static str = "UpdateKeyDescription";
    type Service = Kms;
    type Input = UpdateKeyDescriptionInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: UpdateKeyDescriptionInput,
    ) -> Result<Resolved<Self>, KmsError> {
        validate::description(&input.description)?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:UpdateKeyDescription"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        kms.update(call, &key, |key| {
            key.check_not_pending()?;
            key.description = input.description;
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
