//! An operation with its types erased: what the network edge calls by name.

use crate::call::Refusal;
use crate::caller::Caller;
use crate::common_error::CommonError;
use crate::gate::Gate;
use crate::operation::{ErrorCode, Family, Operation, OperationName, Service};
use bulla_runtime::BoxFuture;
use bulla_wire::{ErrorRow, Route, Shape, Structure, Value};
use std::borrow::Cow;

/// An operation's entry in its service's table: plain data.
#[derive(Clone, Copy)]
pub struct Endpoint {
    name: OperationName,
    family: Family,
    has_result: bool,
    input: fn() -> &'static Structure,
    output: fn() -> &'static Structure,
    invoke: Invoke,
}

type Invoke = for<'a> fn(&'a Gate, &'a Caller, &'a Route<'a>) -> BoxFuture<'a, Result<Vec<u8>, Failure>>;

/// An error on its way to the client: its row and its text.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) row: ErrorRow,
    pub(crate) message: Cow<'static, str>,
    /// A denial's decision may be looked up by the request id.
    pub(crate) denied: bool,
}

impl Failure {
    pub(crate) fn common(error: &CommonError, family: Family) -> Self {
        Self {
            row: error.row(family),
            message: Cow::Owned(error.message(family).into_owned()),
            denied: matches!(error, CommonError::Denied(_)),
        }
    }

    fn own(error: &impl ErrorCode) -> Self {
        Self { row: error.row(), message: Cow::Owned(error.message().into_owned()), denied: false }
    }
}

impl Endpoint {
    /// The entry for `O`.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self {
            name: OperationName { service: O::Service::WIRE.signing_name, name: O::NAME },
            family: O::Service::FAMILY,
            has_result: O::HAS_RESULT,
            input: O::Input::structure,
            output: O::Output::structure,
            invoke: invoke::<O>,
        }
    }

    /// Service and operation.
    #[must_use]
    pub fn name(&self) -> OperationName {
        self.name
    }

    /// The members of the request, for comparison with AWS's model.
    #[must_use]
    pub fn input(&self) -> &'static Structure {
        (self.input)()
    }

    /// The members of the answer, for comparison with AWS's model.
    #[must_use]
    pub fn output(&self) -> &'static Structure {
        (self.output)()
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    pub(crate) async fn call(
        &self,
        gate: &Gate,
        caller: &Caller,
        route: &Route<'_>,
    ) -> Result<Vec<u8>, Failure> {
        (self.invoke)(gate, caller, route).await
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}
