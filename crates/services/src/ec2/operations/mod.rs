//! One file per operation, and the table of them: only those of VPC endpoints. What else EC2 has answers
//! `InvalidAction`.

mod create_vpc_endpoint;
mod delete_vpc_endpoints;
mod describe_vpc_endpoints;
mod modify_vpc_endpoint;

use bulla_gate::Endpoint;

/// Everything that EC2 answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<create_vpc_endpoint::CreateVpcEndpoint>(),
    Endpoint::of::<delete_vpc_endpoints::DeleteVpcEndpoints>(),
    Endpoint::of::<describe_vpc_endpoints::DescribeVpcEndpoints>(),
    Endpoint::of::<modify_vpc_endpoint::ModifyVpcEndpoint>(),
];
