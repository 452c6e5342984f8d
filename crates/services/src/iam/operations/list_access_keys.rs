//! `ListAccessKeys`: the keys of a user, or of the caller, without their secrets.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::shapes::AccessKeyMetadata;
use crate::iam::sought::KeyOwner;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAccessKeys;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAccessKeysRequest")]
pub(crate) struct ListAccessKeysInput {
    /// The caller if absent.
    pub(crate) user_name: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAccessKeysResponse")]
pub(crate) struct ListAccessKeysOutput {
    pub(crate) access_key_metadata: Vec<AccessKeyMetadata>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListAccessKeys {
    const NAME: &'static str = "ListAccessKeys";
    type Service = Iam;
    type Input = ListAccessKeysInput;
    type Output = ListAccessKeysOutput;
    type Error = IamError;
    type Target = KeyOwner;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListAccessKeysInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_key_owner(call, input.user_name.as_deref())?;
        let access = target.access("iam:ListAccessKeys");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListAccessKeysOutput, IamError> {
        let (input, owner) = granted.into_parts();
        let mut keys: Vec<_> = owner.keys()?.iter().collect();
        keys.sort_by(|left, right| left.id.cmp(&right.id));
        let listed = keys
            .into_iter()
            .map(|key| (&*key.id, key.listed(owner.user_name())));
        let page = page(listed, input.marker.as_deref(), input.max_items)?;
        Ok(ListAccessKeysOutput {
            is_truncated: page.is_truncated(),
            access_key_metadata: page.items,
            marker: page.marker,
        })
    }
}
