//! `RevokeGrant`: whoever manages a key takes a grant away. The next call of its grantee is refused.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::grant;
use crate::kms::operations::create_grant::is_for_aws;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct RevokeGrant;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "RevokeGrantRequest")]
pub(crate) struct RevokeGrantInput {
    /// Key id or key ARN; of another account an ARN only.
    pub(crate) key_id: String,
    pub(crate) grant_id: String,
    pub(crate) dry_run: Option<bool>,
}

impl Operation for RevokeGrant {
    const NAME: &'static str = "RevokeGrant";
    type Service = Kms;
    type Input = RevokeGrantInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: RevokeGrantInput,
    ) -> Result<Resolved<Self>, KmsError> {
        grant::check_id(&input.grant_id)?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = target
            .request_across_accounts(kms, "kms:RevokeGrant")
            .with_key("kms:GrantIsForAWSResource", is_for_aws(call));
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let grant = target.grant(kms, &input.grant_id);
        target.into_key()?;
        let grant = grant.ok_or_else(|| KmsError::GrantNotFound {
            id: input.grant_id.as_str().into(),
        })?;
        end_dry_run(input.dry_run)?;
        kms.end_grant(call, &grant).await?;
        Ok(Empty)
    }
}
