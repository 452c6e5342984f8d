//! An operation with its types erased: what the network edge calls by name.

use crate::audit::{AuditRecord, Outcome};
use crate::call::Refusal;
use crate::caller::{Caller, Identity};
use crate::common_error::CommonError;
use crate::gate::Gate;
use crate::operation::{ErrorCode, Family, Operation, OperationName, Service};
use bulla_runtime::BoxFuture;
use bulla_wire::{ErrorRow, Payload, Protocol, Reply, Shape, Structure};
use std::borrow::Cow;

/// An operation's entry in its service's table: plain data.
#[derive(Clone, Copy)]
pub struct Endpoint {
    name: OperationName,
    input: fn() -> &'static Structure,
    output: fn() -> &'static Structure,
    bars: fn(&Identity, &str) -> Option<CommonError>,
    invoke: Invoke,
}

type Invoke =
    for<'a> fn(&'a Gate, &'a Caller, Protocol, Payload<'a>) -> BoxFuture<'a, Result<Reply, Failure>>;

/// Reads the input, makes the call, writes the answer.
fn invoke<'a, O: Operation>(
    gate: &'a Gate,
    caller: &'a Caller,
    protocol: Protocol,
    payload: Payload<'a>,
) -> BoxFuture<'a, Result<Reply, Failure>> {
    let wire = O::Service::WIRE;
    let input = protocol.read::<O::Input>(payload);
    Box::pin(async move {
        let input = input.map_err(|malformed| {
            let (row, message) = protocol.malformed(wire, &malformed);
            Failure {
                row,
                message: Cow::Owned(message),
            }
        })?;
        if let Some(error) = O::Service::bars(caller.identity(), O::NAME) {
            return Err(barred::<O>(gate, caller, &error));
        }
        match gate.call::<O>(caller, input).await.map_err(Refusal::split) {
            Ok(output) => Ok(protocol.success(wire, O::NAME, &output, caller.request_id.as_str())),
            Err(Ok(error)) => Err(Failure::own(&error, protocol)),
            Err(Err(error)) => Err(Failure::common(&error, O::Service::FAMILY)),
        }
    })
}

/// Records and words that the service does not take the caller's credentials.
fn barred<O: Operation>(gate: &Gate, caller: &Caller, error: &CommonError) -> Failure {
    let failure = Failure::common(error, O::Service::FAMILY);
    gate.audit(&AuditRecord {
        operation: OperationName {
            service: O::Service::WIRE.signing_name,
            name: O::NAME,
        },
        caller,
        outcome: Outcome::Failed {
            code: failure.row.bare_shape(),
        },
    });
    failure
}

/// An error on its way to the client: its row and its text.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) row: ErrorRow,
    pub(crate) message: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn common(error: &CommonError, family: Family) -> Self {
        Self {
            row: error.row(family),
            message: Cow::Owned(error.message().into_owned()),
        }
    }

    fn own(error: &impl ErrorCode, protocol: Protocol) -> Self {
        Self {
            row: error.row(),
            message: Cow::Owned(error.message_in(protocol).into_owned()),
        }
    }
}

impl Endpoint {
    /// The entry for `O`.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self {
            name: OperationName {
                service: O::Service::WIRE.signing_name,
                name: O::NAME,
            },
            input: O::Input::structure,
            output: O::Output::structure,
            bars: O::Service::bars,
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

    /// Whether the service does not take the credentials of this principal for the operation.
    pub(crate) fn is_barred_to(&self, identity: &Identity) -> bool {
        (self.bars)(identity, self.name.name).is_some()
    }

    pub(crate) fn call<'a>(
        &self,
        gate: &'a Gate,
        caller: &'a Caller,
        protocol: Protocol,
        payload: Payload<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        (self.invoke)(gate, caller, protocol, payload)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
