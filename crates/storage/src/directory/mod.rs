//! Engines of the directory: organizations, principals, policies, keys, queues; small and read all the time.

mod feed;
pub mod memory;
pub mod sqlite;
