//! `GetKeyPolicy`: the key policy as it was given.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::policy::DEFAULT_NAME;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetKeyPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetKeyPolicyRequest")]
pub(crate) struct GetKeyPolicyInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// `default`, also if absent.
    pub(crate) policy_name: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetKeyPolicyResponse")]
pub(crate) struct GetKeyPolicyOutput {
    pub(crate) policy: String,
    pub(crate) policy_name: String,
}

impl Operation for GetKeyPolicy {
    const NAME: &'static str = "GetKeyPolicy";
    type Service = Kms;
    type Input = GetKeyPolicyInput;
    type Output = GetKeyPolicyOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: GetKeyPolicyInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let name = input.policy_name.as_deref().unwrap_or(DEFAULT_NAME);
        let access = Access::one(
            target
                .request(kms, "kms:GetKeyPolicy")
                .with_key("kms:PolicyName", name),
        );
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
    ) -> Result<GetKeyPolicyOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let policy_name = input.policy_name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
        if policy_name != DEFAULT_NAME {
            return Err(KmsError::PolicyNotFound);
        }
        Ok(GetKeyPolicyOutput {
            policy: key.policy.text().to_owned(),
            policy_name,
        })
    }
}
