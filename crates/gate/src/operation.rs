//! What an operation is: one type that names its wire identity, its shapes, its target and its two steps.
//!
//! The steps are apart so that nothing can be done before it is allowed: [`Operation::resolve`] reads and states
//! what is needed, the gate asks the policies, and only then [`Operation::execute`] receives the proof.

use crate::access::Access;
use crate::call::Call;
use crate::caller::Identity;
use crate::common_error::CommonError;
use bulla_wire::error::common;
use bulla_wire::{ErrorRow, Protocol, ServiceWire, Shape};
use std::borrow::Cow;
use std::future::Future;

/// Wire name of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationName {
    /// Signing name of the service: `sqs`.
    pub service: &'static str,
    /// `SendMessage`.
    pub name: &'static str,
}

/// How a service words the errors that all services have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// SQS: JSON and Query with both names of every error; Query statuses.
    Sqs,
    /// Services that speak JSON alone: `AccessDeniedException`, status 400.
    Json,
    /// Services that speak Query alone: `AccessDenied`, status 403.
    Query,
    /// EC2: `UnauthorizedOperation`, and one error for whatever is wrong with credentials.
    Ec2,
}

/// A service: its names and its state holder.
pub trait Service: Send + Sync + 'static {
    /// How it is found on the wire.
    const WIRE: &'static ServiceWire;
    /// Service principal: `sqs.amazonaws.com`.
    const PRINCIPAL: &'static str;
    /// How it words common errors.
    const FAMILY: Family;
    /// Operations that AWS has and that are not built, if the service has an error to say so.
    const NOT_BUILT: NotBuilt = NotBuilt {
        operations: &[],
        row: common::UNKNOWN_OPERATION,
    };

    /// Why the service does not take the credentials of this caller for the operation, whatever policies say; `None`
    /// lets the policies decide.
    #[must_use]
    fn bars(_: &Identity, _operation: &str) -> Option<CommonError> {
        None
    }
}

/// Operations of AWS's that a caller is told to be not built, rather than unknown.
#[derive(Clone, Copy, Debug)]
pub struct NotBuilt {
    /// Their names.
    pub operations: &'static [&'static str],
    /// How the service says so.
    pub row: ErrorRow,
}

/// An operation's own error. `row` is one exhaustive match: the service's error table.
pub trait ErrorCode: Send + std::fmt::Debug + 'static {
    /// The table row of this error.
    fn row(&self) -> ErrorRow;
    /// Text for the client.
    fn message(&self) -> Cow<'_, str>;
    /// Text for a client that speaks this protocol, where AWS words it differently in one of them.
    fn message_in(&self, _: Protocol) -> Cow<'_, str> {
        self.message()
    }
}

/// What was found, with every question that must be answered with yes.
#[derive(Debug)]
pub struct Resolved<O: Operation> {
    /// The decoded input.
    pub input: O::Input,
    /// What `resolve` found: a queue, a key.
    pub target: O::Target,
    /// Which permissions are needed.
    pub access: Access,
}

/// Proof that the gate allowed this operation on this target. Only the gate makes one.
///
/// ```compile_fail
/// fn forge<O: bulla_gate::Operation>(input: O::Input, target: O::Target) -> bulla_gate::Authorized<O> {
///     bulla_gate::Authorized { input, target }
/// }
/// ```
#[derive(Debug)]
pub struct Authorized<O: Operation> {
    input: O::Input,
    target: O::Target,
}

impl<O: Operation> Authorized<O> {
    pub(crate) fn prove(input: O::Input, target: O::Target) -> Self {
        Self { input, target }
    }

    /// Spends the proof: what was asked, and on what.
    pub fn into_parts(self) -> (O::Input, O::Target) {
        (self.input, self.target)
    }
}

/// One operation of a service's API.
pub trait Operation: Sized + Send + 'static {
    /// Its name on the wire, `SendMessage`.
    const NAME: &'static str;
    /// The state holder.
    type Service: Service;
    /// Request members.
    type Input: Shape + Send;
    /// Response members; [`Empty`](bulla_wire::Empty) where AWS's model has no output.
    type Output: Shape + Send;
    /// Declared errors.
    type Error: ErrorCode;
    /// What is acted on; private to the service.
    type Target: Send;

    /// Finds the target and states every permission that is needed. Reads, never writes.
    fn resolve(
        service: &Self::Service,
        call: &Call<'_>,
        input: Self::Input,
    ) -> impl Future<Output = Result<Resolved<Self>, Self::Error>> + Send;

    /// Does it. Cannot be reached without the proof that the gate allowed it.
    fn execute(
        service: &Self::Service,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}
