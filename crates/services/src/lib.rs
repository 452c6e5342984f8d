//! The services, one folder each.
//!
//! In this order; a service names operations of services to its left, or a small handle that the left one exports on
//! purpose, and nothing else of a sibling's: `iam · sts · organizations · kms · sqs · ec2`.

pub mod ec2;
pub mod iam;
pub mod kms;
pub mod organizations;
mod policy_warnings;
pub mod sqs;
pub mod sts;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_realm;

use bulla_gate::{Endpoint, Service};
use bulla_wire::ErrorRow;

/// Every operation with its service's error table, as plain data: what conformance compares with AWS's models.
#[must_use]
pub fn catalogue() -> Vec<(Endpoint, Vec<ErrorRow>)> {
    let services: [(&[Endpoint], Vec<ErrorRow>); 6] = [
        (iam::operations::OPERATIONS, iam::IamError::rows()),
        (sts::operations::OPERATIONS, sts::StsError::rows()),
        (
            organizations::operations::OPERATIONS,
            organizations::OrganizationsError::rows(),
        ),
        (kms::operations::OPERATIONS, kms::KmsError::rows()),
        (sqs::operations::OPERATIONS, sqs::errors::SqsError::rows()),
        (ec2::operations::OPERATIONS, ec2::Ec2Error::rows()),
    ];
    let rows = |(operations, errors): (&'static [Endpoint], Vec<ErrorRow>)| {
        operations.iter().map(move |endpoint| (*endpoint, errors.clone()))
    };
    services.into_iter().flat_map(rows).collect()
}

/// The operations of AWS's that each service, by its signing name, says not to have built. Of EC2, of which VPC endpoints
/// alone are here, they are not counted.
#[must_use]
pub fn not_built() -> [(&'static str, &'static [&'static str]); 5] {
    const fn of<S: Service>() -> (&'static str, &'static [&'static str]) {
        (S::WIRE.signing_name, S::NOT_BUILT.operations)
    }
    [
        of::<iam::Iam>(),
        of::<sts::Sts>(),
        of::<organizations::Organizations>(),
        of::<kms::Kms>(),
        of::<sqs::Sqs>(),
    ]
}
