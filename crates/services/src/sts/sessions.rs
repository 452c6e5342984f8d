//! From access keys to principals: the gate's port, and the sessions that are at hand.
//!
//! A session's identity is made from its token and whose it is once, and made anew when that one has changed. What is
//! kept here is never more than the token says and the role or user may do now: without the token it opens nothing, and
//! a role or user that is gone is looked up in vain.

use super::limits::SESSIONS_AT_HAND_MAX;
use super::subject::{Basis, Everything};
use super::token::{Session, TokenKeys};
use crate::iam::PrincipalLookup;
use bulla_envelope::SecretBytes;
use bulla_gate::{Credential, CredentialRefusal, Credentials, Identity, SecretAccessKey, is_same_tag_key};
use bulla_policy::{Policy, PolicyKind};
use bulla_runtime::BoxFuture;
use bulla_types::{AccountId, Region, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All access keys: those of users, and those of sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) principals: PrincipalLookup,
    pub(super) tokens: TokenKeys,
    everything: Everything,
    at_hand: Mutex<HashMap<String, AtHand>>,
}

/// A session whose token was opened.
#[derive(Debug)]
struct AtHand {
    token: SecretBytes,
    session: Session,
    /// The role or user as it was when the identity was made.
    basis: Basis,
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
    pub(super) fn new(principals: PrincipalLookup, tokens: TokenKeys, everything: Everything) -> Self {
        Self {
            principals,
            tokens,
            everything,
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
                .any(|passed| is_same_tag_key(passed, key))
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
        let basis = Basis::find(&self.principals, &found.session)?;
        let managed = self.managed(basis.account(), &found.session)?;
        let same = managed
            .iter()
            .zip(&found.managed)
            .all(|(now, then)| Arc::ptr_eq(now, then));
        (same && basis.is(&found.basis)).then(|| found.credential())
    }

    /// The managed session policies of a session; `None` when one of them is gone, so that it opens nothing.
    fn managed(&self, account: AccountId, session: &Session) -> Option<Vec<Arc<Policy>>> {
        let found = |arn: &String| self.principals.managed_policy(account, arn);
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
        let unknown = CredentialRefusal::Unknown;
        let basis = Basis::find(&self.principals, &session).ok_or(unknown)?;
        let managed = self.managed(basis.account(), &session).ok_or(unknown)?;
        let base = basis.identity(&session, &self.everything);
        let identity = identity(base, &session, &managed).ok_or(unknown)?;
        let secret = self
            .tokens
            .secret(access_key)
            .map_err(|_| CredentialRefusal::Unknown)?;
        Ok(AtHand {
            token,
            session,
            basis,
            managed,
            secret: Arc::new(secret),
            identity: Arc::new(identity),
        })
    }
}

/// The principal of a session; `None` when its policy does not compile any more, so that it opens nothing.
fn identity(mut identity: Identity, session: &Session, managed: &[Arc<Policy>]) -> Option<Identity> {
    for (key, value) in &session.tags {
        identity.tags.retain(|(other, _)| !is_same_tag_key(other, key));
        identity.tags.push((key.clone(), value.clone()));
    }
    let mut policies = managed.to_vec();
    if let Some(text) = &session.policy {
        let policy = Policy::parse_lenient(text, PolicyKind::Session).ok()?;
        policies.push(Arc::new(policy.labelled("session policy")));
    }
    // What has to have session policies has them already, if only none.
    if !policies.is_empty() {
        identity.session = Some(policies);
    }
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

    fn used(&self, access_key: &str, service: &'static str, region: Region, now: Timestamp) {
        self.principals.used(access_key, service, region, now);
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
