//! `ListResourceTags`: the tags of a key, in order of their keys.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::limits::TAGS_PAGE;
use crate::kms::shapes::Tag;
use crate::kms::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::ops::Bound;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListResourceTags;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListResourceTagsRequest")]
pub(crate) struct ListResourceTagsInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// 1 to 50, 50 if absent.
    pub(crate) limit: Option<i32>,
    /// `NextMarker` of the page before.
    pub(crate) marker: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListResourceTagsResponse")]
pub(crate) struct ListResourceTagsOutput {
    pub(crate) tags: Vec<Tag>,
    pub(crate) next_marker: Option<String>,
    pub(crate) truncated: bool,
}

impl Operation for ListResourceTags {
    const NAME: &'static str = "ListResourceTags";
    type Service = Kms;
    type Input = ListResourceTagsInput;
    type Output = ListResourceTagsOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ListResourceTagsInput,
    ) -> Result<Resolved<Self>, KmsError> {
        validate::page(input.limit, TAGS_PAGE)?;
        validate::marker(input.marker.as_deref())?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:ListResourceTags"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListResourceTagsOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let limit = validate::page(input.limit, TAGS_PAGE)?;
        let from = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = key.tags.range::<str, _>((from, Bound::Unbounded));
        let tags: Vec<Tag> = found
            .by_ref()
            .take(limit)
            .map(|(tag_key, tag_value)| Tag {
                tag_key: tag_key.clone(),
                tag_value: tag_value.clone(),
            })
            .collect();
        let truncated = found.next().is_some();
        let next_marker = tags.last().filter(|_| truncated).map(|last| last.tag_key.clone());
        Ok(ListResourceTagsOutput {
            tags,
            next_marker,
            truncated,
        })
    }
}
