//! Engines of the log: messages, delivery tasks, audit records; large and short-lived.

pub mod memory;
pub mod segment;
