//! The seam between the listener and what stands behind it.

use crate::load::Admitted;
pub use bulla_gate::Transport;
use bulla_runtime::BoxFuture;
use bytes::Bytes;
use http::Response;
use http::request::Parts;

/// Turns requests into answers.
pub trait Handler: Send + Sync {
    /// Answers one request. The body has arrived wholly and is within the limit.
    ///
    /// The future is dropped when the client goes away; the gate then tells those who only wait, and lets a call
    /// that has begun run to its end. The request's place is free when `admitted` is dropped, which is when the call
    /// has ended, not when the client goes away.
    fn handle(
        &self,
        parts: Parts,
        body: Bytes,
        transport: Transport,
        admitted: Option<Admitted>,
    ) -> BoxFuture<'_, Response<Bytes>>;

    /// Whether requests are answered with more than a refusal.
    fn is_ready(&self) -> bool {
        true
    }

    /// Forgets everything; only called in open mode.
    fn reset(&self) -> BoxFuture<'_, ()>;

    /// Finishes what is under way and lets go of the data folder; called once, after the last answer.
    fn close(&self) -> BoxFuture<'_, ()>;
}
