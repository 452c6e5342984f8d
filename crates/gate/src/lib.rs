//! The one door. Every call, from a socket or from a sibling service, becomes a [`Caller`] and a typed
//! [`Operation`], and is resolved, authorized, executed and audited here.
//!
//! What must stay true: nothing else makes an [`Authorized`] value; a `Caller` comes from a verified signature or from
//! a service inside; facts of the connection come from the listener; an operation that states no permission is
//! refused. The gate knows no operation and no store.

mod access;
mod audit;
mod authenticate;
mod authorize;
mod call;
mod caller;
mod client;
mod common_error;
mod context;
mod denials;
mod endpoint;
mod gate;
mod http_door;
mod operation;
mod ports;
mod tag_key;
mod verdicts;

pub use access::{Access, AccessRequest, ConditionKeys, Reach, ResourcePolicy};
pub use audit::{AuditRecord, Outcome};
pub use authenticate::Authentication;
pub use authorize::Denial;
pub use call::{Call, Refusal, WaitPermit};
pub use caller::{Caller, Identity, IdentityKind, OrganizationPlace, Source, Transport};
pub use common_error::CommonError;
pub use denials::{DECODE_AUTHORIZATION_MESSAGE, KeptDenial};
pub use endpoint::Endpoint;
pub use gate::{Gate, Ports};
pub use operation::{Authorized, ErrorCode, Family, NotBuilt, Operation, OperationName, Resolved, Service};
pub use ports::{
    AuditTrail, Credential, CredentialRefusal, Credentials, EndpointFacts, Endpoints, NoEndpoints,
    Organizations, SecretAccessKey,
};
pub use tag_key::{fold_tag_key, is_same_tag_key};
