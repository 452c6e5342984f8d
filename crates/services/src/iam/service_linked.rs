//! Service-linked roles: made for one service, trusted by it alone, changed by nobody else.
//!
//! They are told apart by their path, which no other role can have. Control policies do not bind their sessions.
//! Those stand here that a service of this server has at AWS; SQS, SNS and STS have none.
//!
//! Source: IAM User Guide, "Service-linked roles"; Organizations User Guide, "`AWSServiceRoleForOrganizations`"; KMS
//! Developer Guide, "Authorizing AWS KMS to synchronize multi-Region keys" (read 2026-11-21).

use super::entity::{Entity, Profile, Role};
use super::errors::IamError;
use bulla_types::AccountId;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Paths of service-linked roles, and of the managed policies that only they have, begin so.
pub(super) const PATH_PREFIX: &str = "/aws-service-role/";
/// Deletions that are remembered until the server ends.
const DELETIONS_MAX: usize = 1_000;

/// A service that has a role.
#[derive(Debug)]
pub(crate) struct LinkedService {
    /// `organizations.amazonaws.com`
    pub(super) service: &'static str,
    pub(super) role_name: &'static str,
    /// The managed policy that is attached to it.
    pub(super) policy_arn: &'static str,
}

const SERVICES: &[LinkedService] = &[
    LinkedService {
        service: "mrk.kms.amazonaws.com",
        role_name: "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
        policy_arn: "arn:aws:iam::aws:policy/aws-service-role/AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
    },
    LinkedService {
        service: "organizations.amazonaws.com",
        role_name: "AWSServiceRoleForOrganizations",
        policy_arn: "arn:aws:iam::aws:policy/aws-service-role/AWSOrganizationsServiceTrustPolicy",
    },
];

impl LinkedService {
    /// The service of this principal.
    pub(super) fn find(service: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|linked| linked.service == service)
    }

    /// Where its role stands.
    pub(super) fn path(&self) -> String {
        format!("{PATH_PREFIX}{}/", self.service)
    }

    /// Who may assume its role: the service.
    pub(super) fn trust(&self) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{}"}},"Action":"sts:AssumeRole"}}]}}"#,
            self.service
        )
    }
}

impl Profile {
    /// The service whose role this is: `organizations.amazonaws.com`.
    pub(super) fn linked_service(&self) -> Option<&str> {
        self.path.strip_prefix(PATH_PREFIX)?.strip_suffix('/')
    }
}

/// Refuses changes of service-linked roles.
pub(super) fn check_modifiable<E: Entity>(entity: &E) -> Result<(), IamError> {
    let profile = entity.profile();
    match profile.linked_service() {
        Some(_) if E::KIND == Role::KIND => Err(IamError::Unmodifiable {
            role: profile.name.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The ids of deletions that were done, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Deletions(Mutex<VecDeque<(AccountId, String)>>);

impl Deletions {
    fn done(&self) -> MutexGuard<'_, VecDeque<(AccountId, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remember(&self, account: AccountId, id: &str) {
        let mut done = self.done();
        if done.len() >= DELETIONS_MAX {
            done.pop_front();
        }
        done.push_back((account, id.to_owned()));
    }

    pub(super) fn knows(&self, account: AccountId, id: &str) -> bool {
        self.done()
            .iter()
            .any(|(owner, known)| *owner == account && known == id)
    }
}
