//! What an organization is: a root, units below it, accounts in them.

use bulla_types::{AccountId, OrganizationId, OrganizationalUnitId, ParentId, RootId, Timestamp};

/// An organization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Organization {
    pub(super) id: OrganizationId,
    pub(super) root: RootId,
    pub(super) management_account: AccountId,
    pub(super) created: Timestamp,
}

/// An organizational unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(super) id: OrganizationalUnitId,
    pub(super) name: String,
    pub(super) parent: ParentId,
}

/// An account of the organization.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(super) account: AccountId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) parent: ParentId,
    pub(super) joined: Timestamp,
    /// Whether Organizations made it.
    pub(super) created: bool,
}

/// A request for an account.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    /// `car-…`.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role_name: String,
    pub(super) requested: Timestamp,
    pub(super) state: CreationState,
}

/// How far a request for an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreationState {
    /// The account's id is chosen; the account is being made.
    InProgress { account: AccountId },
    /// Done.
    Succeeded {
        account: AccountId,
        completed: Timestamp,
    },
    /// Another account has the email address.
    EmailExists { completed: Timestamp },
}

impl Creation {
    /// Whether the account is still being made.
    pub(super) fn is_in_progress(&self) -> bool {
        match self.state {
            CreationState::InProgress { .. } => true,
            CreationState::Succeeded { .. } | CreationState::EmailExists { .. } => false,
        }
    }
}

impl Organization {
    /// `arn:aws:organizations::MANAGEMENT:KIND/o-…`, and what follows.
    fn arn_of(&self, kind: &str, rest: &str) -> String {
        format!(
            "arn:aws:organizations::{}:{kind}/{}{rest}",
            self.management_account, self.id
        )
    }

    /// Of the organization.
    pub(super) fn arn(&self) -> String {
        self.arn_of("organization", "")
    }

    /// Of an account in it.
    pub(super) fn account_arn(&self, account: AccountId) -> String {
        self.arn_of("account", &format!("/{account}"))
    }

    /// Of a unit in it.
    pub(super) fn unit_arn(&self, unit: OrganizationalUnitId) -> String {
        self.arn_of("ou", &format!("/{unit}"))
    }

    /// Of a root or unit.
    pub(super) fn parent_arn(&self, parent: ParentId) -> String {
        match parent {
            ParentId::Root(root) => self.arn_of("root", &format!("/{root}")),
            ParentId::Unit(unit) => self.unit_arn(unit),
        }
    }
}
