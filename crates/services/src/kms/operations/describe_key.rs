//! `DescribeKey`: everything about a key but its policy, tags and aliases.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::shapes::KeyMetadata;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribeKeyRequest")]
pub(crate) struct DescribeKeyInput {
    /// Key id, key ARN, alias or alias ARN.
    pub(crate) key_id: String,
    /// Grants bind at once, so that none is needed; one that was not made here is refused.
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeKeyResponse")]
pub(crate) struct DescribeKeyOutput {
    pub(crate) key_metadata: KeyMetadata,
}

impl Operation for DescribeKey {
    const NAME: &'static str = "DescribeKey";
    type Service = Kms;
    type Input = DescribeKeyInput;
    type Output = DescribeKeyOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: DescribeKeyInput,
    ) -> Result<Resolved<Self>, KmsError> {
        kms.check_grant_tokens(&input.grant_tokens)?;
        let target = kms.seek(call, &input.key_id)?;
        let access = Access::one(target.request_across_accounts(kms, "kms:DescribeKey"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DescribeKeyOutput, KmsError> {
        let (_, target) = granted.into_parts();
        let key = kms.key_for_use(call, target).await?;
        Ok(DescribeKeyOutput {
            key_metadata: kms.view().metadata(&key, call.time()),
        })
    }
}
