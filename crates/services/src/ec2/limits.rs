//! Quotas and bounds.
//!
//! Sources: VPC User Guide, "Amazon VPC quotas", "AWS `PrivateLink` quotas"; EC2 API Reference (read 2026-11-21).

/// Interface endpoints in a VPC.
pub(super) const ENDPOINTS_PER_VPC_MAX: usize = 50;
/// Tags of a resource.
pub(super) const TAGS_MAX: usize = 50;
/// Characters of a tag's key.
pub(super) const TAG_KEY_CHARS_MAX: usize = 127;
/// Characters of a tag's value.
pub(super) const TAG_VALUE_CHARS_MAX: usize = 256;
/// Characters of a client token.
pub(super) const CLIENT_TOKEN_CHARS_MAX: usize = 64;
/// Endpoints in an answer.
pub(super) const PAGE_MAX: usize = 1000;
/// Bytes of a filter's name or value.
pub(super) const FILTER_BYTES_MAX: usize = 255;
/// Values of all filters of a request together.
pub(super) const FILTER_VALUES_MAX: usize = 200;

/// Signing names of the services that an endpoint may lead to.
pub(super) const SERVICES: [&str; 3] = ["kms", "sqs", "sts"];
