//! The seam between the listener and what stands behind it.

use bulla_runtime::BoxFuture;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use std::net::IpAddr;

/// What the accepted socket says about a request. Headers such as `X-Forwarded-For` have no part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Whether the request came over TLS; becomes `aws:SecureTransport`.
    pub secure: bool,
    /// The peer's address, IPv4 addresses in their IPv4 form; becomes `aws:SourceIp`.
    pub source_ip: IpAddr,
}

/// Turns requests into answers.
pub trait Handler: Send + Sync {
    /// Answers one request. The body has arrived wholly and is within the limit.
    ///
    /// The future is dropped when the client goes away, so that a long poll does not receive for nobody: every
    /// step of it must be safe to abandon at an await.
    fn handle(&self, parts: Parts, body: Bytes, transport: Transport) -> BoxFuture<'_, Response<Bytes>>;

    /// Forgets everything; only called in open mode.
    fn reset(&self) -> BoxFuture<'_, ()>;

    /// Finishes what is under way and lets go of the data folder; called once, after the last answer.
    fn close(&self) -> BoxFuture<'_, ()>;
}
