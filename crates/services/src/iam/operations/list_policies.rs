//! `ListPolicies`: the managed policies of the account and of AWS.

use crate::iam::Iam;
use crate::iam::attachments::{Usage, UsageFilter};
use crate::iam::errors::IamError;
use crate::iam::managed::ManagedPolicy;
use crate::iam::page::page;
use crate::iam::shapes::PolicyShape;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListPoliciesRequest")]
pub(crate) struct ListPoliciesInput {
    /// `All`, `AWS` or `Local`; `All` if absent.
    pub(crate) scope: Option<String>,
    pub(crate) only_attached: Option<bool>,
    /// `/` if absent.
    pub(crate) path_prefix: Option<String>,
    /// `PermissionsPolicy` or `PermissionsBoundary`.
    pub(crate) policy_usage_filter: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListPoliciesResponse")]
pub(crate) struct ListPoliciesOutput {
    pub(crate) policies: Option<Vec<PolicyShape>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    type Service = Iam;
    type Input = ListPoliciesInput;
    type Output = ListPoliciesOutput;
    type Error = IamError;
    type Target = Filter;

    async fn resolve(_: &Iam, call: &Call<'_>, input: ListPoliciesInput) -> Result<Resolved<Self>, IamError> {
        let target = Filter::new(&input)?;
        let access = Access::one(AccessRequest::new("iam:ListPolicies", "*", call.account()));
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
    ) -> Result<ListPoliciesOutput, IamError> {
        let (input, filter) = granted.into_parts();
        let account = call.account();
        let view = iam.view();
        let own = view
            .policies_of(account)
            .map(|(_, policy)| policy)
            .filter(|_| filter.local);
        let of_aws = view.aws_policies().filter(|_| filter.aws);
        let all: BTreeMap<&str, &Arc<ManagedPolicy>> =
            own.chain(of_aws).map(|policy| (&*policy.arn, policy)).collect();
        let shown = all
            .into_iter()
            .map(|(arn, policy)| (arn, policy, view.usage(account, arn)))
            .filter(|(_, policy, usage)| filter.shows(policy, *usage))
            .map(|(arn, policy, usage)| (arn, policy.listed(usage)));
        let page = page(shown, input.marker.as_deref(), input.max_items)?;
        Ok(ListPoliciesOutput {
            is_truncated: Some(page.is_truncated()),
            policies: Some(page.items),
            marker: page.marker,
        })
    }
}

/// Which policies are asked for.
#[derive(Debug)]
pub(crate) struct Filter {
    aws: bool,
    local: bool,
    attached: bool,
    prefix: String,
    usage: UsageFilter,
}

impl Filter {
    fn new(input: &ListPoliciesInput) -> Result<Self, IamError> {
        let (aws, local) = match input.scope.as_deref() {
            None | Some("All") => (true, true),
            Some("AWS") => (true, false),
            Some("Local") => (false, true),
            Some(other) => return Err(validate::not_one_of(other, "scope", "[AWS, Local, All]")),
        };
        let prefix = input.path_prefix.clone().unwrap_or_else(|| "/".to_owned());
        validate::path_prefix(&prefix)?;
        Ok(Self {
            aws,
            local,
            attached: input.only_attached.unwrap_or_default(),
            prefix,
            usage: UsageFilter::new(input.policy_usage_filter.as_deref())?,
        })
    }

    fn shows(&self, policy: &ManagedPolicy, usage: Usage) -> bool {
        let used = match self.usage {
            UsageFilter::Any => !usage.is_unused(),
            UsageFilter::Permissions => usage.attached > 0,
            UsageFilter::Boundary => usage.boundaries > 0,
        };
        let asked = self.attached || self.usage != UsageFilter::Any;
        policy.path.starts_with(&self.prefix) && (used || !asked)
    }
}
