//! `ListKeys`: the keys of the caller's account in the region, in order of id.

use crate::kms::Kms;
use crate::kms::errors::KmsError;
use crate::kms::limits::KEYS_PAGE;
use crate::kms::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::KeyId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListKeys;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListKeysRequest")]
pub(crate) struct ListKeysInput {
    /// 1 to 1,000, 100 if absent.
    pub(crate) limit: Option<i32>,
    /// `NextMarker` of the page before.
    pub(crate) marker: Option<String>,
    /// `SELF` alone; keys are not shared through RAM here.
    pub(crate) resource_owners: Option<Vec<String>>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListKeysResponse")]
pub(crate) struct ListKeysOutput {
    pub(crate) keys: Vec<KeyListEntry>,
    pub(crate) next_marker: Option<String>,
    pub(crate) truncated: bool,
}

/// A key in a list.
#[derive(Debug, Shape)]
pub(crate) struct KeyListEntry {
    pub(crate) key_id: String,
    pub(crate) key_arn: String,
}

/// How many, and behind which key.
#[derive(Debug)]
pub(crate) struct KeysPage {
    limit: usize,
    after: Option<KeyId>,
}

impl Operation for ListKeys {
    const NAME: &'static str = "ListKeys";
    type Service = Kms;
    type Input = ListKeysInput;
    type Output = ListKeysOutput;
    type Error = KmsError;
    type Target = KeysPage;

    async fn resolve(_: &Kms, call: &Call<'_>, input: ListKeysInput) -> Result<Resolved<Self>, KmsError> {
        let limit = validate::page(input.limit, KEYS_PAGE)?;
        validate::marker(input.marker.as_deref())?;
        let after = input
            .marker
            .as_deref()
            .map(KeyId::parse)
            .transpose()
            .map_err(|_| KmsError::InvalidMarker)?;
        for owner in input.resource_owners.iter().flatten() {
            validate::one_of(owner, "resourceOwners", &["SELF", "OTHER_ACCOUNTS_VIA_RAM"])?;
            if owner != "SELF" {
                return Err(KmsError::Unsupported {
                    reason: "Keys shared through AWS RAM are not built".to_owned(),
                });
            }
        }
        let access = Access::one(AccessRequest::new("kms:ListKeys", "*", call.account()));
        Ok(Resolved {
            input,
            target: KeysPage { limit, after },
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListKeysOutput, KmsError> {
        let (_, page) = granted.into_parts();
        let view = kms.view();
        let mut found = view.keys_of(call.account(), call.region(), page.after, call.time());
        let keys: Vec<KeyListEntry> = found
            .by_ref()
            .take(page.limit)
            .map(|key| KeyListEntry {
                key_id: key.id.as_str().to_owned(),
                key_arn: key.arn.to_string(),
            })
            .collect();
        let truncated = found.next().is_some();
        let next_marker = keys.last().filter(|_| truncated).map(|last| last.key_id.clone());
        Ok(ListKeysOutput {
            keys,
            next_marker,
            truncated,
        })
    }
}
