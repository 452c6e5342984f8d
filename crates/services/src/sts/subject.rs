//! Who a session is, before what the session itself brings: from the role, user or root user that it stands on.
//!
//! Source: IAM User Guide, "Permissions for `GetFederationToken`", "Permissions for `GetSessionToken`", and the table of
//! principal key values in "IAM policy elements: Variables and tags" (read 2026-11-21).

use super::token::{Session, Subject};
use crate::iam::{Account, PrincipalLookup, Role, User};
use bulla_gate::{Identity, IdentityKind};
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_types::AccountId;
use std::sync::Arc;

/// The role, user or root user that a session stands on, as it is now.
#[derive(Clone, Debug)]
pub(super) enum Basis {
    /// A role.
    Role(Arc<Role>),
    /// A user of an account.
    User(Arc<User>, AccountId),
    /// The root user of an account.
    Root(Arc<Account>, AccountId),
}

/// A policy that allows everything: what a root user may do, where it is limited by session policies.
#[derive(Clone, Debug)]
pub(super) struct Everything(Arc<Policy>);

impl Everything {
    /// # Errors
    /// The policy engine refused the policy: a defect.
    pub(super) fn new() -> Result<Self, String> {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let policy = Policy::parse(text, PolicyKind::Identity(IdentityOwner::User))
            .map_err(|rejection| rejection.to_string())?;
        Ok(Self(Arc::new(policy.labelled("the rights of the root user"))))
    }
}

impl Basis {
    /// Whom the session stands on; `None` when that one is gone.
    pub(super) fn find(principals: &PrincipalLookup, session: &Session) -> Option<Self> {
        match session.subject {
            Subject::Role => principals.role_by_id(&session.id).map(Self::Role),
            Subject::User | Subject::FederatedByUser => {
                let user = principals.user_by_id(&session.id)?;
                let account = user.identity().account;
                Some(Self::User(user, account))
            }
            Subject::Root | Subject::FederatedByRoot => {
                let id = AccountId::parse(&session.id).ok()?;
                principals.account(id).map(|account| Self::Root(account, id))
            }
        }
    }

    /// Whether nothing has changed.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Role(one), Self::Role(other)) => Arc::ptr_eq(one, other),
            (Self::User(one, _), Self::User(other, _)) => Arc::ptr_eq(one, other),
            (Self::Root(one, _), Self::Root(other, _)) => Arc::ptr_eq(one, other),
            (Self::Role(_) | Self::User(..) | Self::Root(..), _) => false,
        }
    }

    pub(super) fn account(&self) -> AccountId {
        match self {
            Self::Role(role) => role.account(),
            Self::User(_, account) | Self::Root(_, account) => *account,
        }
    }

    /// The principal, without the session's own tags, policies and times.
    pub(super) fn identity(&self, session: &Session, everything: &Everything) -> Identity {
        let own = match self {
            Self::Role(role) => return role.session(&session.name),
            Self::User(user, _) => user.identity(),
            Self::Root(account, _) => Arc::clone(account.identity()),
        };
        match session.subject {
            Subject::Role | Subject::User | Subject::Root => Identity::clone(&own),
            Subject::FederatedByUser => federated(&own, &session.name, Some(Arc::clone(&own.arn))),
            Subject::FederatedByRoot => Identity {
                policies: vec![Arc::clone(&everything.0)],
                ..federated(&own, &session.name, None)
            },
        }
    }
}

/// The session of somebody for whom `by` vouches: it may do what its session policies and those of `by` both allow, and
/// without session policies only what policies of resources allow it by name.
fn federated(by: &Identity, name: &str, user_arn: Option<Arc<str>>) -> Identity {
    let arn = federated_user_arn(by.account, name);
    Identity {
        kind: IdentityKind::FederatedUser { user_arn },
        arn: Arc::clone(&arn),
        principal_arn: arn,
        user_id: federated_user_id(by.account, name).into(),
        user_name: None,
        session: Some(Vec::new()),
        ..by.clone()
    }
}

/// `arn:aws:sts::ACCOUNT:federated-user/NAME`.
pub(super) fn federated_user_arn(account: AccountId, name: &str) -> Arc<str> {
    format!("arn:aws:sts::{account}:federated-user/{name}").into()
}

/// `ACCOUNT:NAME`.
pub(super) fn federated_user_id(account: AccountId, name: &str) -> String {
    format!("{account}:{name}")
}
