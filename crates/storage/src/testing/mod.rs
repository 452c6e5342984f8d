//! The contract as tests. Every engine, also a future one, runs the same suites; the suites go through the
//! public traits only.
//!
//! A suite takes a [`Restart`]: how to stop an engine without telling it, and start it again on the same data.

pub mod directory;
pub mod disk;
pub mod log;

use crate::BoxFuture;

/// An engine that can be killed and started again on the same data.
pub trait Restart<E: ?Sized>: Send {
    /// The running engine.
    fn engine(&self) -> &E;
    /// Drops every handle without a farewell and starts again.
    fn restart(&mut self) -> BoxFuture<'_, ()>;
}

/// Bytes from a text, for brevity.
pub(crate) fn text(text: &str) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(text.as_bytes())
}
