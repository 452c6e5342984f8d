//! Whom a request means, and what it asks the policies.
//!
//! Permission comes before existence: a user who may not see another user does not learn whether there is one.

use super::Iam;
use super::entity::{AccessKey, Account, Entity, User, entity_arn};
use super::errors::IamError;
use super::limits::EXISTING_NAME_CHARS_MAX;
use super::validate::{self, Tags};
use bulla_gate::{Access, AccessRequest, Call, IdentityKind};
use bulla_types::AccountId;
use std::sync::Arc;

/// A user or role of the caller's account, which may not exist.
#[derive(Clone, Debug)]
pub(crate) struct Sought<E> {
    pub(super) account: AccountId,
    pub(super) name: String,
    arn: Arc<str>,
    found: Option<Arc<E>>,
}

impl<E: Entity> Sought<E> {
    /// Its ARN, also when it does not exist.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// The question whether `action` is allowed on it.
    pub(super) fn request(&self, action: &'static str) -> AccessRequest {
        let request = AccessRequest::new(action, Arc::clone(&self.arn), self.account);
        match &self.found {
            Some(found) => with_resource_tags(request, &found.profile().tags),
            None => request,
        }
    }

    /// That question alone.
    pub(super) fn access(&self, action: &'static str) -> Access {
        Access::one(self.request(action))
    }

    /// As [`Sought::request`], for actions that change what somebody may do: with the permissions boundary there is
    /// (`iam:PermissionsBoundary`).
    pub(super) fn bounded_request(&self, action: &'static str) -> AccessRequest {
        let request = self.request(action);
        let boundary = self
            .found
            .as_ref()
            .and_then(|found| found.profile().boundary.clone());
        match boundary {
            Some(arn) => request.with_key("iam:PermissionsBoundary", &*arn),
            None => request,
        }
    }

    /// The one that was found.
    pub(super) fn found(&self) -> Result<&Arc<E>, IamError> {
        self.found.as_ref().ok_or_else(|| E::missing(&self.name))
    }
}

/// Whose access keys are meant.
#[derive(Clone, Debug)]
pub(crate) enum KeyOwner {
    /// The root user's.
    Root(Arc<Account>),
    /// A user's.
    User(Sought<User>),
}

impl KeyOwner {
    /// The question whether `action` is allowed on the owner.
    pub(super) fn access(&self, action: &'static str) -> Access {
        match self {
            Self::Root(account) => {
                let request = AccessRequest::new(action, Arc::clone(&account.identity.arn), account.id);
                Access::one(request)
            }
            Self::User(user) => user.access(action),
        }
    }

    /// The keys there are.
    pub(super) fn keys(&self) -> Result<&[AccessKey], IamError> {
        match self {
            Self::Root(account) => Ok(&account.keys),
            Self::User(user) => Ok(&user.found()?.keys),
        }
    }

    /// The owner's unique id; the root user's is the account.
    pub(super) fn id(&self) -> Result<Arc<str>, IamError> {
        match self {
            Self::Root(account) => Ok(account.id.as_str().into()),
            Self::User(user) => Ok(Arc::clone(&user.found()?.profile.id)),
        }
    }

    /// The user's name; the root user has none.
    pub(super) fn user_name(&self) -> Option<String> {
        match self {
            Self::Root(_) => None,
            Self::User(user) => Some(user.name.clone()),
        }
    }
}

impl Iam {
    /// The user or role of that name in the caller's account.
    pub(super) fn seek<E: Entity>(&self, call: &Call<'_>, name: &str) -> Result<Sought<E>, IamError> {
        validate::name(name, &format!("{}Name", E::KIND), EXISTING_NAME_CHARS_MAX)?;
        let account = call.account();
        let found = E::find(&self.view(), account, name);
        let arn = match &found {
            Some(found) => Arc::clone(&found.profile().arn),
            None => entity_arn(account, E::KIND, "/", name),
        };
        Ok(Sought {
            account,
            name: name.to_owned(),
            arn,
            found,
        })
    }

    /// The user of that name, or the caller where the request names nobody.
    pub(super) fn seek_key_owner(&self, call: &Call<'_>, name: Option<&str>) -> Result<KeyOwner, IamError> {
        if let Some(name) = name {
            return self.seek(call, name).map(KeyOwner::User);
        }
        let identity = call.caller().identity();
        match identity.kind {
            IdentityKind::Root => {
                let account = self.view().account(call.account()).cloned();
                account.map(KeyOwner::Root).ok_or(IamError::Internal)
            }
            IdentityKind::User => self
                .seek(call, identity.user_name.as_deref().unwrap_or_default())
                .map(KeyOwner::User),
            IdentityKind::AssumedRole | IdentityKind::FederatedUser { .. } | IdentityKind::Service => {
                Err(IamError::Validation {
                    reason: "Must specify userName when calling with non-User credentials".to_owned(),
                })
            }
        }
    }
}

/// The question about a user or role that is to be.
pub(super) fn request_for_new(
    action: &'static str,
    arn: &Arc<str>,
    account: AccountId,
    tags: &Tags,
) -> AccessRequest {
    with_request_tags(AccessRequest::new(action, Arc::clone(arn), account), tags)
}

/// With the tags that the request carries.
pub(super) fn with_request_tags(mut request: AccessRequest, tags: &Tags) -> AccessRequest {
    for tag in tags.values() {
        request = request.with_key(format!("aws:RequestTag/{}", tag.key), tag.value.clone());
    }
    if tags.is_empty() {
        return request;
    }
    request.with_keys("aws:TagKeys", tags.values().map(|tag| tag.key.clone()).collect())
}

/// With the tags that the resource has.
pub(crate) fn with_resource_tags(mut request: AccessRequest, tags: &Tags) -> AccessRequest {
    for tag in tags.values() {
        for family in ["aws:ResourceTag", "iam:ResourceTag"] {
            request = request.with_key(format!("{family}/{}", tag.key), tag.value.clone());
        }
    }
    request
}
