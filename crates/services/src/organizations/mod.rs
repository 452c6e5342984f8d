//! Organizations: accounts under one roof, and where they stand in it.
//!
//! State: every organization stands in memory as a tree (`view`), durable as directory records (`record`) in the
//! partition of its management account. A change takes the writers' lock, checks against the view, commits, puts the
//! new value into the view, raises the gate's authorization number, and answers; so what was acknowledged is durable,
//! visible, and binds the next decision.
//!
//! What must stay true:
//! - An account is in at most one organization, and an email address belongs to at most one account of all
//!   organizations.
//! - A request for an account is durable before the account is made, and is taken up at the next start if it was
//!   interrupted: no account is made that nobody knows of.
//! - A change of a control policy, or of what it is attached to, is in the place of every account of the organization
//!   before it is answered.
//! - Only the management account changes an organization, whatever policies say.

mod attachment;
mod control;
mod errors;
mod first_start;
mod limits;
mod not_built;
pub mod operations;
mod organization;
mod page;
mod record;
mod shapes;
#[cfg(test)]
mod tests;
mod validate;
mod view;

pub use errors::OrganizationsError;
pub use first_start::FirstAccess;

use crate::iam::{Accounts, Iam};
use bulla_gate::{Access, AccessRequest, Call, Family, NotBuilt, OrganizationPlace, Service};
use bulla_runtime::Runtime;
use bulla_storage::DirectoryWriter;
use bulla_types::{AccountId, OrganizationId, ParentId, RootId, Timestamp};
use bulla_wire::error::common;
use bulla_wire::{Protocol, ServiceWire};
use bytes::Bytes;
use organization::{Creation, CreationState, Member, Organization};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::Mutex;
use view::{Stored, Tree, View};

/// The state holder: all organizations.
pub struct Organizations {
    runtime: Runtime,
    records: DirectoryWriter,
    accounts: Accounts,
    view: RwLock<View>,
    /// Held from the check of a change until the view shows it.
    writing: Mutex<()>,
}

/// Why organizations could not be opened, for the operator.
#[derive(Debug)]
pub enum OrganizationsOpenError {
    /// The storage failed.
    Storage(bulla_storage::Error),
    /// A stored record is damaged; nothing is skipped.
    Damaged {
        /// The record's name.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The policy engine refused what is built in: a defect.
    Defect(String),
    /// An account whose making was interrupted could not be finished; the log says more.
    Unfinished,
}

impl std::fmt::Display for OrganizationsOpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => write!(formatter, "cannot read the organizations: {error}"),
            Self::Damaged { record, reason } => {
                write!(formatter, "the record `{record}` is damaged: {reason}")
            }
            Self::Defect(what) => formatter.write_str(what),
            Self::Unfinished => {
                formatter.write_str("an account whose making was interrupted cannot be finished")
            }
        }
    }
}

impl std::error::Error for OrganizationsOpenError {}

const ORGANIZATIONS_WIRE: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson11),
    target_prefix: Some("AWSOrganizationsV20161128"),
    error_message_member: "Message",
    ..ServiceWire::new("organizations")
};

impl Service for Organizations {
    const WIRE: &'static ServiceWire = &ORGANIZATIONS_WIRE;
    const PRINCIPAL: &'static str = "organizations.amazonaws.com";
    const FAMILY: Family = Family::Json;
    const NOT_BUILT: NotBuilt = NotBuilt {
        operations: not_built::NOT_BUILT,
        row: common::NOT_BUILT,
    };
}

impl bulla_gate::Organizations for Organizations {
    fn place(&self, account: AccountId) -> Option<Arc<OrganizationPlace>> {
        self.view().place(account)
    }
}

