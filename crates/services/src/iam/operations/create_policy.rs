//! `CreatePolicy`: a managed policy with its first version.

use crate::iam::Iam;
use crate::iam::attachments::Usage;
use crate::iam::entity::Stored;
use crate::iam::errors::IamError;
use crate::iam::ids::policy_id;
use crate::iam::limits::POLICIES_PER_ACCOUNT_MAX;
use crate::iam::managed::{ManagedPolicy, policy_arn};
use crate::iam::shapes::{PolicyShape, Tag};
use crate::iam::sought::request_for_new;
use crate::iam::validate;
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_policy::{IdentityOwner, PolicyKind};
use bulla_wire::Shape;
use std::collections::BTreeMap;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreatePolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreatePolicyRequest")]
pub(crate) struct CreatePolicyInput {
    pub(crate) policy_name: String,
    /// `/` if absent.
    pub(crate) path: Option<String>,
    /// An identity policy.
    pub(crate) policy_document: String,
    pub(crate) description: Option<String>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreatePolicyResponse")]
pub(crate) struct CreatePolicyOutput {
    pub(crate) policy: Option<PolicyShape>,
}

impl Operation for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    type Service = Iam;
    type Input = CreatePolicyInput;
    type Output = CreatePolicyOutput;
    type Error = IamError;
    type Target = ManagedPolicy;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: CreatePolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let path = input.path.clone().unwrap_or_else(|| "/".to_owned());
        validate::policy_name(&input.policy_name)?;
        validate::path(&path)?;
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let tags = validate::tags(&input.tags)?;
        let account = call.account();
        let arn = policy_arn(Some(account), &path, &input.policy_name);
        let mut needs = vec![request_for_new("iam:CreatePolicy", &arn, account, &tags)];
        if !tags.is_empty() {
            needs.push(request_for_new("iam:TagPolicy", &arn, account, &tags));
        }
        let access = Access::Needs(needs);
        let target = ManagedPolicy {
            account: Some(account),
            id: policy_id(&*iam.runtime.entropy).into(),
            name: input.policy_name.clone(),
            path,
            arn,
            created: call.time(),
            updated: call.time(),
            description: input.description.clone(),
            tags,
            versions: BTreeMap::new(),
            default: 1,
            last: 0,
        };
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreatePolicyOutput, IamError> {
        let (input, mut policy) = granted.into_parts();
        let account = call.account();
        let shape = iam
            .change(call, |view| {
                if view.policy_name_taken(account, &policy.name) {
                    return Err(IamError::PolicyAlreadyExists { name: policy.name });
                }
                if view.policies_of(account).count() >= POLICIES_PER_ACCOUNT_MAX {
                    let reason =
                        format!("Cannot exceed quota for PoliciesPerAccount: {POLICIES_PER_ACCOUNT_MAX}");
                    return Err(IamError::LimitExceeded { reason });
                }
                policy.add_version(&input.policy_document, true, call.time())?;
                let shape = policy.described(Usage::default());
                Ok((vec![Stored::Policy(policy)], shape))
            })
            .await?;
        let kind = PolicyKind::Identity(IdentityOwner::Managed);
        warn_of_traps(
            call,
            shape.arn.as_deref().unwrap_or_default(),
            &input.policy_document,
            kind,
        );
        Ok(CreatePolicyOutput { policy: Some(shape) })
    }
}
