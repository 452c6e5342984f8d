//! The IAM policy language: parse, validate, compile, evaluate, combine, explain.
//!
//! A policy is parsed once, when it is stored; whatever is not understood is refused then, with line, column and a
//! caret. A request is decided from compiled policies without allocation, and can be explained afterwards down to the
//! statement and the condition value.
//!
//! The crate is pure: no IO, no clock, no knowledge of services beyond the grammar and quotas of their policies.
//! Authorities: IAM User Guide (policy grammar, elements, evaluation logic), KMS Developer Guide (key policies,
//! grants), Organizations User Guide (SCPs, RCPs), SQS, SNS and S3 guides (resource policies).
//!
//! ```
//! use bulla_policy::*;
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:Send*", "Resource": "*"}}"#;
//! let policy = Policy::parse(text, PolicyKind::Identity(IdentityOwner::Managed)).unwrap();
//! let identity = [std::sync::Arc::new(policy.labelled("orders-writer"))];
//! let layers = Layers { identity: &identity, resource: ResourcePolicy::Ordinary(None), ..Layers::default() };
//! let request = Request {
//!     principal: Principal::User { account: "111122223333", arn: "arn:aws:iam::111122223333:user/ann" },
//!     action: "sqs:SendMessage",
//!     resource: "arn:aws:sqs:eu-central-1:111122223333:orders",
//!     resource_account: "111122223333",
//!     context: &EmptyContext,
//!     same_account_only: false,
//! };
//! assert!(decide(&request, &layers).is_allowed());
//! ```

mod arn;
pub mod case;
mod catalogue;
mod combine;
mod condition;
mod context;
mod decision;
mod diagnostic;
mod evaluate;
mod explain;
mod grant;
mod json;
mod key;
mod kind;
mod limits;
pub mod lint;
mod parse;
mod pattern;
mod policy;
mod principal;
mod request;
mod s3;
mod verdicts;

pub use catalogue::is_same_account_only;
pub use combine::decide;
pub use condition::network::Network;
pub use context::{Context, EmptyContext, MapContext, Value, Values};
pub use decision::{Decision, Layer, Outcome};
pub use diagnostic::{Reason, Rejection};
pub use evaluate::Position;
pub use explain::{
    ConditionReport, Explanation, LayerReport, PolicyReport, StatementReport, Verdict, explain,
};
pub use grant::{Grant, GrantConstraint};
pub use key::{Cardinality, ConditionKey, KnownKey};
pub use kind::{IdentityOwner, PolicyKind, Vendor};
pub use limits::{DOCUMENT_BYTES_MAX, Limits, SizeUnit};
pub use policy::{Effect, Policy, Statement, Version};
pub use principal::Principal;
pub use request::{Layers, Level, Request, ResourcePolicy};
pub use verdicts::{Verdicts, Watched};
