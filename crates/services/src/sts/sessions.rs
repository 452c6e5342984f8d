//! From access keys to principals: the gate's port, and the sessions that are at hand.
//!
//! A session's identity is made from its token and its role once, and made anew when the role has changed. What is
//! kept here is never more than the token says and the role allows: without the token it opens nothing, and a role that
//! is gone is looked up in vain.

use super::limits::SESSIONS_AT_HAND_MAX;
use super::token::{Session, TokenKeys};
use crate::iam::{PrincipalLookup, Role};
use bulla_envelope::SecretBytes;
use bulla_gate::{Credential, CredentialRefusal, Credentials, Identity, SecretAccessKey};
use bulla_policy::{Policy, PolicyKind};
use bulla_runtime::BoxFuture;
use bulla_types::{AccountId, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All access keys: those of users, and those of sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) principals: PrincipalLookup,
    pub(super) tokens: TokenKeys,
    at_hand: Mutex<HashMap<String, AtHand>>,
}

/// A session whose token was opened.
#[derive(Debug)]
struct AtHand {
    token: SecretBytes,
    session: Session,
    /// The role as it was when the identity was made.
    role: Arc<Role>,
    /// The managed session policies as they were then.
    managed: Vec<Arc<Policy>>,
    secret: Arc<SecretAccessKey>,
    identity: Arc<Identity>,
}

impl AtHand {
    fn credential(&self) -> Credential {
        Credential {
            secret: Arc::clone(&self.secret),
            identity: Arc::clone(&self.identity),
        }
    }
}

impl Sessions {
    pub(super) fn new(principals: PrincipalLookup, tokens: TokenKeys) -> Self {
        Self {
            principals,
            tokens,
            at_hand: Mutex::new(HashMap::new()),
        }
    }

    fn at_hand(&self) -> MutexGuard<'_, HashMap<String, AtHand>> {
        // An entry is whole or absent, so a thread that died left nothing half done.
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of a session that is at hand.
    pub(super) fn account_of(&self, access_key: &str) -> Option<AccountId> {
        let at_hand = self.at_hand();
        at_hand.get(access_key).map(|found| found.identity.account)
    }

    /// The session tags that a session passes on to those it makes; `None` when the session is not at hand.
    pub(super) fn passed_on(&self, access_key: &str) -> Option<Vec<(String, String)>> {
        let at_hand = self.at_hand();
        let session = &at_hand.get(access_key)?.session;
        let passed = |key: &str| {
            session
                .transitive
                .iter()
                .any(|passed| passed.eq_ignore_ascii_case(key))
        };
        Some(
            session
                .tags
                .iter()
                .filter(|(key, _)| passed(key))
                .cloned()
                .collect(),
        )
    }

    fn session(
        &self,
        access_key: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Credential, CredentialRefusal> {
        let token = SecretBytes::new(token.as_bytes().to_vec());
        if let Some(credential) = self.find_at_hand(access_key, &token, now) {
            return Ok(credential);
        }
        let made = self.open(access_key, token, now)?;
        let credential = made.credential();
        let mut at_hand = self.at_hand();
        if at_hand.len() >= SESSIONS_AT_HAND_MAX {
            at_hand.clear();
        }
        at_hand.insert(access_key.to_owned(), made);
        Ok(credential)
    }

    /// What was made before, if it is still what token and role say.
    fn find_at_hand(&self, access_key: &str, token: &SecretBytes, now: Timestamp) -> Option<Credential> {
        let at_hand = self.at_hand();
        let found = at_hand
            .get(access_key)
            .filter(|found| found.token == *token && found.session.expires > now)?;
        let role = self.principals.role_by_id(&found.session.role)?;
        let managed = self.managed(&role, &found.session)?;
        let same = managed
            .iter()
            .zip(&found.managed)
            .all(|(now, then)| Arc::ptr_eq(now, then));
        (same && Arc::ptr_eq(&role, &found.role)).then(|| found.credential())
    }

    /// The managed session policies of a session; `None` when one of them is gone, so that it opens nothing.
    fn managed(&self, role: &Role, session: &Session) -> Option<Vec<Arc<Policy>>> {
        let found = |arn: &String| self.principals.managed_policy(role.account(), arn);
        session.policy_arns.iter().map(found).collect()
    }

    fn open(
        &self,
        access_key: &str,
        token: SecretBytes,
        now: Timestamp,
    ) -> Result<AtHand, CredentialRefusal> {
        let text = std::str::from_utf8(token.expose()).map_err(|_| CredentialRefusal::Unknown)?;
        let session = self
            .tokens
            .open(access_key, text)
            .ok_or(CredentialRefusal::Unknown)?;
        if session.expires <= now {
            return Err(CredentialRefusal::Expired);
        }
        let role = self
            .principals
            .role_by_id(&session.role)
            .ok_or(CredentialRefusal::Unknown)?;
        let managed = self.managed(&role, &session).ok_or(CredentialRefusal::Unknown)?;
        let identity = identity(&role, &session, &managed).ok_or(CredentialRefusal::Unknown)?;
        let secret = self
            .tokens
            .secret(access_key)
            .map_err(|_| CredentialRefusal::Unknown)?;
        Ok(AtHand {
            token,
            session,
            role,
            managed,
            secret: Arc::new(secret),
            identity: Arc::new(identity),
        })
    }
}

/// The principal of a session; `None` when its policy does not compile any more, so that it opens nothing.
fn identity(role: &Role, session: &Session, managed: &[Arc<Policy>]) -> Option<Identity> {
    let mut identity = role.session(&session.name);
    for (key, value) in &session.tags {
        identity
            .tags
            .retain(|(other, _)| !other.eq_ignore_ascii_case(key));
        identity.tags.push((key.clone(), value.clone()));
    }
    let mut policies = managed.to_vec();
    if let Some(text) = &session.policy {
        let policy = Policy::parse_lenient(text, PolicyKind::Session).ok()?;
        policies.push(Arc::new(policy.labelled("session policy")));
    }
    identity.session = (!policies.is_empty()).then_some(policies);
    identity.source_identity = session.source_identity.as_deref().map(Into::into);
    identity.token_issued = Some(session.issued);
    Some(identity)
}

impl Credentials for Sessions {
    fn find(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Credential, CredentialRefusal> {
        let token = token.filter(|token| !token.is_empty());
        match (self.principals.access_key(access_key), token) {
            (Some(key), None) => Ok(Credential {
                secret: key.secret,
                identity: key.identity,
            }),
            (None, Some(token)) => self.session(access_key, token, now),
            (Some(_), Some(_)) | (None, None) => Err(CredentialRefusal::Unknown),
        }
    }

    fn open_account(&self, account: AccountId) -> BoxFuture<'_, Result<Arc<Identity>, String>> {
        Box::pin(async move {
            let now = self.principals.now();
            self.principals
                .open_account(account, now)
                .await
                .map_err(|error| format!("{error:?}"))
        })
    }
}
