//! The directory and the log: where state is durable.
