//! Comparison of what the services declare with what AWS declares, and a home for the black-box tests.
//!
//! The AWS service models come from the `botocore` package, unpacked by `cargo xtask setup`; nothing of them is kept
//! here, so the comparison is always with the version that `python/requirements.txt` pins. Its model of SQS knows JSON
//! only; names and codes of the Query protocol are compared with the last version that had them, which
//! `python/requirements-models.txt` pins. The clients that talk to a
//! running server are in `python/`, `javascript/` and `rust-sdk/`.

mod compare;
mod model;
mod sqs_errors;

pub use compare::{Described, differences, query_differences};
pub use model::{Model, ModelError};
