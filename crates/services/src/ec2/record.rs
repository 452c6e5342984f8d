//! How endpoints are stored: one directory record each, JSON, in the partition of its account.
//!
//! The format has a number; fields are never renamed or given another meaning under the same number.

use super::endpoint::{Endpoint, Place, parse_stored_policy};
use bulla_types::{AccountId, Region, SubnetId, Timestamp, VpcEndpointId, VpcId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All records begin so; then account and id.
pub(super) const PREFIX: &str = "ec2/vpc-endpoint/";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointRecord {
    format: u32,
    vpc: String,
    region: String,
    service: String,
    policy: String,
    places: Vec<PlaceRecord>,
    tags: BTreeMap<String, String>,
    created_ms: u64,
    request: Option<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceRecord {
    subnet: String,
    address: String,
}

/// The record key of an endpoint.
pub(super) fn record_key(account: AccountId, id: VpcEndpointId) -> Bytes {
    format!("{PREFIX}{account}/{id}").into()
}

/// An endpoint as it is stored.
pub(super) fn encode(endpoint: &Endpoint) -> Result<Bytes, serde_json::Error> {
    let places = endpoint.places.iter().map(|place| PlaceRecord {
        subnet: place.subnet.to_string(),
        address: place.address.to_string(),
    });
    let record = EndpointRecord {
        format: FORMAT,
        vpc: endpoint.vpc.to_string(),
        region: endpoint.region.to_string(),
        service: endpoint.service.clone(),
        policy: endpoint.policy.text().to_owned(),
        places: places.collect(),
        tags: endpoint.tags.clone(),
        created_ms: endpoint.created.as_millis(),
        request: endpoint.request.clone(),
    };
    serde_json::to_vec(&record).map(Bytes::from)
}

/// A stored endpoint.
///
/// # Errors
/// What is wrong with the record, for the operator.
pub(super) fn decode(record_key: &[u8], value: &[u8]) -> Result<Endpoint, String> {
    let (account, id) = parse_record_key(record_key).ok_or("its name is not that of a VPC endpoint")?;
    let record: EndpointRecord = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    if record.format != FORMAT {
        return Err(format!(
            "its format is {}, this version reads {FORMAT}",
            record.format
        ));
    }
    let places = record.places.iter().map(|place| {
        Ok(Place {
            subnet: SubnetId::parse(&place.subnet).map_err(|error| error.to_string())?,
            address: place
                .address
                .parse()
                .map_err(|_| format!("`{}` is not an address", place.address))?,
            failure: None,
        })
    });
    Ok(Endpoint {
        id,
        account,
        vpc: VpcId::parse(&record.vpc).map_err(|error| error.to_string())?,
        region: Region::parse(&record.region).map_err(|error| error.to_string())?,
        service: record.service,
        policy: parse_stored_policy(&record.policy, id)
            .map_err(|error| format!("its policy is not understood: {error}"))?,
        places: places.collect::<Result<_, String>>()?,
        tags: record.tags,
        created: Timestamp::from_millis(record.created_ms),
        request: record.request,
    })
}

fn parse_record_key(record_key: &[u8]) -> Option<(AccountId, VpcEndpointId)> {
    let rest = std::str::from_utf8(record_key).ok()?.strip_prefix(PREFIX)?;
    let (account, id) = rest.split_once('/')?;
    AccountId::parse(account).ok().zip(VpcEndpointId::parse(id).ok())
}
