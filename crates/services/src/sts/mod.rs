//! Security Token Service: who am I, and sessions of roles.
//!
//! STS keeps nothing: a session is its token (`token`), sealed with a key of the data folder. What must stay true:
//! - a session is worth no more than its role is now: its policies are those that the role has at the time of a call,
//!   and with the role it is gone;
//! - whether a role may be assumed is asked of the gate alone, with the trust policy as the root of trust;
//! - of a role that does not exist nobody learns more than of one that does not trust him.

mod errors;
mod limits;
mod not_built;
pub mod operations;
mod sessions;
#[cfg(test)]
mod tests;
mod token;
mod validate;

pub use errors::StsError;

use crate::iam::{Iam, PrincipalLookup};
use bulla_envelope::InstanceKey;
use bulla_gate::{Credentials, Family, NotBuilt, Service};
use bulla_wire::ServiceWire;
use bulla_wire::error::common;
use sessions::Sessions;
use std::sync::Arc;
use token::TokenKeys;

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
}

impl Sts {
    /// The service over the principals of IAM.
    ///
    /// # Errors
    /// A sentence for the operator: the cryptographic library refused to derive keys.
    pub fn open(iam: &Arc<Iam>, instance: &InstanceKey) -> Result<Arc<Self>, String> {
        let tokens =
            TokenKeys::new(instance).map_err(|error| format!("session tokens have no key: {error}"))?;
        Ok(Arc::new(Self {
            sessions: Arc::new(Sessions::new(PrincipalLookup::new(iam), tokens)),
        }))
    }

    /// What the gate finds principals with: access keys of users and root users, and tokens of sessions.
    #[must_use]
    pub fn credentials(&self) -> Arc<dyn Credentials> {
        Arc::<Sessions>::clone(&self.sessions)
    }
}
