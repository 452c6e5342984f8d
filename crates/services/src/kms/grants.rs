//! Making and ending grants: durable first, then visible, then binding.

use super::errors::KmsError;
use super::grant::{Grant, Terms, Token, new_id};
use super::key::Key;
use super::limits::{GRANT_TOKEN_CHARS_MAX, GRANT_TOKENS_MAX, GRANTS_PER_KEY_MAX, RECORDS_PER_COMMIT_MAX};
use super::validate::violation;
use super::{Kms, KmsOpenError, current, grant_record};
use bulla_gate::Call;
use bulla_storage::Change;
use bytes::Bytes;
use std::sync::{Arc, PoisonError};

impl Kms {
    /// Refuses a grant token that was not made here, or whose grant has ended. A good one changes nothing: grants bind at
    /// once, with or without it.
    pub(super) fn check_grant_tokens(&self, tokens: &[String]) -> Result<(), KmsError> {
        if tokens.len() > GRANT_TOKENS_MAX {
            return Err(violation(
                "..",
                "grantTokens",
                &format!("Member must have length less than or equal to {GRANT_TOKENS_MAX}"),
            ));
        }
        tokens
            .iter()
            .try_for_each(|token| self.grant_of_token(token).map(drop))
    }

    /// The grant that a token names.
    pub(super) fn grant_of_token(&self, token: &str) -> Result<Arc<Grant>, KmsError> {
        super::validate::length(token, "grantToken", 1, GRANT_TOKEN_CHARS_MAX)?;
        let named = Token::open(token, &self.wrapping).ok_or(KmsError::InvalidGrantToken)?;
        let view = self.view();
        let grant = view.grants.get(named.region, named.key, &named.grant);
        grant.cloned().ok_or(KmsError::InvalidGrantToken)
    }

    /// Makes a grant, or finds the one of the same name and terms; the answer is it and a token of its own.
    pub(super) async fn create_grant(
        &self,
        call: &Call<'_>,
        key: &Key,
        terms: Terms,
    ) -> Result<(Arc<str>, String), KmsError> {
        let writing = self.writing.lock().await;
        let (grant, same) = self.new_grant(call, key, terms)?;
        let token = Token {
            region: grant.region,
            key: grant.key,
            grant: Arc::clone(&grant.id),
        };
        let token = token.seal(&self.wrapping, &*self.runtime.entropy)?;
        let id = Arc::clone(&grant.id);
        if same {
            return Ok((id, token));
        }
        let value =
            grant_record::encode(&grant, &self.wrapping, &*self.runtime.entropy).map_err(|error| {
                tracing::error!(key = %key.arn, %error, "a grant cannot be sealed");
                KmsError::Internal
            })?;
        let name = grant_record::record_key(grant.owner, grant.region, grant.key, &id);
        self.commit(grant.owner, vec![Change::Put(name, value)]).await?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let added = view.grants.add(grant);
        drop(view);
        drop(writing);
        call.authorization_changed();
        // Its terms were compiled before it was stored.
        added.map_err(|_| KmsError::Internal)?;
        Ok((id, token))
    }

    /// The grant that is to be, or the one that is there already.
    fn new_grant(&self, call: &Call<'_>, key: &Key, terms: Terms) -> Result<(Grant, bool), KmsError> {
        let view = self.view();
        current(&view, key, call.time())?.check_usable()?;
        if terms.name.is_some()
            && let Some(found) = view.grants.same(key.region, key.id, &terms)
        {
            return Ok((Grant::clone(found), true));
        }
        if view.grants.count(key.region, key.id) >= GRANTS_PER_KEY_MAX {
            return Err(KmsError::LimitExceeded {
                reason: format!("A key has at most {GRANTS_PER_KEY_MAX} grants"),
            });
        }
        let grant = Grant {
            id: new_id(&*self.runtime.entropy),
            key: key.id,
            region: key.region,
            owner: key.owner,
            issuer: call.account(),
            created: call.time(),
            terms,
        };
        Ok((grant, false))
    }

    /// Ends a grant: from the answer on it allows nothing.
    pub(super) async fn end_grant(&self, call: &Call<'_>, grant: &Grant) -> Result<(), KmsError> {
        let writing = self.writing.lock().await;
        if self
            .view()
            .grants
            .get(grant.region, grant.key, &grant.id)
            .is_none()
        {
            return Err(KmsError::GrantNotFound {
                id: Arc::clone(&grant.id),
            });
        }
        let name = grant_record::record_key(grant.owner, grant.region, grant.key, &grant.id);
        self.commit(grant.owner, vec![Change::Delete(name)]).await?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.grants.remove(grant.region, grant.key, &grant.id);
        drop(view);
        drop(writing);
        call.authorization_changed();
        Ok(())
    }

    /// Reads all grants at start.
    pub(super) async fn read_grants(&self) -> Result<(), KmsOpenError> {
        let orphans = read(self).await?;
        self.forget_grants(&orphans).await;
        Ok(())
    }

    /// Deletes the records of grants on a key that is gone. What fails is done at the next start.
    pub(super) async fn forget_grants(&self, grants: &[Arc<Grant>]) {
        for some in grants.chunks(RECORDS_PER_COMMIT_MAX) {
            let deletions = some
                .iter()
                .map(|grant| grant_record::record_key(grant.owner, grant.region, grant.key, &grant.id))
                .map(Change::Delete)
                .collect();
            let Some(owner) = some.first().map(|grant| grant.owner) else {
                return;
            };
            if self.commit(owner, deletions).await.is_err() {
                return;
            }
        }
    }
}

/// Reads all grants into the view, which has all keys; the answer is those whose key is gone.
async fn read(kms: &Kms) -> Result<Vec<Arc<Grant>>, KmsOpenError> {
    let stored = kms
        .records
        .scan_all(Bytes::from_static(grant_record::PREFIX.as_bytes()))
        .await
        .map_err(KmsOpenError::Storage)?;
    let mut view = kms.view.write().unwrap_or_else(PoisonError::into_inner);
    let mut orphans = Vec::new();
    for (_, name, value) in stored {
        let damaged = |reason: String| KmsOpenError::Damaged {
            record: String::from_utf8_lossy(&name).into_owned(),
            reason,
        };
        let grant = grant_record::decode(&name, &value, &kms.wrapping).map_err(damaged)?;
        // A replica that was destroyed can be made again under its id: what was granted on the former is not on this one.
        let key_created = view.created(grant.region, grant.key);
        let is_of_key = |created| !grant.key.is_multi_region() || grant.created >= created;
        if key_created.is_some_and(is_of_key) {
            view.grants
                .add(grant)
                .map_err(|reason| damaged(reason.to_owned()))?;
        } else {
            orphans.push(Arc::new(grant));
        }
    }
    Ok(orphans)
}
