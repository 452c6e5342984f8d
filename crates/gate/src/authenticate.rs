//! From a signature to a caller. The only maker of a [`Caller`] from outside.

use crate::caller::{Caller, SessionToken, Transport, ViaEndpoint};
use crate::client::Client;
use crate::common_error::CommonError;
use crate::gate::Gate;
use crate::ports::{Credential, CredentialRefusal};
use bulla_sigv4::{Payload, Presented, RequestHead, Secret, ServiceRules, SigningKey};
use bulla_types::{AccountId, Region, RequestId, Timestamp};
use bytes::Bytes;
use http::request::Parts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Whether signatures are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// As AWS does.
    Verified,
    /// For local tests on loopback: any access key is accepted and its signature is not looked at. A key that IAM
    /// or STS made acts as its principal, one of twelve digits as that account's root, any other as the root of
    /// `default_account`.
    Open {
        /// The account of access keys that name none.
        default_account: AccountId,
    },
}

/// Signing keys that were derived lately, at most this many; deriving one costs four HMACs.
const SIGNING_KEYS_MAX: usize = 4096;

/// The cache of derived signing keys, by the credential's text: access key id, date, region, service. A key found here
/// has been looked up in the credentials port first, so that a deleted access key opens nothing, whatever is cached.
/// The keys wipe themselves when they are dropped.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys(Mutex<HashMap<Box<str>, Arc<SigningKey>>>);

impl SigningKeys {
    fn cached(&self, credential: &str) -> Option<Arc<SigningKey>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(credential)
            .cloned()
    }

    /// Keeps a key whose signature was right: made-up dates and regions must not push out what is in use.
    fn keep(&self, credential: &str, key: Arc<SigningKey>) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= SIGNING_KEYS_MAX {
            keys.clear();
        }
        keys.insert(credential.into(), key);
    }
}

/// What is known of a request before it is known who sent it.
pub(crate) struct Arrival<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a Bytes,
    pub(crate) transport: Transport,
    pub(crate) request_id: RequestId,
    pub(crate) time: Timestamp,
    pub(crate) client: Client,
}

impl Gate {
    /// Finds out who sent the request, for the service of this signing name.
    pub(crate) async fn authenticate(
        &self,
        service: &'static str,
        arrival: Arrival<'_>,
    ) -> Result<Caller, CommonError> {
        let presented = Presented::parse(head(arrival.parts)).map_err(CommonError::Signature)?;
        let region =
            Region::parse(presented.credential().region()).map_err(|_| CommonError::UnknownAccessKey)?;
        // Before the principal is looked up: what changes from here on makes the caller out of date.
        let epoch = self.authorization_epoch();
        let via_endpoint = self.via_endpoint(arrival.transport)?;
        if let Some(ViaEndpoint { facts, .. }) = &via_endpoint
            && (*facts.service != *service || facts.region != region)
        {
            return Err(CommonError::OtherEndpoint {
                leads_to: Arc::clone(facts),
            });
        }
        let identity = match self.authentication {
            Authentication::Verified => self.verified(service, &presented, &arrival)?.identity,
            Authentication::Open { default_account } => {
                self.opened(&presented, &arrival, default_account).await?
            }
        };
        self.ports
            .credentials
            .used(presented.access_key_id(), service, region, arrival.time);
        let user_agent = header(arrival.parts, "user-agent").map(Into::into);
        Ok(Caller {
            via_endpoint,
            organization: self.place(identity.account),
            identity,
            transport: arrival.transport,
            region,
            time: arrival.time,
            request_id: arrival.request_id,
            user_agent,
            endpoint: match &self.public_url {
                Some(url) => Arc::clone(url),
                None => endpoint(arrival.parts, arrival.transport).into(),
            },
            access_key: presented.access_key_id().into(),
            via: Vec::new(),
            source: None,
            client: arrival.client,
            token: presented.session_token().map(SessionToken::new),
            epoch,
        })
    }

    /// The endpoint whose listener accepted the connection. One that was deleted since leads nowhere.
    fn via_endpoint(&self, transport: Transport) -> Result<Option<ViaEndpoint>, CommonError> {
        let Some(id) = transport.endpoint else {
            return Ok(None);
        };
        let facts = self.ports.endpoints.endpoint(id);
        let facts = facts.ok_or(CommonError::DeletedEndpoint { id })?;
        let organization = self.place(facts.account);
        Ok(Some(ViaEndpoint { facts, organization }))
    }

