//! The first start: an organization, its management account, and one access key for that account's root user.

use super::Organizations;
use super::errors::OrganizationsError;
use bulla_gate::SecretAccessKey;
use bulla_types::{AccountId, OrganizationId};
use std::sync::Arc;

/// What the first start made; the secret is told to the operator this once.
#[derive(Debug)]
pub struct FirstAccess {
    /// The management account.
    pub account: AccountId,
    /// The organization.
    pub organization: OrganizationId,
    /// `AKIA…`.
    pub access_key_id: Arc<str>,
    /// The secret that belongs to it.
    pub secret_access_key: Arc<SecretAccessKey>,
}

impl Organizations {
    /// Makes the organization, its management account and a root access key, if there is no account yet. A first
    /// start that was interrupted is taken up where it ended.
    ///
    /// `management_account` is its id if that matters (open mode); otherwise one is drawn.
    ///
    /// # Errors
    /// [`OrganizationsError::Internal`]: the storage failed; the log says more.
    pub async fn first_start(
        &self,
        management_account: Option<AccountId>,
    ) -> Result<Option<FirstAccess>, OrganizationsError> {
        if !self.accounts.none() {
            return Ok(None);
        }
        let now = self.runtime.clock.now();
        let begun = self.view().any().map(|tree| tree.organization);
        let organization = if let Some(organization) = begun {
            organization
        } else {
            let drawn = || AccountId::from_entropy(self.runtime.entropy.number());
            self.create(management_account.unwrap_or_else(drawn), "management", now)
                .await?
        };
        let account = organization.management_account;
        let made = self.accounts.create_root_key(account, now).await;
        let (access_key_id, secret_access_key) = made.map_err(|_| OrganizationsError::Internal)?;
        Ok(Some(FirstAccess {
            account,
            organization: organization.id,
            access_key_id,
            secret_access_key,
        }))
    }
}
