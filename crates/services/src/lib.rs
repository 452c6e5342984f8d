//! The services, one folder each.
//!
//! In this order; a service names operations of services to its left, or a small handle that the left one exports on
//! purpose, and nothing else of a sibling's: `iam · sts · organizations · kms · sqs`.

pub mod iam;
pub mod kms;
pub mod organizations;
pub mod sqs;
pub mod sts;
#[cfg(test)]
mod testing;
