//! `GetAccountAuthorizationDetails`: users, groups, roles and managed policies of an account with everything about them.
//!
//! Of AWS's managed policies those are told that somebody of the account has.

use crate::iam::Iam;
use crate::iam::details::{GroupDetail, ManagedPolicyDetail, RoleDetail, UserDetail};
use crate::iam::entity::{Group, Role, User};
use crate::iam::errors::IamError;
use crate::iam::managed::ManagedPolicy;
use crate::iam::page::page;
use crate::iam::validate;
use crate::iam::view::View;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::AccountId;
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetAccountAuthorizationDetails;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetAccountAuthorizationDetailsRequest")]
pub(crate) struct GetAccountAuthorizationDetailsInput {
    /// Kinds of what is asked for; all if absent.
    #[member(default)]
    pub(crate) filter: Vec<String>,
    pub(crate) max_items: Option<i32>,
    pub(crate) marker: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetAccountAuthorizationDetailsResponse")]
pub(crate) struct GetAccountAuthorizationDetailsOutput {
    pub(crate) user_detail_list: Option<Vec<UserDetail>>,
    pub(crate) group_detail_list: Option<Vec<GroupDetail>>,
    pub(crate) role_detail_list: Option<Vec<RoleDetail>>,
    pub(crate) policies: Option<Vec<ManagedPolicyDetail>>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

/// What can be asked for, in the order in which it is told.
const KINDS: [&str; 5] = ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"];

/// One of what is told.
enum Item {
    User(Arc<User>),
    Group(Arc<Group>),
    Role(Arc<Role>),
    Policy(Arc<ManagedPolicy>),
}

impl Operation for GetAccountAuthorizationDetails {
    const NAME: &'static str = "GetAccountAuthorizationDetails";
    type Service = Iam;
    type Input = GetAccountAuthorizationDetailsInput;
    type Output = GetAccountAuthorizationDetailsOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: GetAccountAuthorizationDetailsInput,
    ) -> Result<Resolved<Self>, IamError> {
        let all = "[User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]";
        if let Some(other) = input.filter.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(validate::not_one_of(other, "filter", all));
        }
        let request = AccessRequest::new("iam:GetAccountAuthorizationDetails", "*", call.account());
        Ok(Resolved {
            input,
            target: (),
            access: Access::one(request),
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetAccountAuthorizationDetailsOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let account = call.account();
        let view = iam.view();
        let is_asked = |kind: &str| input.filter.is_empty() || input.filter.iter().any(|asked| asked == kind);
        let items = items(&view, account, is_asked);
        let page = page(items, input.marker.as_deref(), input.max_items)?;
        let (mut users, mut groups, mut roles, mut policies) = (vec![], vec![], vec![], vec![]);
        let is_truncated = page.is_truncated();
        for item in page.items {
            match item {
                Item::User(user) => users.push(user.detail(&view)),
                Item::Group(group) => groups.push(group.detail(&view)),
                Item::Role(role) => roles.push(role.detail(&view)),
                Item::Policy(policy) => policies.push(policy.detail(&view, account)),
            }
        }
        Ok(GetAccountAuthorizationDetailsOutput {
            user_detail_list: Some(users),
            group_detail_list: Some(groups),
            role_detail_list: Some(roles),
            policies: Some(policies),
            is_truncated: Some(is_truncated),
            marker: page.marker,
        })
    }
}

/// Everything of the kinds asked for, each with a key; keys rise.
fn items(
    view: &View,
    account: AccountId,
    is_asked: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (String, Item)> {
    let [asks_users, asks_groups, asks_roles, asks_local, asks_aws] = KINDS.map(is_asked);
    let key = |kind: u8, name: &str| format!("{kind}/{name}");
    let users = view
        .users_of(account)
        .filter(move |_| asks_users)
        .map(move |(name, user)| (key(1, name), Item::User(Arc::clone(user))));
    let groups = view
        .groups_of(account)
        .filter(move |_| asks_groups)
        .map(move |(name, group)| (key(2, name), Item::Group(Arc::clone(group))));
    let roles = view
        .roles_of(account)
        .filter(move |_| asks_roles)
        .map(move |(name, role)| (key(3, name), Item::Role(Arc::clone(role))));
    let local = view
        .policies_of(account)
        .filter(move |_| asks_local)
        .map(move |(name, policy)| (key(4, name), Item::Policy(Arc::clone(policy))));
    let aws = view
        .aws_policies()
        .filter(move |policy| asks_aws && !view.usage(account, &policy.arn).is_unused())
        .map(move |policy| (key(5, &policy.arn), Item::Policy(Arc::clone(policy))));
    users.chain(groups).chain(roles).chain(local).chain(aws)
}
