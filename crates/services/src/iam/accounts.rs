//! What Organizations and the first start need of IAM: making accounts.

use super::Iam;
use super::entity::{Account, Entity, Naming, Profile, Role, Stored};
use super::errors::IamError;
use super::identity;
use super::ids::{IdKind, unique_id};
use super::limits::SESSION_SECONDS_DEFAULT;
use super::trust::Trust;
use super::validate::{self, Tags};
use bulla_gate::{Identity, SecretAccessKey};
use bulla_types::{AccountId, Timestamp};
use std::sync::Arc;

/// The handle for making accounts. Not a way around the gate: it is used inside operations that the gate allowed,
/// and before there is anybody to ask.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(Arc<Iam>);

/// The policy of the role by which the management account enters a member account.
const ADMINISTRATOR_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

impl Accounts {
    pub(crate) fn new(iam: &Arc<Iam>) -> Self {
        Self(Arc::clone(iam))
    }

    /// Whether there is no account at all.
    pub(crate) fn none(&self) -> bool {
        self.0.view().is_empty()
    }

    /// Whether there is such an account.
    pub(crate) fn exists(&self, account: AccountId) -> bool {
        self.0.view().account(account).is_some()
    }

    /// Makes an account if it does not exist.
    pub(crate) async fn ensure(&self, account: AccountId, now: Timestamp) -> Result<Arc<Identity>, IamError> {
        if let Some(found) = self.0.view().account(account) {
            return Ok(Arc::clone(&found.identity));
        }
        self.0
            .write(account, |view| {
                if let Some(found) = view.account(account) {
                    return Ok((Vec::new(), Arc::clone(&found.identity)));
                }
                let new = new_account(account, now);
                let identity = Arc::clone(&new.identity);
                Ok((vec![Stored::Account(new)], identity))
            })
            .await
    }

    /// Makes a member account with the role by which `manager`, the management account, enters it. Done already is
    /// done.
    pub(crate) async fn create_member(
        &self,
        account: AccountId,
        role_name: &str,
        manager: AccountId,
        now: Timestamp,
    ) -> Result<(), IamError> {
        self.ensure(account, now).await?;
        let id = unique_id(IdKind::Role, &*self.0.runtime.entropy);
        self.0
            .write(account, |view| {
                if view.role_name_taken(account, role_name) {
                    return Ok((Vec::new(), ()));
                }
                let text = format!(
                    r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{manager}:root"}},"Action":"sts:AssumeRole"}}]}}"#
                );
                let naming = Naming {
                    account,
                    id: id.into(),
                    path: "/".to_owned(),
                    name: role_name.to_owned(),
                };
                let mut role = Role {
                    profile: Profile::new::<Role>(naming, now, Tags::new()),
                    trust: Trust::new(&text, view)?,
                    description: None,
                    max_session_seconds: SESSION_SECONDS_DEFAULT,
                };
                role.put_policy("AdministratorAccess", ADMINISTRATOR_ACCESS)?;
                Ok((vec![Stored::Role(role)], ()))
            })
            .await
    }

    /// A first access key for the root user of a new account; the secret is told this once.
    pub(crate) async fn create_root_key(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(Arc<str>, Arc<SecretAccessKey>), IamError> {
        let key = self.0.new_access_key(account, account.as_str(), now)?;
        let told = (Arc::clone(&key.id), Arc::clone(&key.secret));
        self.0
            .write(account, |view| {
                let mut root = match view.account(account) {
                    Some(found) => Account::clone(found),
                    None => new_account(account, now),
                };
                root.keys.push(key);
                Ok((vec![Stored::Account(root)], told))
            })
            .await
    }

    /// Whether a name is one that a role can have.
    pub(crate) fn is_role_name(name: &str) -> bool {
        validate::name(name, "roleName", super::limits::NAME_CHARS_MAX).is_ok()
    }
}

fn new_account(account: AccountId, now: Timestamp) -> Account {
    Account {
        id: account,
        created: now,
        keys: Vec::new(),
        alias: None,
        identity: identity::root(account),
    }
}
