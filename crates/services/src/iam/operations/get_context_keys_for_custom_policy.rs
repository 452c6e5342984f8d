//! `GetContextKeysForCustomPolicy`: the condition keys that the policies of the request look at.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::simulation::{context_keys, given};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetContextKeysForCustomPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetContextKeysForCustomPolicyRequest")]
pub(crate) struct GetContextKeysForCustomPolicyInput {
    pub(crate) policy_input_list: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetContextKeysForPolicyResponse")]
pub(crate) struct GetContextKeysForCustomPolicyOutput {
    pub(crate) context_key_names: Option<Vec<String>>,
}

impl Operation for GetContextKeysForCustomPolicy {
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    type Service = Iam;
    type Input = GetContextKeysForCustomPolicyInput;
    type Output = GetContextKeysForCustomPolicyOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: GetContextKeysForCustomPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let access = Access::one(AccessRequest::new(
            "iam:GetContextKeysForCustomPolicy",
            "*",
            call.account(),
        ));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetContextKeysForCustomPolicyOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let policies = given(&input.policy_input_list, "PolicyInputList")?;
        Ok(GetContextKeysForCustomPolicyOutput {
            context_key_names: Some(context_keys(&policies).into_iter().collect()),
        })
    }
}
