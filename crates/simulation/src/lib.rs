//! Deterministic simulation: the real queue service, the real gate and the real log under simulated time, entropy,
//! disk and crashes, on one thread. A seed decides everything: what the clients do, which task goes on next, how long
//! a commit takes, when the process dies or the power goes and what the disk then has. A judge that knows what SQS
//! promises, and nothing of the implementation, follows along.
//!
//! What is not real: SQLite (the directory is in memory; a crash comes before a commit, or after it and before the
//! answer), the sockets, and signatures (the gate is open, the policies are real).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that is never shipped"
)]

mod client;
mod directory;
mod executor;
mod model;
mod options;
mod people;
mod server;
mod simulation;
mod story;
mod time;
mod workload;
mod world;

pub use options::{Mutation, Options};
pub use simulation::{Report, run};
