//! Shapes that several operations share. Names in requests begin with a capital, those in answers do not.

use super::endpoint::Endpoint;
use bulla_types::Timestamp;
use bulla_wire::Shape;

/// What a client may say of DNS; none of it is built.
#[derive(Clone, Debug, Default, Shape)]
pub(crate) struct DnsOptionsSpecification {
    pub(crate) dns_record_ip_type: Option<String>,
    pub(crate) private_dns_only_for_inbound_resolver_endpoint: Option<bool>,
    pub(crate) private_dns_preference: Option<String>,
    #[member(query = "PrivateDnsSpecifiedDomain", flattened, default)]
    pub(crate) private_dns_specified_domains: Vec<String>,
}

/// Chosen addresses of a subnet; not built.
#[derive(Clone, Debug, Shape)]
pub(crate) struct SubnetConfiguration {
    pub(crate) subnet_id: Option<String>,
    pub(crate) ipv4: Option<String>,
    pub(crate) ipv6: Option<String>,
}

/// Tags for a kind of resource.
#[derive(Clone, Debug, Shape)]
pub(crate) struct TagSpecification {
    pub(crate) resource_type: Option<String>,
    #[member(query = "Tag", flattened, default)]
    pub(crate) tags: Vec<Tag>,
}

/// One tag.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Tag {
    #[member(query = "key")]
    pub(crate) key: Option<String>,
    #[member(query = "value")]
    pub(crate) value: Option<String>,
}

/// One filter: any of its values.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Filter {
    pub(crate) name: Option<String>,
    #[member(query = "Value", flattened, default)]
    pub(crate) values: Vec<String>,
}

/// A name of an endpoint.
#[derive(Clone, Debug, Shape)]
pub(crate) struct DnsEntry {
    #[member(query = "dnsName")]
    pub(crate) dns_name: Option<String>,
    #[member(query = "hostedZoneId")]
    pub(crate) hosted_zone_id: Option<String>,
}

/// What went wrong with an endpoint.
#[derive(Clone, Debug, Shape)]
pub(crate) struct LastError {
    #[member(query = "message")]
    pub(crate) message: Option<String>,
    #[member(query = "code")]
    pub(crate) code: Option<String>,
}

/// An endpoint as answers show it.
#[derive(Clone, Debug, Shape)]
#[expect(clippy::struct_field_names, reason = "fields are called as AWS's members are")]
pub(crate) struct VpcEndpoint {
    #[member(query = "vpcEndpointId")]
    pub(crate) vpc_endpoint_id: String,
    #[member(query = "vpcEndpointType")]
    pub(crate) vpc_endpoint_type: String,
    #[member(query = "vpcId")]
    pub(crate) vpc_id: String,
    #[member(query = "serviceName")]
    pub(crate) service_name: String,
    #[member(query = "state")]
    pub(crate) state: String,
    #[member(query = "policyDocument")]
    pub(crate) policy_document: String,
    #[member(query = "subnetIdSet", item = "item")]
    pub(crate) subnet_ids: Vec<String>,
    #[member(query = "ipAddressType")]
    pub(crate) ip_address_type: String,
    #[member(query = "privateDnsEnabled")]
    pub(crate) private_dns_enabled: bool,
    #[member(query = "requesterManaged")]
    pub(crate) requester_managed: bool,
    #[member(query = "dnsEntrySet", item = "item")]
    pub(crate) dns_entries: Vec<DnsEntry>,
    #[member(query = "creationTimestamp")]
    pub(crate) creation_timestamp: Timestamp,
    #[member(query = "tagSet", item = "item")]
    pub(crate) tags: Vec<Tag>,
    #[member(query = "ownerId")]
    pub(crate) owner_id: String,
    #[member(query = "lastError")]
    pub(crate) last_error: Option<LastError>,
    #[member(query = "failureReason")]
    pub(crate) failure_reason: Option<String>,
    #[member(query = "serviceRegion")]
    pub(crate) service_region: String,
}

/// The tag under which an endpoint shows where it listens: nothing else in the answer can name a port.
pub(crate) const URL_TAG: &str = "bulla:url";

impl From<&Endpoint> for VpcEndpoint {
    fn from(endpoint: &Endpoint) -> Self {
        let own = endpoint.tags.iter().map(|(key, value)| Tag {
            key: Some(key.clone()),
            value: Some(value.clone()),
        });
        let urls = endpoint.places.iter().map(|place| Tag {
            key: Some(format!("{URL_TAG}:{}", place.subnet)),
            value: Some(format!("https://{}", place.address)),
        });
        let failure = endpoint.failure();
        let is_v6 = endpoint.places.iter().any(|place| place.address.is_ipv6());
        let is_v4 = endpoint.places.iter().any(|place| place.address.is_ipv4());
        Self {
            vpc_endpoint_id: endpoint.id.to_string(),
            vpc_endpoint_type: "Interface".to_owned(),
            vpc_id: endpoint.vpc.to_string(),
            service_name: endpoint.service_name(),
            state: endpoint.state().to_owned(),
            policy_document: endpoint.policy.text().to_owned(),
            subnet_ids: endpoint
                .places
                .iter()
                .map(|place| place.subnet.to_string())
                .collect(),
            ip_address_type: match (is_v4, is_v6) {
                (true, true) => "dualstack",
                (false, true) => "ipv6",
                (_, false) => "ipv4",
            }
            .to_owned(),
            private_dns_enabled: false,
            requester_managed: false,
            dns_entries: vec![DnsEntry {
                dns_name: Some(endpoint.dns_name()),
                hosted_zone_id: None,
            }],
            creation_timestamp: endpoint.created,
            tags: own.chain(urls).collect(),
            owner_id: endpoint.account.to_string(),
            last_error: failure.clone().map(|why| LastError {
                message: Some(why),
                code: Some("ListenFailed".to_owned()),
            }),
            failure_reason: failure,
            service_region: endpoint.region.to_string(),
        }
    }
}
