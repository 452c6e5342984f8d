//! What is given in: the received request, and the rules of the service it is for.

use crate::SKEW_SECONDS_MAX;
use crate::digest::{Hash, sha256};

/// The head of a request, in the bytes that were received.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a, H> {
    /// The method, for instance `POST`.
    pub method: &'a str,
    /// The path as received: still percent-encoded, without the query.
    pub path: &'a str,
    /// The query as received, without the question mark; empty when there is none.
    pub query: &'a str,
    /// The headers in the order received, names in any case, a repeated header repeated.
    ///
    /// Over HTTP/2 the caller adds the `:authority` as `host` when there is no `host`.
    pub headers: H,
}

/// The body of a request, or its hash if the caller has it already.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The whole body; it is hashed when needed.
    Bytes(&'a [u8]),
    /// SHA-256 of the body, computed by the caller over the bytes received.
    Sha256([u8; 32]),
}

impl Payload<'_> {
    pub(crate) fn hash(&self) -> Hash {
        match self {
            Self::Bytes(bytes) => sha256(bytes),
            Self::Sha256(hash) => *hash,
        }
    }
}

/// How a path is written in the canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathRule {
    /// Dot segments and repeated slashes are removed and the received path is encoded once more: all services but S3.
    Normalized,
    /// Each segment is decoded and encoded once, nothing is removed: S3.
    AsIs,
}

/// What a service demands of signatures.
#[derive(Clone, Copy, Debug)]
pub struct ServiceRules<'a> {
    /// The name that the credential scope must have, for instance `sqs`.
    pub service: &'a str,
    /// How paths are canonicalised.
    pub path: PathRule,
    /// Whether `UNSIGNED-PAYLOAD` is accepted in `x-amz-content-sha256`, and is what presigned requests have signed.
    pub unsigned_payload: bool,
    /// How far the date of a request may be from now, to either side, seconds.
    pub skew_seconds: u32,
}

impl<'a> ServiceRules<'a> {
    /// The rules of every service but S3: paths normalised, the body always signed, 15 minutes.
    #[must_use]
    pub const fn standard(service: &'a str) -> Self {
        Self {
            service,
            path: PathRule::Normalized,
            unsigned_payload: false,
            skew_seconds: SKEW_SECONDS_MAX,
        }
    }

    /// The rules of S3: paths as they are, unsigned bodies accepted, 15 minutes.
    #[must_use]
    pub const fn s3() -> ServiceRules<'static> {
        ServiceRules {
            service: "s3",
            path: PathRule::AsIs,
            unsigned_payload: true,
            skew_seconds: SKEW_SECONDS_MAX,
        }
    }
}
