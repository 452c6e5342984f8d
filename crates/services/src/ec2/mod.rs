//! EC2, of which only VPC endpoints: doors of their own into a service, with a policy each.
//!
//! An endpoint is a listener: an address and a port of each of its subnets, a certificate, and a policy that limits
//! everything that comes by it. Which VPCs and subnets there are is the operator's to say (`network`), because an
//! address is a thing of the machine; who may put endpoints there is for IAM to say.
//!
//! State: all endpoints stand in memory (`view`), each durable as one directory record (`record`). A change takes the
//! writers' lock, checks against the view, listens, commits, puts the new value into the view, raises the gate's
//! authorization number, and answers.
//!
//! What must stay true:
//! - A listener says to the gate which endpoint it belongs to, and nothing that a client sends does.
//! - What comes by an endpoint that is not in the view leads nowhere, so a deletion binds before listeners are closed.
//! - An endpoint whose addresses cannot be had is there all the same, and says why it does not answer.

mod access;
mod endpoint;
mod errors;
mod filter;
mod limits;
pub mod network;
pub mod operations;
mod record;
mod shapes;
#[cfg(test)]
mod tests;
mod validate;
mod view;

pub use errors::Ec2Error;
pub use network::{ListenFailure, Listeners, Network, Subnet};

use bulla_gate::{Call, EndpointFacts, Endpoints, Family, Service};
use bulla_runtime::Runtime;
use bulla_storage::{Change, DirectoryWriter};
use bulla_types::{AccountId, VpcEndpointId};
use bulla_wire::error::common;
use bulla_wire::{MissingWording, Protocol, ServiceWire};
use bytes::Bytes;
use endpoint::{Endpoint, Place};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::Mutex;
use view::View;

static WIRE: ServiceWire = ServiceWire {
    query_version: Some("2016-11-15"),
    query: Protocol::Ec2Query,
    xmlns: "http://ec2.amazonaws.com/doc/2016-11-15/",
    xml_declaration: true,
    missing: MissingWording::Parameter(common::MISSING_PARAMETER),
    ..ServiceWire::new("ec2")
};

/// The state holder.
pub struct Ec2 {
    runtime: Runtime,
    records: DirectoryWriter,
    network: Network,
    listeners: Arc<dyn Listeners>,
    view: Arc<Known>,
    /// Held from the check of a change until the view shows it.
    writing: Mutex<()>,
}

/// The endpoints that there are: made before the gate, which asks it, and filled by [`Ec2::open`].
#[derive(Debug, Default)]
pub struct Known(RwLock<View>);

impl Known {
    fn read(&self) -> RwLockReadGuard<'_, View> {
        // Nothing panics while it writes; should it, each endpoint is still whole.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, View> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoints for Known {
    fn endpoint(&self, id: VpcEndpointId) -> Option<Arc<EndpointFacts>> {
        self.read().facts(id)
    }
}

/// Why endpoints could not be opened, for the operator.
#[derive(Debug)]
pub enum Ec2OpenError {
    /// The storage failed.
    Storage(bulla_storage::Error),
    /// A stored record is damaged; nothing is skipped.
    Damaged {
        /// The record's name.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl std::fmt::Display for Ec2OpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => write!(formatter, "cannot read the VPC endpoints: {error}"),
            Self::Damaged { record, reason } => {
                write!(formatter, "the record `{record}` is damaged: {reason}")
            }
        }
    }
}

impl std::error::Error for Ec2OpenError {}

impl Service for Ec2 {
    const WIRE: &'static ServiceWire = &WIRE;
    const PRINCIPAL: &'static str = "ec2.amazonaws.com";
    const FAMILY: Family = Family::Ec2;
}

