//! VPC endpoints through the gate, over listeners that only remember.

mod endpoints;
mod requests;

use super::{Ec2, Known, ListenFailure, Listeners, Network, Subnet, operations};
use crate::testing::{Refused, World};
use bulla_gate::{Endpoints, Gate, Transport};
use bulla_runtime::BoxFuture;
use bulla_types::{AccountId, Region, SubnetId, VpcEndpointId, VpcId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

const OWNER: &str = "111122223333";
const OTHER: &str = "444455556666";
const VPC: &str = "vpc-11112222";
const SQS: &str = "com.amazonaws.us-east-1.sqs";
const DENY: &str =
    r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sqs:PurgeQueue","Resource":"*"}}"#;

/// What listens, and what somebody else listens on.
#[derive(Default)]
struct Ports {
    open: Mutex<BTreeMap<SocketAddr, VpcEndpointId>>,
    taken: Mutex<BTreeSet<SocketAddr>>,
}

impl Listeners for Ports {
    fn open(&self, endpoint: VpcEndpointId, address: SocketAddr, _: &[String]) -> Result<(), ListenFailure> {
        let is_taken = self.taken.lock().unwrap().contains(&address);
        let mut open = self.open.lock().unwrap();
        if is_taken || open.contains_key(&address) {
            return Err(ListenFailure::InUse);
        }
        open.insert(address, endpoint);
        Ok(())
    }

    fn close(&self, endpoint: VpcEndpointId, address: SocketAddr) -> BoxFuture<'_, ()> {
        let mut open = self.open.lock().unwrap();
        if open.get(&address) == Some(&endpoint) {
            open.remove(&address);
        }
        Box::pin(std::future::ready(()))
    }

    fn close_all(&self) -> BoxFuture<'_, ()> {
        self.open.lock().unwrap().clear();
        Box::pin(std::future::ready(()))
    }
}

/// A server with two subnets in one VPC of [`OWNER`].
struct Cloud {
    world: World,
    gate: Arc<Gate>,
    known: Arc<Known>,
    ports: Arc<Ports>,
}

fn subnet(id: &str, address: Ipv4Addr, ports: std::ops::RangeInclusive<u16>) -> Subnet {
    Subnet {
        id: SubnetId::parse(id).unwrap(),
        vpc: VpcId::parse(VPC).unwrap(),
        account: Some(AccountId::parse(OWNER).unwrap()),
        region: Region::parse("us-east-1").unwrap(),
        address: IpAddr::V4(address),
        ports,
    }
}

fn network() -> Network {
    Network::new(vec![
        subnet("subnet-0000000a", Ipv4Addr::new(10, 0, 0, 1), 8000..=8001),
        subnet("subnet-0000000b", Ipv4Addr::new(10, 0, 0, 2), 8000..=8000),
    ])
    .unwrap()
}

impl Cloud {
    async fn new() -> Self {
        let world = World::new();
        for account in [OWNER, OTHER] {
            world.people.root(account);
        }
        let (gate, known, ports) = open(&world, network(), Arc::default()).await;
        Self {
            world,
            gate,
            known,
            ports,
        }
    }

    /// The server anew over what was stored, where these addresses are taken by somebody else.
    async fn restarted(self, taken: &[&str], network: Network) -> Self {
        let ports = Ports {
            open: Mutex::default(),
            taken: Mutex::new(taken.iter().map(|address| address.parse().unwrap()).collect()),
        };
        let (gate, known, ports) = open(&self.world, network, Arc::new(ports)).await;
        Self {
            gate,
            known,
            ports,
            ..self
        }
    }

    /// Asks an operation; the answer is its XML.
    async fn ask(&self, account: &str, action: &str, members: &[(&str, &str)]) -> Result<String, Refused> {
        let mut body = format!("Action={action}&Version=2016-11-15");
        for (name, value) in members {
            body += &["&", name, "=", &escape(value)].concat();
        }
        let request = http::Request::builder()
            .method("POST")
            .uri("/")
            .header("host", "localhost:4566")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={account}/20260101/us-east-1/ec2/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={}",
                    "0".repeat(64)
                ),
            )
            .body(())
            .unwrap();
        let transport = Transport {
            secure: true,
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            endpoint: None,
        };
        let answer = self
            .gate
            .handle(request.into_parts().0, Bytes::from(body), transport)
            .await;
        let xml = String::from_utf8(answer.body().to_vec()).unwrap();
        if answer.status().is_success() {
            return Ok(xml);
        }
        Err(Refused {
            status: answer.status().as_u16(),
            code: text(&xml, "Code"),
            message: text(&xml, "Message"),
        })
    }

    /// Makes an endpoint to SQS; the answer is its id.
    async fn create(&self, more: &[(&str, &str)]) -> Result<String, Refused> {
        let mut members = vec![
            ("VpcEndpointType", "Interface"),
            ("VpcId", VPC),
            ("ServiceName", SQS),
        ];
        members.extend(more);
        let made = self.ask(OWNER, "CreateVpcEndpoint", &members).await?;
        Ok(text(&made, "vpcEndpointId"))
    }

    async fn describe(&self, members: &[(&str, &str)]) -> String {
        self.ask(OWNER, "DescribeVpcEndpoints", members).await.unwrap()
    }

    fn listening(&self) -> Vec<String> {
        let open = self.ports.open.lock().unwrap();
        open.keys().map(SocketAddr::to_string).collect()
    }

    /// Whether the gate knows the endpoint.
    fn knows(&self, id: &str) -> bool {
        self.known.endpoint(VpcEndpointId::parse(id).unwrap()).is_some()
    }
}

async fn open(world: &World, network: Network, ports: Arc<Ports>) -> (Arc<Gate>, Arc<Known>, Arc<Ports>) {
    let known = Arc::<Known>::default();
    let listeners: Arc<dyn Listeners> = Arc::<Ports>::clone(&ports);
    let records = world.records().await;
    let ec2 = Ec2::open(
        world.runtime.clone(),
        records,
        network,
        listeners,
        Arc::clone(&known),
    )
    .await
    .unwrap();
    let mut gate = world.gate();
    gate.serve(ec2, operations::OPERATIONS);
    (Arc::new(gate), known, ports)
}

fn escape(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// The text of the first element of that name.
fn text(xml: &str, name: &str) -> String {
    texts(xml, name).into_iter().next().unwrap_or_default()
}

fn texts(xml: &str, name: &str) -> Vec<String> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&begin).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(&end)?.0.to_owned()))
        .collect()
}
