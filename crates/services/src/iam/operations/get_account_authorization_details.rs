//! `GetAccountAuthorizationDetails`: users, groups, roles and managed policies of an account with everything about them.
//!
//! Of AWS's managed policies those are told that somebody of the account has. A page ends early when it has many bytes
//! of documents, which AWS's model permits; what it tells is found under the view's lock and written without it.

use crate::iam::Iam;
use crate::iam::attachments::Usage;
use crate::iam::details::{GroupDetail, ManagedPolicyDetail, RoleDetail, UserDetail};
use crate::iam::entity::{Group, Profile, Role, User};
use crate::iam::errors::IamError;
use crate::iam::managed::ManagedPolicy;
use crate::iam::page::{Page, page_within};
use crate::iam::validate;
use crate::iam::view::View;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::AccountId;
use bulla_wire::Shape;
use std::collections::HashMap;
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

/// A page ends with what brings its documents, as they were given, to so many bytes.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// One of what is told.
enum Item {
    User(Arc<User>),
    Group(Arc<Group>),
    Role(Arc<Role>),
    Policy(Arc<ManagedPolicy>),
}

/// The same with what else is told about it.
enum Told {
    User(Arc<User>, Vec<Arc<Group>>, Vec<Arc<ManagedPolicy>>),
    Group(Arc<Group>, Vec<Arc<ManagedPolicy>>),
    Role(Arc<Role>, Vec<Arc<ManagedPolicy>>),
    Policy(Arc<ManagedPolicy>, Usage),
}

impl Item {
    /// Of documents.
    fn bytes(&self) -> usize {
        match self {
            Self::User(user) => user.document_bytes(),
            Self::Group(group) => group.document_bytes(),
            Self::Role(role) => role.document_bytes(),
            Self::Policy(policy) => policy.document_bytes(),
        }
    }

    fn told(self, view: &View, usages: &HashMap<Arc<str>, Usage>) -> Told {
        let attached = |profile: &Profile| {
            let arns = profile.attached.iter();
            arns.filter_map(|arn| view.managed(profile.account, arn))
                .collect()
        };
        match self {
            Self::User(user) => {
                let (groups, attached) = (view.groups_by_id(&user.groups), attached(&user.profile));
                Told::User(user, groups, attached)
            }
            Self::Group(group) => {
                let attached = attached(&group.profile);
                Told::Group(group, attached)
            }
            Self::Role(role) => {
                let attached = attached(&role.profile);
                Told::Role(role, attached)
            }
            Self::Policy(policy) => {
                let usage = usages.get(&policy.arn).copied().unwrap_or_default();
                Told::Policy(policy, usage)
            }
        }
    }
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
        let page = page_of(&iam.view(), account, &input)?;
        let (mut users, mut groups, mut roles, mut policies) = (vec![], vec![], vec![], vec![]);
        let is_truncated = page.is_truncated();
        for told in page.items {
            match told {
                Told::User(user, of, attached) => users.push(user.detail(&of, &attached)),
                Told::Group(group, attached) => groups.push(group.detail(&attached)),
                Told::Role(role, attached) => roles.push(role.detail(&attached)),
                Told::Policy(policy, usage) => policies.push(policy.detail(usage)),
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

/// What is asked for, to be told without the view.
fn page_of(
    view: &View,
    account: AccountId,
    input: &GetAccountAuthorizationDetailsInput,
) -> Result<Page<Told>, IamError> {
    let is_asked = |kind: &str| input.filter.is_empty() || input.filter.iter().any(|asked| asked == kind);
    let usages = view.usages(account);
    let found = page_within(
        items(view, account, &usages, is_asked),
        input.marker.as_deref(),
        input.max_items,
        DOCUMENT_BYTES_MAX,
        Item::bytes,
    )?;
    let items = found.items.into_iter();
    Ok(Page {
        items: items.map(|item| item.told(view, &usages)).collect(),
        marker: found.marker,
    })
}

/// Everything of the kinds asked for, each with a key; keys rise.
fn items(
    view: &View,
    account: AccountId,
    usages: &HashMap<Arc<str>, Usage>,
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
        .filter(move |policy| asks_aws && usages.contains_key(&policy.arn))
        .map(move |policy| (key(5, &policy.arn), Item::Policy(Arc::clone(policy))));
    users.chain(groups).chain(roles).chain(local).chain(aws)
}
