//! Managed policies: documents with versions, of an account or of AWS.
//!
//! Every version stands compiled; what is attached is always the default version. A policy that somebody has cannot
//! be deleted, so that an attachment never points to nothing.

use super::Iam;
use super::documents::{compile, labelled_managed};
use super::errors::IamError;
use super::limits::{POLICY_ARN_CHARS_MAX, POLICY_ARN_CHARS_MIN, POLICY_VERSIONS_MAX};
use super::sought::with_resource_tags;
use super::validate::Tags;
use bulla_gate::{Access, AccessRequest, Call};
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_types::{AccountId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One version of a managed policy.
#[derive(Clone, Debug)]
pub(crate) struct PolicyVersion {
    pub(super) created: Timestamp,
    pub(super) policy: Arc<Policy>,
}

/// A managed policy.
#[derive(Clone, Debug)]
pub(crate) struct ManagedPolicy {
    /// `None`: of AWS.
    pub(super) account: Option<AccountId>,
    /// `ANPA…`.
    pub(super) id: Arc<str>,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) arn: Arc<str>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) description: Option<String>,
    pub(super) tags: Tags,
    /// 1 to [`POLICY_VERSIONS_MAX`] of them, by number.
    pub(super) versions: BTreeMap<u32, PolicyVersion>,
    /// The number of the version that binds.
    pub(super) default: u32,
    /// The highest number that was ever given: none is given twice.
    pub(super) last: u32,
}

/// `arn:aws:iam::ACCOUNT:policy/PATH/NAME`; `aws` in place of the account for those of AWS.
pub(super) fn policy_arn(account: Option<AccountId>, path: &str, name: &str) -> Arc<str> {
    match account {
        Some(account) => format!("arn:aws:iam::{account}:policy{path}{name}").into(),
        None => format!("arn:aws:iam::aws:policy{path}{name}").into(),
    }
}

/// Compiles a document that is to be stored.
pub(super) fn managed_document(text: &str, name: &str) -> Result<Arc<Policy>, IamError> {
    let policy = compile(text, PolicyKind::Identity(IdentityOwner::Managed))?;
    Ok(labelled_managed(policy, name))
}

/// `v1` and so on.
pub(super) fn version_id(number: u32) -> String {
    format!("v{number}")
}

/// The number in `v1`.
pub(super) fn version_number(id: &str) -> Result<u32, IamError> {
    let digits = id
        .strip_prefix('v')
        .filter(|digits| !digits.starts_with(['0', '+']));
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| IamError::Validation {
            reason: format!(
                "1 validation error detected: Value '{id}' at 'versionId' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: v[1-9][0-9]*"
            ),
        })
}

impl ManagedPolicy {
    /// The document that binds.
    pub(super) fn binding(&self) -> Option<&Arc<Policy>> {
        self.versions.get(&self.default).map(|version| &version.policy)
    }

    /// A version that exists.
    pub(super) fn version(&self, number: u32) -> Result<&PolicyVersion, IamError> {
        self.versions.get(&number).ok_or_else(|| self.no_version(number))
    }

    /// Adds a version, which binds if it is to be the default.
    pub(super) fn add_version(&mut self, text: &str, default: bool, now: Timestamp) -> Result<u32, IamError> {
        if self.versions.len() >= POLICY_VERSIONS_MAX {
            let reason = format!(
                "A managed policy can have up to {POLICY_VERSIONS_MAX} versions. Before you create a new version, you \
                 must delete an existing version."
            );
            return Err(IamError::LimitExceeded { reason });
        }
        let policy = managed_document(text, &self.name)?;
        let number = self.last.saturating_add(1);
        let version = PolicyVersion { created: now, policy };
        self.versions.insert(number, version);
        self.last = number;
        self.updated = now;
        if default {
            self.default = number;
        }
        Ok(number)
    }

    /// Makes a version the one that binds.
    pub(super) fn set_default(&mut self, number: u32, now: Timestamp) -> Result<(), IamError> {
        self.version(number)?;
        self.default = number;
        self.updated = now;
        Ok(())
    }

    /// Removes a version that does not bind.
    pub(super) fn remove_version(&mut self, number: u32) -> Result<(), IamError> {
        self.version(number)?;
        if number == self.default {
            return Err(IamError::DeleteConflict {
                reason: "Cannot delete the default version of a policy.",
            });
        }
        self.versions.remove(&number);
        Ok(())
    }

    fn no_version(&self, number: u32) -> IamError {
        let arn = &self.arn;
        IamError::NotFound {
            reason: format!("Policy {arn} version v{number} does not exist or is not attachable."),
        }
    }
}

