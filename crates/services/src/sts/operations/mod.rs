//! One file per operation, and the table of them. What AWS has beyond the table answers `UnsupportedOperation`.

mod assume_role;
mod decode_authorization_message;
mod get_access_key_info;
mod get_caller_identity;
mod get_federation_token;
mod get_session_token;

use bulla_gate::Endpoint;

/// Everything that STS answers to.
pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<assume_role::AssumeRole>(),
    Endpoint::of::<decode_authorization_message::DecodeAuthorizationMessage>(),
    Endpoint::of::<get_access_key_info::GetAccessKeyInfo>(),
    Endpoint::of::<get_caller_identity::GetCallerIdentity>(),
    Endpoint::of::<get_federation_token::GetFederationToken>(),
    Endpoint::of::<get_session_token::GetSessionToken>(),
];
