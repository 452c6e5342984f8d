//! Principals as the gate sees them.

use super::entity::{Profile, Role, User};
use bulla_gate::{Identity, IdentityKind};
use bulla_types::AccountId;
use std::sync::Arc;

/// The root user of an account.
pub(super) fn root(account: AccountId) -> Arc<Identity> {
    let arn: Arc<str> = format!("arn:aws:iam::{account}:root").into();
    Arc::new(Identity {
        kind: IdentityKind::Root,
        account,
        arn: Arc::clone(&arn),
        principal_arn: arn,
        user_id: account.as_str().into(),
        user_name: None,
        tags: Vec::new(),
        policies: Vec::new(),
        boundary: None,
        session: None,
        token_issued: None,
        source_identity: None,
    })
}

/// A user.
pub(super) fn user(user: &User) -> Arc<Identity> {
    let profile = &user.profile;
    Arc::new(Identity {
        kind: IdentityKind::User,
        account: profile.account,
        arn: Arc::clone(&profile.arn),
        principal_arn: Arc::clone(&profile.arn),
        user_id: Arc::clone(&profile.id),
        user_name: Some(profile.name.as_str().into()),
        tags: tags(profile),
        policies: profile.effective.policies.clone(),
        boundary: profile.effective.boundary.clone(),
        session: None,
        token_issued: None,
        source_identity: None,
    })
}

/// A session of a role, without what the session itself brings.
pub(super) fn session(role: &Role, name: &str) -> Identity {
    let profile = &role.profile;
    Identity {
        kind: IdentityKind::AssumedRole,
        account: profile.account,
        arn: session_arn(role, name),
        principal_arn: Arc::clone(&profile.arn),
        user_id: format!("{}:{name}", profile.id).into(),
        user_name: None,
        tags: tags(profile),
        policies: profile.effective.policies.clone(),
        boundary: profile.effective.boundary.clone(),
        session: None,
        token_issued: None,
        source_identity: None,
    }
}

/// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`; the role's path is left out.
pub(super) fn session_arn(role: &Role, name: &str) -> Arc<str> {
    format!(
        "arn:aws:sts::{}:assumed-role/{}/{name}",
        role.profile.account, role.profile.name
    )
    .into()
}

fn tags(profile: &Profile) -> Vec<(String, String)> {
    profile
        .tags
        .values()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}