    /// The caller as it would be if its request came now, for calls that wait for long. `None` when its access key opens
    /// nothing any more.
    pub(crate) fn renewed(&self, caller: &Caller) -> Option<Caller> {
        // Before the principal is looked up, as for a new request.
        let epoch = self.authorization_epoch();
        let identity = if caller.source.is_some() {
            Arc::clone(&caller.identity)
        } else {
            let token = caller.token.as_ref().map(SessionToken::expose);
            let found = self
                .ports
                .credentials
                .find(&caller.access_key, token, self.runtime.clock.now());
            match (found, self.authentication) {
                (Ok(credential), _) => credential.identity,
                (Err(CredentialRefusal::Unknown), Authentication::Open { .. }) => {
                    Arc::clone(&caller.identity)
                }
                (Err(CredentialRefusal::Unknown), Authentication::Verified)
                | (Err(CredentialRefusal::Expired), _) => return None,
            }
        };
        Some(Caller {
            organization: self.place(identity.account),
            via_endpoint: self.via_endpoint(caller.transport).ok()?,
            identity,
            epoch,
            ..caller.clone()
        })
    }

    fn verified(
        &self,
        service: &str,
        presented: &Presented<'_>,
        arrival: &Arrival<'_>,
    ) -> Result<Credential, CommonError> {
        let credential = self
            .ports
            .credentials
            .find(presented.access_key_id(), presented.session_token(), arrival.time)
            .map_err(|refusal| match refusal {
                CredentialRefusal::Unknown => CommonError::UnknownAccessKey,
                CredentialRefusal::Expired => CommonError::ExpiredToken,
            })?;
        let named = presented.credential().as_str();
        let cached = self.signing_keys.cached(named);
        let is_new = cached.is_none();
        let key =
            cached.unwrap_or_else(|| Arc::new(presented.signing_key(credential.secret.expose().as_bytes())));
        let now = i64::try_from(arrival.time.as_seconds()).unwrap_or(i64::MAX);
        presented
            .verify(
                Secret::SigningKey(&key),
                &ServiceRules::standard(service),
                &Payload::Bytes(arrival.body),
                now,
            )
            .map_err(CommonError::Signature)?;
        if is_new {
            self.signing_keys.keep(named, key);
        }
        Ok(credential)
    }

    async fn opened(
        &self,
        presented: &Presented<'_>,
        arrival: &Arrival<'_>,
        default_account: AccountId,
    ) -> Result<Arc<crate::caller::Identity>, CommonError> {
        let key = presented.access_key_id();
        match self
            .ports
            .credentials
            .find(key, presented.session_token(), arrival.time)
        {
            Ok(credential) => return Ok(credential.identity),
            Err(CredentialRefusal::Expired) => return Err(CommonError::ExpiredToken),
            Err(CredentialRefusal::Unknown) => {}
        }
        let account = AccountId::parse(key).unwrap_or(default_account);
        self.ports.credentials.open_account(account).await.map_err(|why| {
            tracing::error!(%account, why, "an account could not be opened");
            CommonError::Internal
        })
    }
}

/// The request as signatures see it.
fn head(parts: &Parts) -> RequestHead<'_, impl Iterator<Item = (&str, &[u8])>> {
    RequestHead {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: headers(parts),
    }
}

/// The headers, with `host` also where HTTP/2 sends it as `:authority`.
fn headers(parts: &Parts) -> impl Iterator<Item = (&str, &[u8])> {
    let authority = parts
        .uri
        .authority()
        .filter(|_| !parts.headers.contains_key(http::header::HOST))
        .map(|authority| ("host", authority.as_str().as_bytes()));
    parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .chain(authority)
}

/// A header's text, if it is there and is text.
pub(crate) fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// `https://host:port` as the client wrote it.
fn endpoint(parts: &Parts, transport: Transport) -> String {
    let scheme = if transport.secure { "https" } else { "http" };
    let host = header(parts, "host").or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    [scheme, "://", host.unwrap_or("localhost")].concat()
}
