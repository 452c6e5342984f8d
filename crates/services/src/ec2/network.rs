//! VPCs and subnets as the operator's settings have them, and the port by which listeners are opened.
//!
//! A subnet is an address of the machine with a range of ports; each endpoint in it takes one of them. A VPC is what
//! its subnets say of it.

use bulla_runtime::BoxFuture;
use bulla_types::{AccountId, Region, SubnetId, VpcEndpointId, VpcId};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// Where endpoints can listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its id, chosen by the operator.
    pub id: SubnetId,
    /// The VPC it is a part of.
    pub vpc: VpcId,
    /// The account that owns the VPC and its endpoints; without one every account may have endpoints there.
    pub account: Option<AccountId>,
    /// The region of the VPC.
    pub region: Region,
    /// The address that its endpoints listen on.
    pub address: IpAddr,
    /// The ports they take, one each.
    pub ports: RangeInclusive<u16>,
}

impl Subnet {
    /// Whether an endpoint may listen there.
    #[must_use]
    pub fn has(&self, address: SocketAddr) -> bool {
        self.address == address.ip() && self.ports.contains(&address.port())
    }

    /// Whether endpoints of this account, region and VPC may be in it.
    pub(super) fn is_for(&self, account: AccountId, region: Region, vpc: VpcId) -> bool {
        self.vpc == vpc && self.region == region && self.account.is_none_or(|owner| owner == account)
    }

    /// All places for endpoints.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let address = self.address;
        self.ports.clone().map(move |port| SocketAddr::new(address, port))
    }
}

/// All subnets.
#[derive(Clone, Debug, Default)]
pub struct Network(Vec<Subnet>);

impl Network {
    /// Takes subnets that agree with each other.
    ///
    /// # Errors
    /// What contradicts what, for the operator.
    pub fn new(subnets: Vec<Subnet>) -> Result<Self, String> {
        for (at, subnet) in subnets.iter().enumerate() {
            for other in subnets.iter().skip(at.saturating_add(1)) {
                if subnet.id == other.id {
                    return Err(format!("{} is there twice", subnet.id));
                }
                if subnet.vpc == other.vpc && (subnet.account, subnet.region) != (other.account, other.region)
                {
                    return Err(format!(
                        "{} cannot belong to {} in {} and to {} in {}",
                        subnet.vpc,
                        owner(subnet.account),
                        subnet.region,
                        owner(other.account),
                        other.region
                    ));
                }
                if subnet.address == other.address && overlap(&subnet.ports, &other.ports) {
                    return Err(format!(
                        "{} and {} have ports of {} in common",
                        subnet.id, other.id, subnet.address
                    ));
                }
            }
        }
        Ok(Self(subnets))
    }

    /// The subnet with this id.
    #[must_use]
    pub fn subnet(&self, id: SubnetId) -> Option<&Subnet> {
        self.0.iter().find(|subnet| subnet.id == id)
    }

    /// The subnets of a VPC that this account may use in this region.
    pub(super) fn of_vpc(
        &self,
        account: AccountId,
        region: Region,
        vpc: VpcId,
    ) -> impl Iterator<Item = &Subnet> {
        self.0
            .iter()
            .filter(move |subnet| subnet.is_for(account, region, vpc))
    }
}

fn owner(account: Option<AccountId>) -> String {
    account.map_or_else(
        || "every account".to_owned(),
        |account| format!("account {account}"),
    )
}

fn overlap(left: &RangeInclusive<u16>, right: &RangeInclusive<u16>) -> bool {
    left.start() <= right.end() && right.start() <= left.end()
}

/// Why an address cannot be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenFailure {
    /// Somebody else listens there.
    InUse,
    /// Something else, in words for the operator.
    Refused(String),
}

impl std::fmt::Display for ListenFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse => formatter.write_str("the address is in use"),
            Self::Refused(why) => formatter.write_str(why),
        }
    }
}

/// The listeners of endpoints.
pub trait Listeners: Send + Sync {
    /// Listens for an endpoint with a certificate for these names; connections wait until the server accepts them.
    ///
    /// # Errors
    /// [`ListenFailure`]; nothing is open then.
    fn open(
        &self,
        endpoint: VpcEndpointId,
        address: SocketAddr,
        names: &[String],
    ) -> Result<(), ListenFailure>;

    /// Stops listening; the address is free when it is answered. What is connected ends.
    fn close(&self, endpoint: VpcEndpointId, address: SocketAddr) -> BoxFuture<'_, ()>;

    /// Stops listening everywhere.
    fn close_all(&self) -> BoxFuture<'_, ()>;
}