impl Ec2 {
    /// Reads all endpoints and listens for them. One whose address cannot be had is said to have failed, and keeps
    /// nothing else from starting. What listened before is closed first; at the end, who holds `listeners` closes them.
    ///
    /// # Errors
    /// [`Ec2OpenError`]; the server does not start with endpoints that it cannot read.
    pub async fn open(
        runtime: Runtime,
        records: DirectoryWriter,
        network: Network,
        listeners: Arc<dyn Listeners>,
        view: Arc<Known>,
    ) -> Result<Arc<Self>, Ec2OpenError> {
        listeners.close_all().await;
        let stored = records
            .scan_all(Bytes::from_static(record::PREFIX.as_bytes()))
            .await;
        for (_, name, value) in stored.map_err(Ec2OpenError::Storage)? {
            let mut endpoint = record::decode(&name, &value).map_err(|reason| Ec2OpenError::Damaged {
                record: String::from_utf8_lossy(&name).into_owned(),
                reason,
            })?;
            listen_again(&mut endpoint, &network, listeners.as_ref());
            view.write().put(Arc::new(endpoint));
        }
        Ok(Arc::new(Self {
            runtime,
            records,
            network,
            listeners,
            view,
            writing: Mutex::new(()),
        }))
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read()
    }

    /// Makes a new value of an endpoint durable, then visible. The writers' lock is held.
    async fn store(&self, call: &Call<'_>, endpoint: Endpoint) -> Result<Arc<Endpoint>, Ec2Error> {
        let value = record::encode(&endpoint).map_err(|error| {
            tracing::error!(endpoint = %endpoint.id, %error, "an endpoint cannot be written");
            Ec2Error::Internal
        })?;
        let change = Change::Put(record::record_key(endpoint.account, endpoint.id), value);
        self.commit(endpoint.account, change).await?;
        let endpoint = Arc::new(endpoint);
        self.view.write().put(Arc::clone(&endpoint));
        call.authorization_changed();
        Ok(endpoint)
    }

    /// Deletes an endpoint, then closes its listeners. The writers' lock is held.
    async fn remove(&self, call: &Call<'_>, endpoint: &Endpoint) -> Result<(), Ec2Error> {
        let change = Change::Delete(record::record_key(endpoint.account, endpoint.id));
        self.commit(endpoint.account, change).await?;
        self.view.write().remove(endpoint.id);
        call.authorization_changed();
        self.close(endpoint.id, &endpoint.places).await;
        Ok(())
    }

    async fn close(&self, id: VpcEndpointId, places: &[Place]) {
        for place in places {
            self.listeners.close(id, place.address).await;
        }
    }

    async fn commit(&self, owner: AccountId, change: Change) -> Result<(), Ec2Error> {
        let partition = self.records.partition_of(owner.as_str().as_bytes());
        match self.records.commit(partition, Vec::new(), vec![change]).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(account = %owner, %error, "a change of VPC endpoints was not stored");
                Err(Ec2Error::Internal)
            }
        }
    }
}

/// Listens where an endpoint listened before the restart.
fn listen_again(endpoint: &mut Endpoint, network: &Network, listeners: &dyn Listeners) {
    let (id, names) = (endpoint.id, endpoint.names());
    let (account, region, vpc) = (endpoint.account, endpoint.region, endpoint.vpc);
    for place in &mut endpoint.places {
        let listening = match network.subnet(place.subnet) {
            Some(subnet) if subnet.has(place.address) && subnet.is_for(account, region, vpc) => listeners
                .open(id, place.address, &names)
                .map_err(|failure| failure.to_string()),
            Some(_) | None => Err(format!(
                "the settings have no subnet {} with this address for account {account} in {vpc}",
                place.subnet
            )),
        };
        if let Err(why) = listening {
            tracing::error!(
                endpoint = %id, address = %place.address, why,
                "a VPC endpoint does not listen; mend the `--subnet` setting or free the address, and restart the server"
            );
            place.failure = Some(why);
        }
    }
}

impl std::fmt::Debug for Ec2 {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ec2").finish_non_exhaustive()
    }
}