/// A managed policy that a request names; it may not exist.
#[derive(Clone, Debug)]
pub(crate) struct SoughtPolicy {
    account: AccountId,
    pub(super) arn: Arc<str>,
    found: Option<Arc<ManagedPolicy>>,
}

impl SoughtPolicy {
    /// The question whether `action` is allowed on it.
    pub(super) fn request(&self, action: &'static str) -> AccessRequest {
        let request = AccessRequest::new(action, Arc::clone(&self.arn), self.account);
        match &self.found {
            Some(found) => with_resource_tags(request, &found.tags),
            None => request,
        }
    }

    /// That question alone.
    pub(super) fn access(&self, action: &'static str) -> Access {
        Access::one(self.request(action))
    }

    /// The one that was found.
    pub(super) fn found(&self) -> Result<&Arc<ManagedPolicy>, IamError> {
        self.found.as_ref().ok_or_else(|| self.missing())
    }

    /// There is none of that ARN.
    pub(super) fn missing(&self) -> IamError {
        IamError::NotFound {
            reason: format!("Policy {} was not found.", self.arn),
        }
    }

    /// There is none of that ARN that could be attached.
    pub(super) fn not_attachable(&self) -> IamError {
        IamError::NotFound {
            reason: format!("Policy {} does not exist or is not attachable.", self.arn),
        }
    }
}

impl Iam {
    /// The managed policy of this ARN: of the caller's account, or of AWS. Of other accounts' nobody learns anything.
    pub(super) fn seek_policy(&self, call: &Call<'_>, arn: &str) -> Result<SoughtPolicy, IamError> {
        let length = arn.chars().count();
        if !(POLICY_ARN_CHARS_MIN..=POLICY_ARN_CHARS_MAX).contains(&length) {
            return Err(IamError::Validation {
                reason: format!(
                    "1 validation error detected: Value at 'policyArn' failed to satisfy constraint: Member must have \
                     length between {POLICY_ARN_CHARS_MIN} and {POLICY_ARN_CHARS_MAX}"
                ),
            });
        }
        if !is_policy_arn(arn) {
            return Err(IamError::InvalidInput {
                reason: format!("ARN {arn} is not valid."),
            });
        }
        let account = call.account();
        Ok(SoughtPolicy {
            account: owner(arn).unwrap_or(account),
            arn: arn.into(),
            found: self.view().managed(account, arn),
        })
    }

    /// The permissions boundary that a request names, if it names one.
    pub(super) fn seek_boundary(
        &self,
        call: &Call<'_>,
        arn: Option<&str>,
    ) -> Result<Option<SoughtPolicy>, IamError> {
        arn.map(|arn| self.seek_policy(call, arn)).transpose()
    }

    /// Changes a managed policy of the caller's account.
    pub(super) async fn update_policy<T: Send>(
        &self,
        call: &Call<'_>,
        sought: &SoughtPolicy,
        edit: impl FnOnce(&mut ManagedPolicy) -> Result<T, IamError> + Send,
    ) -> Result<T, IamError> {
        let id = Arc::clone(&sought.found()?.id);
        self.change(call, |view| {
            let found = view.managed(call.account(), &sought.arn);
            let found = found.filter(|found| found.id == id);
            let mut policy = ManagedPolicy::clone(&*found.ok_or_else(|| sought.missing())?);
            if policy.account.is_none() {
                return Err(IamError::NotYours {
                    arn: policy.arn.to_string(),
                });
            }
            let answer = edit(&mut policy)?;
            Ok((vec![super::entity::Stored::Policy(policy)], answer))
        })
        .await
    }
}

/// The account that an ARN names; AWS's policies name none.
fn owner(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4).and_then(|text| AccountId::parse(text).ok())
}

/// `arn:aws:iam::`, an account or `aws`, `:policy/` and more.
fn is_policy_arn(text: &str) -> bool {
    let parts = text
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(':'));
    parts.is_some_and(|(owner, resource)| {
        let owned = owner == "aws" || AccountId::parse(owner).is_ok();
        owned
            && resource
                .strip_prefix("policy/")
                .is_some_and(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_a_v_and_a_number_from_one() {
        assert_eq!(version_number("v12").unwrap(), 12);
        for wrong in ["", "v", "v0", "v01", "v+1", "1", "V1", "v4294967296"] {
            assert!(version_number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn policies_belong_to_an_account_or_to_aws() {
        assert!(is_policy_arn("arn:aws:iam::aws:policy/service-role/X"));
        assert!(is_policy_arn("arn:aws:iam::111122223333:policy/X"));
        for wrong in [
            "arn:aws:iam::111122223333:role/X",
            "arn:aws:sqs::111122223333:policy/X",
            "arn:aws:iam:::policy/X",
            "policy/X",
        ] {
            assert!(!is_policy_arn(wrong), "{wrong}");
        }
    }
}
