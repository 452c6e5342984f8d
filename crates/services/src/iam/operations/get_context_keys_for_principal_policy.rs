//! `GetContextKeysForPrincipalPolicy`: the condition keys that the policies of a user, group or role look at.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::simulation::{context_keys, given};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetContextKeysForPrincipalPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetContextKeysForPrincipalPolicyRequest")]
pub(crate) struct GetContextKeysForPrincipalPolicyInput {
    /// ARN of a user, group or role.
    pub(crate) policy_source_arn: String,
    /// More identity policies.
    #[member(default)]
    pub(crate) policy_input_list: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetContextKeysForPolicyResponse")]
pub(crate) struct GetContextKeysForPrincipalPolicyOutput {
    pub(crate) context_key_names: Option<Vec<String>>,
}

impl Operation for GetContextKeysForPrincipalPolicy {
    const NAME: &'static str = "GetContextKeysForPrincipalPolicy";
    type Service = Iam;
    type Input = GetContextKeysForPrincipalPolicyInput;
    type Output = GetContextKeysForPrincipalPolicyOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: GetContextKeysForPrincipalPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let arn = input.policy_source_arn.as_str();
        let access = Access::one(AccessRequest::new(
            "iam:GetContextKeysForPrincipalPolicy",
            arn,
            call.account(),
        ));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetContextKeysForPrincipalPolicyOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let source = iam.source(call, &input.policy_source_arn)?;
        let mut policies = source.policies(iam, call).identity;
        policies.extend(given(&input.policy_input_list, "PolicyInputList")?);
        Ok(GetContextKeysForPrincipalPolicyOutput {
            context_key_names: Some(context_keys(&policies).into_iter().collect()),
        })
    }
}
