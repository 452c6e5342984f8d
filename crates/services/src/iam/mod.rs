//! Identity and Access Management: accounts' root users, users, groups, roles, access keys, inline and managed policies.
//!
//! State: everything stands compiled in memory (`view`), each account, user, group, role and managed policy durable as one directory record
//! (`record`) with the secrets of its access keys wrapped. A change takes the writers' lock, checks against the view,
//! commits, puts the new value into the view, raises the gate's authorization number, and answers; so what was
//! acknowledged is durable, visible, and binds the next decision.
//!
//! What must stay true:
//! - A unique id is never given twice, and whatever must mean the same principal tomorrow (sessions, trust) holds the
//!   id, not the name.
//! - A secret access key leaves the server once, in the answer of the operation that makes it.
//! - A change of a managed policy or group makes anew what binds each user and role that has it, before it is answered.
//! - A service-linked role is changed by nobody but the service.
//! - Principals change IAM of their own account only.

mod accounts;
mod attachments;
mod aws_managed;
mod details;
mod documents;
mod entity;
mod errors;
mod identity;
mod ids;
mod last_used;
mod limits;
mod managed;
mod not_built;
pub mod operations;
mod page;
mod principals;
mod record;
mod secret_text;
mod service_linked;
mod shapes;
mod simulation;
mod simulation_shapes;
mod sought;
#[cfg(test)]
mod tests;
mod trust;
mod validate;
mod view;

pub(crate) use accounts::Accounts;
pub(crate) use entity::{Account, Role, User};
pub use errors::IamError;
pub(crate) use principals::{IdKind, PrincipalLookup, SoughtRole, secret_access_key, unique_id};
pub(crate) use secret_text::SecretText;

use bulla_envelope::{InstanceKey, Purpose, SecretKey};
use bulla_gate::{Call, CommonError, Family, Identity, IdentityKind, NotBuilt, Service};
use bulla_runtime::Runtime;
use bulla_storage::DirectoryWriter;
use bulla_types::{AccountId, Timestamp};
use bulla_wire::ServiceWire;
use bulla_wire::error::common;
use bytes::Bytes;
use entity::{AccessKey, Entity, Stored};
use last_used::LastUsed;
use service_linked::Deletions;
use sought::{KeyOwner, Sought};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::Mutex;
use view::View;

/// The state holder: all principals of all accounts.
pub struct Iam {
    runtime: Runtime,
    records: DirectoryWriter,
    /// Wraps the secrets of access keys.
    wrapping: SecretKey,
    view: RwLock<View>,
    /// Held from the check of a change until the view shows it.
    writing: Mutex<()>,
    last_used: LastUsed,
    deletions: Deletions,
}

/// Which accounts a trust policy may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownAccounts {
    /// Those that were made, as at AWS.
    Made,
    /// All: accounts come into being when first used (open mode).
    All,
}

