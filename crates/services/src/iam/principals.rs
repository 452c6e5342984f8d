//! What STS needs of IAM: access keys, roles and their trust, sessions.

use super::Iam;
use super::accounts::Accounts;
use super::entity::{Account, Role, User};
use super::errors::IamError;
use super::identity;
use super::sought::with_resource_tags;
use super::view::KeyHolder;
use bulla_gate::{AccessRequest, Identity, ResourcePolicy};
use bulla_policy::Policy;
use bulla_runtime::Entropy;
use bulla_types::{AccountId, Arn, Region, Timestamp};
use std::sync::Arc;

pub(crate) use super::ids::{IdKind, secret_access_key, unique_id};

/// The handle for finding principals: read only, but for accounts that come into being.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalLookup(Arc<Iam>);

/// A role that a request names; it may not exist.
#[derive(Clone, Debug)]
pub(crate) struct SoughtRole {
    arn: Arc<str>,
    owner: AccountId,
    role: Option<Arc<Role>>,
    trust: ResourcePolicy,
}

impl PrincipalLookup {
    pub(crate) fn new(iam: &Arc<Iam>) -> Self {
        Self(Arc::clone(iam))
    }

    /// What an access key of a user or root user opens; `None` when it is unknown or inactive.
    pub(crate) fn access_key(&self, id: &str) -> Option<KeyHolder> {
        self.0.view().key(id).filter(|key| key.active).cloned()
    }

    /// The role with this ARN. Of a role that does not exist nobody learns more than of one that trusts nobody.
    pub(crate) fn role(&self, arn: &Arn) -> Option<SoughtRole> {
        let owner = arn.account_id()?;
        let path = arn
            .resource()
            .strip_prefix("role/")
            .filter(|_| arn.service() == "iam" && arn.region().is_empty())?;
        let name = path.rsplit('/').next()?;
        let view = self.0.view();
        let role = view
            .role(owner, name)
            .filter(|role| *role.profile.arn == *arn.as_str());
        let trust = role.as_ref().map_or(view.nobody(), |role| role.trust.effective());
        Some(SoughtRole {
            arn: arn.as_str().into(),
            owner,
            trust: ResourcePolicy::Mandatory(Arc::clone(trust)),
            role,
        })
    }

    /// The role with this unique id.
    pub(crate) fn role_by_id(&self, id: &str) -> Option<Arc<Role>> {
        self.0.view().role_by_id(id).cloned()
    }

    /// The user with this unique id.
    pub(crate) fn user_by_id(&self, id: &str) -> Option<Arc<User>> {
        self.0.view().user_by_id(id)
    }

    /// The account, whose root user it is.
    pub(crate) fn account(&self, id: AccountId) -> Option<Arc<Account>> {
        self.0.view().account(id).cloned()
    }

    /// What a managed policy of this account or of AWS says now.
    pub(crate) fn managed_policy(&self, account: AccountId, arn: &str) -> Option<Arc<Policy>> {
        self.0.view().managed(account, arn)?.binding().cloned()
    }

    /// The account of the user or root user that has an access key, active or not.
    pub(crate) fn account_of_key(&self, id: &str) -> Option<AccountId> {
        self.0.view().key(id).map(|key| key.identity.account)
    }

    /// Notes that an access key signed a request.
    pub(crate) fn used(&self, access_key: &str, service: &str, region: Region, now: Timestamp) {
        self.0.used(access_key, service, region, now);
    }

    /// The root user of an account, which is made if it does not exist.
    pub(crate) async fn open_account(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Arc<Identity>, IamError> {
        Accounts::new(&self.0).ensure(account, now).await
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.0.runtime.entropy
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.runtime.clock.now()
    }
}

impl SoughtRole {
    /// The question whether `action` is allowed on the role, which its trust policy must say.
    pub(crate) fn request(&self, action: &'static str) -> AccessRequest {
        let request = AccessRequest::new(action, Arc::clone(&self.arn), self.owner);
        let request = request.with_policy(self.trust.clone()).across_accounts();
        match &self.role {
            Some(role) => with_resource_tags(request, &role.profile.tags),
            None => request,
        }
    }

    /// The role, if there is one.
    pub(crate) fn found(&self) -> Option<&Arc<Role>> {
        self.role.as_ref()
    }
}

impl User {
    /// The user as the gate sees it.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        identity::user(self)
    }
}

impl Account {
    /// The root user as the gate sees it.
    pub(crate) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}

impl Role {
    /// `AROA…`.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.profile.id
    }

    /// The account that it belongs to.
    pub(crate) fn account(&self) -> AccountId {
        self.profile.account
    }

    /// The longest session, seconds.
    pub(crate) fn max_session_seconds(&self) -> i32 {
        self.max_session_seconds
    }

    /// A session of this role, with the role's own tags and policies.
    pub(crate) fn session(&self, name: &str) -> Identity {
        identity::session(self, name)
    }
}
