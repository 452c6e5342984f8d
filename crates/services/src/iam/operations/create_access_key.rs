//! `CreateAccessKey`: a key for a user, or for the caller. Its secret is told this once.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::limits::ACCESS_KEYS_PER_USER_MAX;
use crate::iam::secret_text::SecretText;
use crate::iam::shapes::AccessKeyShape;
use crate::iam::sought::KeyOwner;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateAccessKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateAccessKeyRequest")]
pub(crate) struct CreateAccessKeyInput {
    /// The caller if absent.
    pub(crate) user_name: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateAccessKeyResponse")]
pub(crate) struct CreateAccessKeyOutput {
    pub(crate) access_key: AccessKeyShape,
}

impl Operation for CreateAccessKey {
    const NAME: &'static str = "CreateAccessKey";
    type Service = Iam;
    type Input = CreateAccessKeyInput;
    type Output = CreateAccessKeyOutput;
    type Error = IamError;
    type Target = KeyOwner;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: CreateAccessKeyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_key_owner(call, input.user_name.as_deref())?;
        let access = target.access("iam:CreateAccessKey");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateAccessKeyOutput, IamError> {
        let (_, owner) = granted.into_parts();
        let key = iam.new_access_key(call.account(), &owner.id()?, call.time())?;
        let access_key = AccessKeyShape {
            user_name: owner.user_name(),
            access_key_id: key.id.to_string(),
            status: key.status(),
            secret_access_key: SecretText::from(&*key.secret),
            create_date: Some(key.created),
        };
        iam.change_keys(call, &owner, |keys| {
            if keys.len() >= ACCESS_KEYS_PER_USER_MAX {
                let reason = format!("Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS_PER_USER_MAX}");
                return Err(IamError::LimitExceeded { reason });
            }
            keys.push(key);
            Ok(())
        })
        .await?;
        Ok(CreateAccessKeyOutput { access_key })
    }
}
