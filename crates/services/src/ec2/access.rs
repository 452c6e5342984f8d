//! What operations ask of the policies.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2" (read 2026-11-21).

use super::Ec2;
use super::endpoint::{Endpoint, endpoint_arn, vpc_arn};
use bulla_gate::{AccessRequest, Call};
use bulla_types::{VpcEndpointId, VpcId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An endpoint that a request names, which may not be there.
#[derive(Debug)]
pub(crate) struct Sought {
    /// Its id as it was written.
    pub(super) text: String,
    pub(super) found: Option<Arc<Endpoint>>,
}

impl Ec2 {
    /// The caller's endpoint of this id in the region of the call.
    pub(super) fn seek(&self, call: &Call<'_>, text: &str) -> Sought {
        let id = VpcEndpointId::parse(text).ok();
        Sought {
            text: text.to_owned(),
            found: id.and_then(|id| self.view().find(call.account(), call.region(), id)),
        }
    }
}

impl Sought {
    /// A question about this endpoint, also when it is not there: who may not ask does not learn that.
    pub(super) fn request(&self, call: &Call<'_>, action: &'static str) -> AccessRequest {
        let Some(endpoint) = &self.found else {
            let arn = endpoint_arn(call.region(), call.account(), &self.text);
            return with_region(call, AccessRequest::new(action, arn, call.account()));
        };
        let request = with_region(call, AccessRequest::new(action, endpoint.arn(), call.account()))
            .with_key("ec2:VpceServiceName", endpoint.service_name())
            .with_key("ec2:VpceServiceOwner", "amazon");
        with_resource_tags(request, &endpoint.tags)
    }
}

/// A question about a subnet.
pub(super) fn of_subnet(call: &Call<'_>, action: &'static str, subnet: &str, vpc: VpcId) -> AccessRequest {
    let (region, account) = (call.region(), call.account());
    let arn = format!("arn:aws:ec2:{region}:{account}:subnet/{subnet}");
    with_region(call, AccessRequest::new(action, arn, account))
        .with_key("ec2:SubnetID", subnet)
        .with_key("ec2:Vpc", vpc_arn(region, account, vpc.as_str()))
}

/// With `ec2:Region`, which every question of EC2 has.
pub(super) fn with_region(call: &Call<'_>, request: AccessRequest) -> AccessRequest {
    request.with_key("ec2:Region", call.region().as_str())
}

fn with_resource_tags(mut request: AccessRequest, tags: &BTreeMap<String, String>) -> AccessRequest {
    for (key, value) in tags {
        request = request
            .with_key(format!("aws:ResourceTag/{key}"), value.clone())
            .with_key(format!("ec2:ResourceTag/{key}"), value.clone());
    }
    request
}

/// With the tags that a request asks for.
pub(super) fn with_request_tags(
    mut request: AccessRequest,
    tags: &BTreeMap<String, String>,
) -> AccessRequest {
    if tags.is_empty() {
        return request;
    }
    for (key, value) in tags {
        request = request.with_key(format!("aws:RequestTag/{key}"), value.clone());
    }
    request.with_keys("aws:TagKeys", tags.keys().cloned().collect())
}
