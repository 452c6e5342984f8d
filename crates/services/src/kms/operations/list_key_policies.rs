//! `ListKeyPolicies`: a key has one policy, named `default`.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::limits::KEYS_PAGE;
use crate::kms::policy::DEFAULT_NAME;
use crate::kms::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListKeyPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListKeyPoliciesRequest")]
pub(crate) struct ListKeyPoliciesInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// 1 to 1,000.
    pub(crate) limit: Option<i32>,
    /// There is never a second page, so no marker is valid.
    pub(crate) marker: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListKeyPoliciesResponse")]
pub(crate) struct ListKeyPoliciesOutput {
    pub(crate) policy_names: Vec<String>,
    pub(crate) next_marker: Option<String>,
    pub(crate) truncated: bool,
}

impl Operation for ListKeyPolicies {
    const NAME: &'static str = "ListKeyPolicies";
    type Service = Kms;
    type Input = ListKeyPoliciesInput;
    type Output = ListKeyPoliciesOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ListKeyPoliciesInput,
    ) -> Result<Resolved<Self>, KmsError> {
        validate::page(input.limit, KEYS_PAGE)?;
        if input.marker.is_some() {
            return Err(KmsError::InvalidMarker);
        }
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:ListKeyPolicies"));
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
    ) -> Result<ListKeyPoliciesOutput, KmsError> {
        let (_, target) = granted.into_parts();
        target.into_key()?;
        Ok(ListKeyPoliciesOutput {
            policy_names: vec![DEFAULT_NAME.to_owned()],
            next_marker: None,
            truncated: false,
        })
    }
}