/// Why principals could not be opened, for the operator.
#[derive(Debug)]
pub enum IamOpenError {
    /// The storage failed.
    Storage(bulla_storage::Error),
    /// A stored account, user or role is damaged; nothing is skipped.
    Damaged {
        /// The record's name.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The cryptographic library or the policy engine refused what is built in: a defect.
    Defect(&'static str),
}

impl std::fmt::Display for IamOpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => write!(formatter, "cannot read the principals: {error}"),
            Self::Damaged { record, reason } => {
                write!(formatter, "the record `{record}` is damaged: {reason}")
            }
            Self::Defect(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for IamOpenError {}

const IAM_WIRE: ServiceWire = ServiceWire {
    query_version: Some("2010-05-08"),
    xmlns: "https://iam.amazonaws.com/doc/2010-05-08/",
    ..ServiceWire::new("iam")
};

impl Service for Iam {
    const WIRE: &'static ServiceWire = &IAM_WIRE;
    const PRINCIPAL: &'static str = "iam.amazonaws.com";
    const FAMILY: Family = Family::Query;
    const NOT_BUILT: NotBuilt = NotBuilt {
        operations: not_built::NOT_BUILT,
        row: common::NOT_BUILT,
    };

    /// Sessions of `GetSessionToken` without MFA and of `GetFederationToken` cannot call IAM (IAM User Guide, "Compare
    /// AWS STS credentials").
    fn bars(identity: &Identity, _: &str) -> Option<CommonError> {
        match identity.kind {
            IdentityKind::Root | IdentityKind::User => {
                identity.token_issued.map(|_| CommonError::UnknownAccessKey)
            }
            IdentityKind::FederatedUser { .. } => Some(CommonError::UnknownAccessKey),
            IdentityKind::AssumedRole | IdentityKind::Service => None,
        }
    }
}

impl Iam {
    /// Reads all principals.
    ///
    /// # Errors
    /// [`IamOpenError`]; the server does not start with principals that it cannot read.
    pub async fn open(
        runtime: Runtime,
        records: DirectoryWriter,
        instance: &InstanceKey,
        accounts: KnownAccounts,
    ) -> Result<Arc<Self>, IamOpenError> {
        let wrapping = instance
            .derive(Purpose::AccessKeys, &[])
            .map_err(|_| IamOpenError::Defect("the key that wraps access keys cannot be derived"))?;
        let nobody = trust::nobody().map_err(IamOpenError::Defect)?;
        let aws_policies = aws_managed::all().map_err(IamOpenError::Defect)?;
        let mut view = View::new(nobody, aws_policies, accounts == KnownAccounts::All);
        let stored = records
            .scan_all(Bytes::from_static(record::PREFIX.as_bytes()))
            .await;
        for (_, name, value) in stored.map_err(IamOpenError::Storage)? {
            let entry = record::decode(&name, &value, &wrapping).map_err(|reason| IamOpenError::Damaged {
                record: String::from_utf8_lossy(&name).into_owned(),
                reason,
            })?;
            view.apply(vec![entry]);
        }
        view.settle().map_err(|(arn, reason)| IamOpenError::Damaged {
            record: arn.to_string(),
            reason,
        })?;
        let stored = records
            .scan_all(Bytes::from_static(last_used::PREFIX.as_bytes()))
            .await
            .map_err(IamOpenError::Storage)?;
        let stored = stored.into_iter().map(|(_, name, value)| (name, value));
        let tasks = Arc::clone(&runtime.tasks);
        let last_used = LastUsed::stored(stored.collect(), &view, records.clone(), tasks)
            .map_err(|(record, reason)| IamOpenError::Damaged { record, reason })?;
        Ok(Arc::new(Self {
            runtime,
            records,
            wrapping,
            view: RwLock::new(view),
            writing: Mutex::new(()),
            last_used,
            deletions: Deletions::default(),
        }))
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        // Nothing panics while it writes; should it, each entry is still whole.
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `change` returns, after looking at the present state, is made durable in one commit and then visible.
    /// All of it belongs to one account.
    async fn write<T: Send>(
        &self,
        account: AccountId,
        change: impl FnOnce(&View) -> Result<(Vec<Stored>, T), IamError> + Send,
    ) -> Result<T, IamError> {
        let writing = self.writing.lock().await;
        let (stored, answer) = change(&self.view())?;
        if stored.is_empty() {
            return Ok(answer);
        }
        let changes = stored
            .iter()
            .map(record::change)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                tracing::error!(%account, %error, "a principal cannot be encoded");
                IamError::Internal
            })?;
        let partition = self.records.partition_of(account.as_str().as_bytes());
        self.records
            .commit(partition, Vec::new(), changes)
            .await
            .map_err(|error| {
                tracing::error!(%account, %error, "a change of principals was not stored");
                IamError::Internal
            })?;
        self.view
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(stored);
        drop(writing);
        Ok(answer)
    }

    /// As [`Iam::write`], in the caller's account; afterwards decisions are asked anew.
    async fn change<T: Send>(
        &self,
        call: &Call<'_>,
        change: impl FnOnce(&View) -> Result<(Vec<Stored>, T), IamError> + Send,
    ) -> Result<T, IamError> {
        let answer = self.write(call.account(), change).await?;
        call.authorization_changed();
        Ok(answer)
    }

    /// Changes a user or role that exists.
    async fn update<E: Entity>(
        &self,
        call: &Call<'_>,
        sought: &Sought<E>,
        edit: impl FnOnce(&mut E) -> Result<(), IamError> + Send,
    ) -> Result<(), IamError> {
        let id = Arc::clone(&sought.found()?.profile().id);
        self.change(call, |view| {
            let mut entity = E::clone(&*current::<E>(view, sought, &id)?);
            edit(&mut entity)?;
            Ok((vec![entity.put()], ()))
        })
        .await
    }

    /// Changes the access keys of a user or root user.
    async fn change_keys(
        &self,
        call: &Call<'_>,
        owner: &KeyOwner,
        edit: impl FnOnce(&mut Vec<AccessKey>) -> Result<(), IamError> + Send,
    ) -> Result<(), IamError> {
        match owner {
            KeyOwner::User(user) => self.update(call, user, |user| edit(&mut user.keys)).await,
            KeyOwner::Root(account) => {
                self.change(call, |view| {
                    let found = view.account(account.id).ok_or(IamError::Internal)?;
                    let mut account = Account::clone(found);
                    edit(&mut account.keys)?;
                    Ok((vec![Stored::Account(account)], ()))
                })
                .await
            }
        }
    }

    /// A new access key; nothing is stored yet.
    fn new_access_key(&self, account: AccountId, owner: &str, now: Timestamp) -> Result<AccessKey, IamError> {
        let entropy = &*self.runtime.entropy;
        let id = unique_id(IdKind::AccessKey, entropy);
        let secret = secret_access_key(entropy);
        let wrapped =
            record::wrap_secret(&self.wrapping, account, owner, &id, &secret, entropy).map_err(|error| {
                tracing::error!(%account, %error, "the secret of an access key cannot be wrapped");
                IamError::Internal
            })?;
        Ok(AccessKey {
            id: id.into(),
            secret: Arc::new(secret),
            wrapped,
            active: true,
            created: now,
        })
    }
}

/// The present value of what a call found before it waited for the writers' lock.
fn current<E: Entity>(view: &View, sought: &Sought<E>, id: &str) -> Result<Arc<E>, IamError> {
    let found = E::find(view, sought.account, &sought.name).filter(|found| *found.profile().id == *id);
    found.ok_or_else(|| E::missing(&sought.name))
}

impl std::fmt::Debug for Iam {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Iam").finish_non_exhaustive()
    }
}
