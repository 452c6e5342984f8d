//! One VPC endpoint.

use super::errors::Ec2Error;
use bulla_gate::EndpointFacts;
use bulla_policy::{Policy, PolicyKind, Rejection};
use bulla_types::{AccountId, Region, SubnetId, Timestamp, VpcEndpointId, VpcId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where an endpoint listens in one of its subnets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) subnet: SubnetId,
    pub(super) address: SocketAddr,
    /// Why it does not listen there; not stored.
    pub(super) failure: Option<String>,
}

/// An endpoint as it stands.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) id: VpcEndpointId,
    pub(super) vpc: VpcId,
    pub(super) account: AccountId,
    pub(super) region: Region,
    /// Signing name of the service it leads to.
    pub(super) service: String,
    pub(super) policy: Arc<Policy>,
    pub(super) places: Vec<Place>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: Timestamp,
    /// The token of the request that made it, and what that request asked for.
    pub(super) request: Option<(String, String)>,
}

impl Endpoint {
    /// `com.amazonaws.us-east-1.sqs`.
    pub(super) fn service_name(&self) -> String {
        service_name(self.region, &self.service)
    }

    /// `vpce-….sqs.us-east-1.vpce.amazonaws.com`. Bulla serves no DNS: it is a name of the certificate, which the
    /// operator may let lead to the endpoint's address.
    pub(super) fn dns_name(&self) -> String {
        format!("{}.{}.{}.vpce.amazonaws.com", self.id, self.service, self.region)
    }

    /// The names of its certificate, beside its address.
    pub(super) fn names(&self) -> Vec<String> {
        vec![self.dns_name()]
    }

    /// `available`, or `failed` when an address of it cannot be listened on.
    pub(super) fn state(&self) -> &'static str {
        if self.failure().is_some() {
            "failed"
        } else {
            "available"
        }
    }

    /// Where it does not listen, and why.
    pub(super) fn failure(&self) -> Option<String> {
        let failed = self.places.iter().filter_map(|place| {
            let why = place.failure.as_ref()?;
            Some(format!("{}: {why}", place.address))
        });
        let failed: Vec<String> = failed.collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    pub(super) fn arn(&self) -> String {
        endpoint_arn(self.region, self.account, self.id.as_str())
    }

    /// What the gate is told.
    pub(super) fn facts(&self) -> EndpointFacts {
        EndpointFacts {
            id: self.id,
            vpc: self.vpc,
            vpc_arn: vpc_arn(self.region, self.account, self.vpc.as_str()).into(),
            account: self.account,
            region: self.region,
            service: self.service.as_str().into(),
            policy: [Arc::clone(&self.policy)],
        }
    }
}

/// `com.amazonaws.us-east-1.sqs`.
pub(super) fn service_name(region: Region, service: &str) -> String {
    format!("com.amazonaws.{region}.{service}")
}

/// The ARN of an endpoint, or of all with the id `*`.
pub(super) fn endpoint_arn(region: Region, account: AccountId, id: &str) -> String {
    format!("arn:aws:ec2:{region}:{account}:vpc-endpoint/{id}")
}

/// The ARN of a VPC.
pub(super) fn vpc_arn(region: Region, account: AccountId, id: &str) -> String {
    format!("arn:aws:ec2:{region}:{account}:vpc/{id}")
}

/// The policy of an endpoint that was made without one.
///
/// Source: AWS `PrivateLink` Guide, "Default endpoint policy" (read 2026-11-21).
pub(super) const FULL_ACCESS: &str = r#"{
  "Statement": [
    {
      "Action": "*",
      "Effect": "Allow",
      "Principal": "*",
      "Resource": "*"
    }
  ]
}"#;

/// Compiles a policy that is to be stored; whatever is not understood is refused, never ignored.
pub(super) fn parse_policy(text: &str, id: VpcEndpointId) -> Result<Arc<Policy>, Ec2Error> {
    Policy::parse(text, PolicyKind::VpcEndpoint)
        .map(|policy| label(policy, id))
        .map_err(|rejection| Ec2Error::InvalidPolicyDocument {
            reason: rejection.to_string(),
        })
}

/// Compiles a policy that was stored.
pub(super) fn parse_stored_policy(text: &str, id: VpcEndpointId) -> Result<Arc<Policy>, Rejection> {
    Policy::parse_lenient(text, PolicyKind::VpcEndpoint).map(|policy| label(policy, id))
}

fn label(policy: Policy, id: VpcEndpointId) -> Arc<Policy> {
    Arc::new(policy.labelled(format!("endpoint policy of {id}")))
}
