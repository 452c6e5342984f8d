//! `DescribeVpcEndpoints`: the endpoints of the caller's account in the region of the call.

use crate::ec2::access::with_region;
use crate::ec2::endpoint::Endpoint;
use crate::ec2::filter::Filters;
use crate::ec2::limits::PAGE_MAX;
use crate::ec2::shapes::{Filter, VpcEndpoint};
use crate::ec2::validate::{self, invalid};
use crate::ec2::{Ec2, Ec2Error};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::VpcEndpointId;
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct DescribeVpcEndpoints;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DescribeVpcEndpointsRequest")]
pub(crate) struct DescribeVpcEndpointsInput {
    pub(crate) dry_run: Option<bool>,
    #[member(query = "VpcEndpointId", flattened, default)]
    pub(crate) vpc_endpoint_ids: Vec<String>,
    #[member(query = "Filter", flattened, default)]
    pub(crate) filters: Vec<Filter>,
    /// 1 to 1,000; more counts as 1,000.
    pub(crate) max_results: Option<i32>,
    pub(crate) next_token: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DescribeVpcEndpointsResult")]
pub(crate) struct DescribeVpcEndpointsOutput {
    #[member(query = "vpcEndpointSet", item = "item")]
    pub(crate) vpc_endpoints: Vec<VpcEndpoint>,
    #[member(query = "nextToken")]
    pub(crate) next_token: Option<String>,
}

impl Operation for DescribeVpcEndpoints {
    const NAME: &'static str = "DescribeVpcEndpoints";
    type Service = Ec2;
    type Input = DescribeVpcEndpointsInput;
    type Output = DescribeVpcEndpointsOutput;
    type Error = Ec2Error;
    type Target = ();

    async fn resolve(
        _: &Ec2,
        call: &Call<'_>,
        input: DescribeVpcEndpointsInput,
    ) -> Result<Resolved<Self>, Ec2Error> {
        let request = AccessRequest::new("ec2:DescribeVpcEndpoints", "*", call.account());
        Ok(Resolved {
            input,
            target: (),
            access: Access::one(with_region(call, request)),
        })
    }

    async fn execute(
        ec2: &Ec2,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DescribeVpcEndpointsOutput, Ec2Error> {
        let (input, ()) = granted.into_parts();
        if input.dry_run == Some(true) {
            return Err(Ec2Error::DryRun);
        }
        let filters = Filters::parse(input.filters)?;
        let page = page(input.max_results)?;
        let after = after(input.next_token.as_deref())?;
        let mut ids = Vec::with_capacity(input.vpc_endpoint_ids.len());
        for text in &input.vpc_endpoint_ids {
            let id = validate::endpoint(text)?;
            if ec2.view().find(call.account(), call.region(), id).is_none() {
                return Err(Ec2Error::VpcEndpointNotFound { id: text.clone() });
            }
            ids.push(id);
        }
        // Every request that comes by an endpoint looks at the view; it is not held while filters are tried.
        let of_caller: Vec<Arc<Endpoint>> = ec2.view().of(call.account(), call.region()).cloned().collect();
        let mut found = of_caller
            .iter()
            .filter(|endpoint| after.is_none_or(|after| endpoint.id > after))
            .filter(|endpoint| ids.is_empty() || ids.contains(&endpoint.id))
            .filter(|endpoint| filters.admit(endpoint));
        let vpc_endpoints: Vec<VpcEndpoint> = found
            .by_ref()
            .take(page)
            .map(|endpoint| VpcEndpoint::from(&**endpoint))
            .collect();
        let last = vpc_endpoints
            .last()
            .map(|endpoint| endpoint.vpc_endpoint_id.clone());
        Ok(DescribeVpcEndpointsOutput {
            next_token: last.filter(|_| found.next().is_some()),
            vpc_endpoints,
        })
    }
}

fn page(max: Option<i32>) -> Result<usize, Ec2Error> {
    match max.map(usize::try_from) {
        None => Ok(PAGE_MAX),
        Some(Ok(count)) if count > 0 => Ok(count.min(PAGE_MAX)),
        Some(_) => Err(invalid("MaxResults is at least 1.")),
    }
}

/// A token is the id of the last endpoint that was shown.
fn after(token: Option<&str>) -> Result<Option<VpcEndpointId>, Ec2Error> {
    let parse =
        |token| VpcEndpointId::parse(token).map_err(|_| invalid("NextToken is not one that was given."));
    token.map(parse).transpose()
}
