//! The directory and the log: where state is durable.
//!
//! Two kinds of state, two traits, and for each an embedded engine and one in memory:
//!
//! - the **directory** ([`Directory`]) is small, read all the time and changed rarely; embedded it is SQLite;
//! - the **log** ([`Log`]) is large and short-lived; embedded it is an append-only segment log of our own.
//!
//! Services do not hold owners directly but through [`LogWriter`] and [`DirectoryWriter`], which any number of
//! tasks share. Everything here sees only sealed bytes and knows neither queues nor keys.

mod backup;
pub mod contract;
pub mod directory;
mod directory_writer;
pub mod log;
mod log_writer;
mod open_error;
mod stores;
#[doc(hidden)]
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code that engines outside this crate run too"
)]
pub mod testing;

pub use backup::{BackupError, BackupReport, Backups, is_backup, restore, verify_backup};
pub use contract::{
    Append, BoxFuture, Change, Directory, DirectoryOwner, Error, Expect, Feed, Group, LIMITS, Limits, Log,
    LogOwner, LogReader, Opened, Page, PartitionId, Pos, Record, Token,
};
pub use directory_writer::{DirectoryWriter, partition_of};
pub use log_writer::{Applied, LogWriter, Submission};
pub use open_error::OpenError;
pub use stores::{PARTITIONS, Released, Stores, open_embedded, open_memory, remove_embedded};