impl Organizations {
    /// Reads all organizations and finishes what was interrupted.
    ///
    /// # Errors
    /// [`OrganizationsOpenError`]; the server does not start with organizations that it cannot read.
    pub async fn open(
        runtime: Runtime,
        records: DirectoryWriter,
        iam: &Arc<Iam>,
    ) -> Result<Arc<Self>, OrganizationsOpenError> {
        let stored = records
            .scan_all(Bytes::from_static(record::PREFIX.as_bytes()))
            .await;
        let mut entries = Vec::new();
        for (_, name, value) in stored.map_err(OrganizationsOpenError::Storage)? {
            let entry = record::decode(&name, &value).map_err(|reason| OrganizationsOpenError::Damaged {
                record: String::from_utf8_lossy(&name).into_owned(),
                reason,
            })?;
            entries.push(entry);
        }
        // A member's place is made from the units above it and from the policies attached to them.
        entries.sort_by_key(rank);
        let full_access = control::full_access().map_err(OrganizationsOpenError::Defect)?;
        let mut view = View::new(full_access);
        view.apply(entries);
        let unfinished = view.unfinished();
        let accounts = Accounts::new(iam);
        let open = Self {
            runtime,
            records,
            accounts,
            view: RwLock::new(view),
            writing: Mutex::new(()),
        };
        for (organization, creation) in unfinished {
            let finished = open
                .finish(organization, creation, open.runtime.clock.now())
                .await;
            finished.map_err(|_| OrganizationsOpenError::Unfinished)?;
        }
        Ok(Arc::new(open))
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        // Nothing panics while it writes; should it, each entry is still whole.
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `change` returns, after looking at the present state, is made durable in one commit and then visible.
    /// All of it belongs to the organization that `owner` manages.
    async fn write<T: Send>(
        &self,
        owner: AccountId,
        change: impl FnOnce(&View) -> Result<(Vec<Stored>, T), OrganizationsError> + Send,
    ) -> Result<T, OrganizationsError> {
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
                tracing::error!(account = %owner, %error, "a part of an organization cannot be encoded");
                OrganizationsError::Internal
            })?;
        let partition = self.records.partition_of(owner.as_str().as_bytes());
        self.records
            .commit(partition, Vec::new(), changes)
            .await
            .map_err(|error| {
                tracing::error!(account = %owner, %error, "a change of an organization was not stored");
                OrganizationsError::Internal
            })?;
        self.view
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(stored);
        drop(writing);
        Ok(answer)
    }

    /// As [`Organizations::write`], on the organization that the caller's account manages; afterwards decisions are
    /// asked anew.
    async fn change<T: Send>(
        &self,
        call: &Call<'_>,
        change: impl FnOnce(&Tree) -> Result<(Vec<Stored>, T), OrganizationsError> + Send,
    ) -> Result<T, OrganizationsError> {
        let owner = call.account();
        let answer = self.write(owner, |view| change(view.managed_by(owner)?)).await?;
        call.authorization_changed();
        Ok(answer)
    }

    /// The organization that the caller's account manages.
    fn managed(&self, call: &Call<'_>) -> Result<Organization, OrganizationsError> {
        self.view()
            .managed_by(call.account())
            .map(|tree| tree.organization)
    }

    /// A new organization with one account: the one that manages it.
    async fn create(
        &self,
        account: AccountId,
        name: &str,
        now: Timestamp,
    ) -> Result<Organization, OrganizationsError> {
        let entropy = &*self.runtime.entropy;
        let (mut id, mut root) = ([0; 10], [0; 4]);
        entropy.fill(&mut id);
        entropy.fill(&mut root);
        let defect = |_| OrganizationsError::Internal;
        let organization = Organization {
            id: OrganizationId::from_entropy(id).map_err(defect)?,
            root: RootId::from_entropy(root).map_err(defect)?,
            management_account: account,
            created: now,
        };
        let manager = Member {
            account,
            name: name.to_owned(),
            // Accounts that Organizations did not make have told no address; this one reaches nobody (RFC 2606).
            email: format!("{account}@accounts.invalid"),
            parent: ParentId::Root(organization.root),
            joined: now,
            created: false,
        };
        self.write(account, |view| {
            if view.of(account).is_ok() {
                return Err(OrganizationsError::AlreadyInOrganization);
            }
            Ok((
                vec![
                    Stored::Organization(organization),
                    Stored::Member(organization.id, manager),
                ],
                organization,
            ))
        })
        .await
    }

    /// Makes the account of a request, and tells that it is done. Done already is done.
    async fn finish(
        &self,
        organization: OrganizationId,
        creation: Creation,
        now: Timestamp,
    ) -> Result<Creation, OrganizationsError> {
        let CreationState::InProgress { account } = creation.state else {
            return Ok(creation);
        };
        let manager = self
            .view()
            .manager(organization)
            .ok_or(OrganizationsError::Internal)?;
        let made = self
            .accounts
            .create_member(account, &creation.role_name, manager, now)
            .await;
        made.map_err(|error| {
            tracing::error!(%account, ?error, "a member account was not made");
            OrganizationsError::Internal
        })?;
        let done = Creation {
            state: CreationState::Succeeded {
                account,
                completed: now,
            },
            ..creation
        };
        self.write(manager, |view| {
            let tree = view.managed_by(manager)?;
            let member = Member {
                account,
                name: done.name.clone(),
                email: done.email.clone(),
                parent: ParentId::Root(tree.organization.root),
                joined: now,
                created: true,
            };
            let id = tree.organization.id;
            Ok((
                vec![Stored::Member(id, member), Stored::Creation(id, done.clone())],
                done,
            ))
        })
        .await
    }
}

/// What is read first.
fn rank(stored: &Stored) -> u8 {
    match stored {
        Stored::Organization(_) | Stored::NoOrganization(_) => 0,
        Stored::Unit(..)
        | Stored::NoUnit(..)
        | Stored::Controls(..)
        | Stored::NoControls(_)
        | Stored::Policy(..)
        | Stored::NoPolicy(..) => 1,
        Stored::Member(..) | Stored::NoMember(..) | Stored::Creation(..) | Stored::NoCreation(..) => 2,
    }
}

/// The question whether `action` is allowed on this resource of the caller's organization.
fn access(action: &'static str, resource: impl Into<Arc<str>>, call: &Call<'_>) -> Access {
    Access::one(AccessRequest::new(action, resource, call.account()))
}

impl std::fmt::Debug for Organizations {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Organizations").finish_non_exhaustive()
    }
}
