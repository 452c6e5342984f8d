//! `UntagResource`: takes tags off a key; those that it does not have do not matter.

use crate::kms::Kms;
use crate::kms::access::{Sought, with_request_tags};
use crate::kms::errors::KmsError;
use crate::kms::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct UntagResource;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UntagResourceRequest")]
pub(crate) struct UntagResourceInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    pub(crate) tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    const NAME: &'static str = "UntagResource";
    type Service = Kms;
    type Input = UntagResourceInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: UntagResourceInput,
    ) -> Result<Resolved<Self>, KmsError> {
        input
            .tag_keys
            .iter()
            .try_for_each(|key| validate::tag_key_rule(key))?;
        validate::tag_count(input.tag_keys.len())?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = target.request(kms, "kms:UntagResource");
        let request = with_request_tags(request, input.tag_keys.iter(), &BTreeMap::new());
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        kms.update(call, &key, |key| {
            key.check_not_pending()?;
            key.tags.retain(|tag, _| !input.tag_keys.contains(tag));
            Ok(())
        })
        .await?;
        Ok(Empty)
    }
}
