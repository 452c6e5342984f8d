//! `DeleteAccessKey`: the key opens nothing any more.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::sought::KeyOwner;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteAccessKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteAccessKeyRequest")]
pub(crate) struct DeleteAccessKeyInput {
    /// The caller if absent.
    pub(crate) user_name: Option<String>,
    pub(crate) access_key_id: String,
}

impl Operation for DeleteAccessKey {
    const NAME: &'static str = "DeleteAccessKey";
    type Service = Iam;
    type Input = DeleteAccessKeyInput;
    type Output = Empty;
    type Error = IamError;
    type Target = KeyOwner;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: DeleteAccessKeyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_key_owner(call, input.user_name.as_deref())?;
        let access = target.access("iam:DeleteAccessKey");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, owner) = granted.into_parts();
        let id = input.access_key_id;
        iam.change_keys(call, &owner, |keys| {
            let before = keys.len();
            keys.retain(|key| *key.id != *id);
            if keys.len() == before {
                Err(IamError::AccessKeyNotFound { id: id.clone() })
            } else {
                Ok(())
            }
        })
        .await?;
        iam.last_used.forget(call.account(), &id);
        Ok(Empty)
    }
}
