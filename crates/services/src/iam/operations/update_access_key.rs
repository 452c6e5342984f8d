//! `UpdateAccessKey`: an inactive key opens nothing until it is active again.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::sought::KeyOwner;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateAccessKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateAccessKeyRequest")]
pub(crate) struct UpdateAccessKeyInput {
    /// The caller if absent.
    pub(crate) user_name: Option<String>,
    pub(crate) access_key_id: String,
    /// `Active` or `Inactive`.
    pub(crate) status: String,
}

impl Operation for UpdateAccessKey {
    const NAME: &'static str = "UpdateAccessKey";
    type Service = Iam;
    type Input = UpdateAccessKeyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = KeyOwner;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: UpdateAccessKeyInput,
    ) -> Result<Resolved<Self>, IamError> {
        is_active(&input.status)?;
        let target = iam.seek_key_owner(call, input.user_name.as_deref())?;
        let access = target.access("iam:UpdateAccessKey");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, owner) = granted.into_parts();
        let active = is_active(&input.status)?;
        let id = input.access_key_id;
        iam.change_keys(call, &owner, |keys| {
            let key = keys
                .iter_mut()
                .find(|key| *key.id == *id)
                .ok_or(IamError::AccessKeyNotFound { id })?;
            key.active = active;
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}

fn is_active(status: &str) -> Result<bool, IamError> {
    match status {
        "Active" => Ok(true),
        "Inactive" => Ok(false),
        other => Err(IamError::Validation {
            reason: format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            ),
        }),
    }
}
