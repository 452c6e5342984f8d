//! `ListEntitiesForPolicy`: the groups, roles and users that have a managed policy.

use crate::iam::Iam;
use crate::iam::attachments::{Holder, UsageFilter};
use crate::iam::errors::IamError;
use crate::iam::managed::SoughtPolicy;
use crate::iam::page::page;
use crate::iam::shapes::{PolicyGroup, PolicyRole, PolicyUser};
use crate::iam::validate;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListEntitiesForPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListEntitiesForPolicyRequest")]
pub(crate) struct ListEntitiesForPolicyInput {
    pub(crate) policy_arn: String,
    /// `User`, `Role` or `Group`; all if absent.
    pub(crate) entity_filter: Option<String>,
    /// `/` if absent.
    pub(crate) path_prefix: Option<String>,
    /// `PermissionsPolicy` or `PermissionsBoundary`.
    pub(crate) policy_usage_filter: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListEntitiesForPolicyResponse")]
pub(crate) struct ListEntitiesForPolicyOutput {
    pub(crate) policy_groups: Option<Vec<PolicyGroup>>,
    pub(crate) policy_users: Option<Vec<PolicyUser>>,
    pub(crate) policy_roles: Option<Vec<PolicyRole>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Operation for ListEntitiesForPolicy {
    const NAME: &'static str = "ListEntitiesForPolicy";
    type Service = Iam;
    type Input = ListEntitiesForPolicyInput;
    type Output = ListEntitiesForPolicyOutput;
    type Error = IamError;
    type Target = (SoughtPolicy, Filter);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListEntitiesForPolicyInput,
    ) -> Result<Resolved<Self>, IamError> {
        let filter = Filter::new(&input)?;
        let policy = iam.seek_policy(call, &input.policy_arn)?;
        let access = policy.access("iam:ListEntitiesForPolicy");
        Ok(Resolved {
            input,
            target: (policy, filter),
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListEntitiesForPolicyOutput, IamError> {
        let (input, (policy, filter)) = granted.into_parts();
        let policy = policy.found()?;
        let view = iam.view();
        let holders = view.holders(call.account(), &policy.arn, filter.usage);
        let shown = holders
            .iter()
            .filter(|holder| filter.shows(holder))
            .map(|holder| {
                (
                    format!("{}/{}", holder.kind(), holder.profile().name.to_lowercase()),
                    holder,
                )
            });
        let page = page(shown, input.marker.as_deref(), input.max_items)?;
        let (mut groups, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        for holder in &page.items {
            let profile = holder.profile();
            let (name, id) = (Some(profile.name.clone()), Some(profile.id.to_string()));
            match holder {
                Holder::Group(_) => groups.push(PolicyGroup {
                    group_name: name,
                    group_id: id,
                }),
                Holder::Role(_) => roles.push(PolicyRole {
                    role_name: name,
                    role_id: id,
                }),
                Holder::User(_) => users.push(PolicyUser {
                    user_name: name,
                    user_id: id,
                }),
            }
        }
        Ok(ListEntitiesForPolicyOutput {
            is_truncated: Some(page.is_truncated()),
            policy_groups: Some(groups),
            policy_users: Some(users),
            policy_roles: Some(roles),
            marker: page.marker,
        })
    }
}

/// Whom the request asks for.
#[derive(Debug)]
pub(crate) struct Filter {
    /// `user`, `role`, `group`.
    kind: Option<&'static str>,
    prefix: String,
    usage: UsageFilter,
}

impl Filter {
    fn new(input: &ListEntitiesForPolicyInput) -> Result<Self, IamError> {
        let kind = match input.entity_filter.as_deref() {
            None => None,
            Some("User") => Some("user"),
            Some("Role") => Some("role"),
            Some("Group") => Some("group"),
            // These two are policies; the model has them, but no policy has a policy.
            Some("LocalManagedPolicy" | "AWSManagedPolicy") => Some("policy"),
            Some(other) => {
                let all = "[User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]";
                return Err(validate::not_one_of(other, "entityFilter", all));
            }
        };
        let prefix = input.path_prefix.clone().unwrap_or_else(|| "/".to_owned());
        validate::path_prefix(&prefix)?;
        Ok(Self {
            kind,
            prefix,
            usage: UsageFilter::new(input.policy_usage_filter.as_deref())?,
        })
    }

    fn shows(&self, holder: &Holder) -> bool {
        self.kind.is_none_or(|kind| kind == holder.kind()) && holder.profile().path.starts_with(&self.prefix)
    }
}
