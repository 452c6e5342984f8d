//! `TagResource`: adds tags to a key, or gives them other values.

use crate::kms::Kms;
use crate::kms::access::{Sought, with_request_tags};
use crate::kms::errors::KmsError;
use crate::kms::shapes::Tag;
use crate::kms::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct TagResource;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "TagResourceRequest")]
pub(crate) struct TagResourceInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    pub(crate) tags: Vec<Tag>,
}

impl Operation for TagResource {
    const NAME: &'static str = "TagResource";
    type Service = Kms;
    type Input = TagResourceInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: TagResourceInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let tags = validate::tags(&input.tags)?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = with_request_tags(target.request(kms, "kms:TagResource"), tags.keys(), &tags);
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let tags = validate::tags(&input.tags)?;
        kms.update(call, &key, |key| {
            key.check_not_pending()?;
            key.tags.extend(tags);
            validate::tag_count(key.tags.len())
        })
        .await?;
        Ok(Empty)
    }
}
