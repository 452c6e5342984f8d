//! `ListPolicyVersions`: the versions of a managed policy, newest first, without their documents.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::page::page;
use crate::iam::shapes::PolicyVersionShape;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListPolicyVersions;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListPolicyVersionsRequest")]
pub(crate) struct ListPolicyVersionsInput {
    pub(crate) policy_arn: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListPolicyVersionsResponse")]
pub(crate) struct ListPolicyVersionsOutput {
    pub(crate) versions: Option<Vec<PolicyVersionShape>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListPolicyVersions {
    const NAME: &'static str = "ListPolicyVersions";
    type Service = Iam;
    type Input = ListPolicyVersionsInput;
    type Output = ListPolicyVersionsOutput;
    type Error = IamError;
    type Target = SoughtPolicy;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListPolicyVersionsInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek_policy(call, &input.policy_arn)?;
        let access = target.access("iam:ListPolicyVersions");
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
    ) -> Result<ListPolicyVersionsOutput, IamError> {
        let (input, target) = granted.into_parts();
        let policy = target.found()?;
        let newest_first = policy.versions.keys().rev().filter_map(|number| {
            let key = format!("{:010}", u32::MAX - number);
            Some((key, policy.listed_version(*number)?))
        });
        let page = page(newest_first, input.marker.as_deref(), input.max_items)?;
        Ok(ListPolicyVersionsOutput {
            is_truncated: Some(page.is_truncated()),
            versions: Some(page.items),
            marker: page.marker,
        })
    }
}
