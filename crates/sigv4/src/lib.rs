//! AWS Signature Version 4: verification of received requests, and signing of our own.
//!
//! Pure: no clock, no network, no knowledge of services. Bytes of a request and the time go in, a proof or AWS's
//! error comes out. The way is one-directional, and each step is a type that only the step before it can make:
//!
//! 1. [`Presented::parse`] finds the signature material (in the `Authorization` header or the query string) and
//!    says who claims to have signed, for which date, region and service. Nothing is proven yet.
//! 2. The caller looks up the secret of [`Presented::access_key_id`], or a [`SigningKey`] it has cached.
//! 3. [`Presented::verify`] compares, and only it makes a [`Verified`].
//!
//! What must stay true:
//! - A `Verified` exists only for a request whose method, path, query, signed headers and body were signed with the
//!   secret given, whose `host` and `x-amz-*` headers were all signed, and whose date is current.
//! - The query is canonicalised as form decoders read it (`+` is a space), so that a request which is changed in
//!   transit cannot keep its signature and gain another meaning.
//! - Comparison of signatures takes the same time wherever they differ.
//! - Whatever bytes arrive, the answer is a proof or an error, never a panic.
//!
//! The path is canonicalised per [`PathRule`]; with [`PathRule::Normalized`] the paths `/a/../b` and `/b` have one
//! signature, as at AWS, so a router must not grant one what it refuses the other.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests" (read 2026-11-21).

mod canonical;
mod credential;
mod digest;
mod encoding;
mod error;
mod key;
mod parse;
mod query;
mod request;
mod sign;
mod time;
mod verify;

#[cfg(test)]
mod tests;

pub use credential::Credential;
pub use error::{SignatureError, SignatureErrorCode};
pub use key::SigningKey;
pub use parse::{Form, Presented};
pub use request::{PathRule, Payload, RequestHead, ServiceRules};
pub use sign::{SignedHeaders, Signer};
pub use time::RequestTime;
pub use verify::{Secret, Verified};

/// The only algorithm that is understood, as it stands in requests.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a request carries in place of the body's hash when the body is not signed (S3 only).
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// How far a request's date may be from now, to either side, seconds.
///
/// Source: IAM User Guide, "Troubleshoot Signature Version 4 signing" (15 minutes).
pub const SKEW_SECONDS_MAX: u32 = 15 * 60;

/// How long a presigned URL may be valid, seconds (seven days).
///
/// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
pub const PRESIGNED_EXPIRES_SECONDS_MAX: u32 = 7 * 24 * 60 * 60;

/// How many headers a request may list as signed; more would let a small request cost much work.
pub const SIGNED_HEADERS_MAX: usize = 128;

/// The longest access key id that is looked at, bytes. Source: IAM API Reference, `AccessKey`.
pub const ACCESS_KEY_ID_BYTES_MAX: usize = 128;
