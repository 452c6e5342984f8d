//! Security Token Service: who am I, and sessions of roles, of users, and of those for whom a user vouches.
//!
//! STS keeps nothing: a session is its token (`token`), sealed with a key of the data folder. What must stay true:
//! - a session is worth no more than its role or user is now: its policies are those that the role or user has at the
//!   time of a call, and with the role or user it is gone;
//! - a session of somebody for whom a user vouches is limited by session policies, also where there are none;
//! - whether a role may be assumed is asked of the gate alone, with the trust policy as the root of trust;
//! - of a role that does not exist nobody learns more than of one that does not trust him.

mod errors;
mod limits;
mod not_built;
pub mod operations;
mod session_policies;
mod sessions;
mod shapes;
mod subject;
#[cfg(test)]
mod tests;
mod token;
mod validate;

pub use errors::StsError;

use crate::iam::{Iam, IdKind, PrincipalLookup, SecretText, unique_id};
use bulla_envelope::InstanceKey;
use bulla_gate::{CommonError, Credentials, Family, Identity, IdentityKind, NotBuilt, Service};
use bulla_wire::ServiceWire;
use bulla_wire::error::common;
use limits::{OWN_SESSION_SECONDS_DEFAULT, ROOT_SESSION_SECONDS_MAX};
use sessions::Sessions;
use std::sync::Arc;
use std::time::Duration;
use subject::Everything;
use token::{Session, TokenKeys};

/// The state holder.
#[derive(Debug)]
pub struct Sts {
    sessions: Arc<Sessions>,
}

const STS_WIRE: ServiceWire = ServiceWire {
    query_version: Some("2011-06-15"),
    xmlns: "https://sts.amazonaws.com/doc/2011-06-15/",
    ..ServiceWire::new("sts")
};

impl Service for Sts {
    const WIRE: &'static ServiceWire = &STS_WIRE;
    const PRINCIPAL: &'static str = "sts.amazonaws.com";
    const FAMILY: Family = Family::Query;
    const NOT_BUILT: NotBuilt = NotBuilt {
        operations: not_built::NOT_BUILT,
        row: common::NOT_BUILT,
    };

    /// What sessions may ask of STS (IAM User Guide, "Compare AWS STS credentials"): those of users assume roles and
    /// ask who they are, those of federated users only the latter, and none of them makes sessions of its own kind.
    fn bars(identity: &Identity, operation: &str) -> Option<CommonError> {
        let open = match identity.kind {
            IdentityKind::Root | IdentityKind::User if identity.token_issued.is_some() => {
                matches!(operation, "AssumeRole" | "GetCallerIdentity")
            }
            IdentityKind::FederatedUser { .. } => operation == "GetCallerIdentity",
            IdentityKind::AssumedRole => !matches!(operation, "GetFederationToken" | "GetSessionToken"),
            IdentityKind::Root | IdentityKind::User | IdentityKind::Service => true,
        };
        (!open).then(|| CommonError::Barred {
            message: format!("Cannot call {operation} with session credentials"),
        })
    }
}

impl Sts {
    /// The service over the principals of IAM.
    ///
    /// # Errors
    /// A sentence for the operator: the cryptographic library refused to derive keys.
    pub fn open(iam: &Arc<Iam>, instance: &InstanceKey) -> Result<Arc<Self>, String> {
        let tokens =
            TokenKeys::new(instance).map_err(|error| format!("session tokens have no key: {error}"))?;
        let everything = Everything::new()?;
        Ok(Arc::new(Self {
            sessions: Arc::new(Sessions::new(PrincipalLookup::new(iam), tokens, everything)),
        }))
    }

    /// How long a session is that a user or root user asks for.
    fn own_session_length(identity: &Identity, asked: Option<i32>) -> Duration {
        let seconds = asked.unwrap_or(OWN_SESSION_SECONDS_DEFAULT);
        let seconds = if identity.is_root() {
            seconds.min(ROOT_SESSION_SECONDS_MAX)
        } else {
            seconds
        };
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// Credentials of a new session.
    fn issue(&self, session: &Session) -> Result<shapes::Credentials, StsError> {
        let entropy = self.sessions.principals.entropy();
        let access_key = unique_id(IdKind::TemporaryAccessKey, entropy);
        let tokens = &self.sessions.tokens;
        let sealed = tokens
            .secret(&access_key)
            .and_then(|secret| Ok((secret, tokens.seal(&access_key, session, entropy)?)));
        let (secret, token) = sealed.map_err(|error| {
            tracing::error!(%error, "a session token cannot be sealed");
            StsError::Internal
        })?;
        Ok(shapes::Credentials {
            access_key_id: access_key,
            secret_access_key: SecretText::from(&secret),
            session_token: SecretText::new(&token),
            expiration: session.expires,
        })
    }

    /// What the gate finds principals with: access keys of users and root users, and tokens of sessions.
    #[must_use]
    pub fn credentials(&self) -> Arc<dyn Credentials> {
        Arc::<Sessions>::clone(&self.sessions)
    }
}
