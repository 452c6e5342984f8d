//! A service that asks KMS for its caller, as SQS does.

use crate::kms::operations::{GenerateDataKey, GenerateDataKeyInput};
use bulla_gate::{
    Access, AccessRequest, Authorized, Call, Endpoint, ErrorCode, Family, Operation, Refusal, Resolved,
    Service,
};
use bulla_wire::{ErrorRow, Fault, Protocol, ServiceWire, Shape};
use std::borrow::Cow;

/// The service; it has no state.
pub(super) struct Courier;

static COURIER_WIRE: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson11),
    target_prefix: Some("Courier"),
    ..ServiceWire::new("courier")
};

impl Service for Courier {
    const WIRE: &'static ServiceWire = &COURIER_WIRE;
    const PRINCIPAL: &'static str = "courier.amazonaws.com";
    const FAMILY: Family = Family::Json;
}

pub(super) const COURIER_OPERATIONS: &[Endpoint] = &[Endpoint::of::<Carry>()];

#[derive(Debug)]
struct Carry;

#[derive(Debug, Shape)]
struct CarryInput {
    key_id: Option<String>,
}

#[derive(Debug, Shape)]
struct CarryOutput {
    epoch: i64,
}

#[derive(Debug)]
struct CarryError(String);

impl ErrorCode for CarryError {
    fn row(&self) -> ErrorRow {
        ErrorRow {
            shape: "CarryError",
            query_code: "CarryError",
            status: 400,
            fault: Fault::Sender,
        }
    }
    fn message(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl Operation for Carry {
    const NAME: &'static str = "Carry";
    type Service = Courier;
    type Input = CarryInput;
    type Output = CarryOutput;
    type Error = CarryError;
    type Target = ();

    async fn resolve(_: &Courier, call: &Call<'_>, input: CarryInput) -> Result<Resolved<Self>, CarryError> {
        let access = Access::one(AccessRequest::new("courier:Carry", "*", call.account()));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        _: &Courier,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CarryOutput, CarryError> {
        if let (CarryInput { key_id: Some(key_id) }, ()) = granted.into_parts() {
            let input = GenerateDataKeyInput {
                key_id,
                key_spec: Some("AES_256".to_owned()),
                ..Default::default()
            };
            match call.forward::<GenerateDataKey>(input).await {
                Ok(made) => assert_eq!(made.plaintext.expose().len(), 32),
                Err(Refusal::Operation(error)) => return Err(CarryError(error.message().into_owned())),
                Err(other) => return Err(CarryError(format!("{other:?}"))),
            }
        }
        Ok(CarryOutput {
            epoch: i64::try_from(call.authorization_epoch()).unwrap(),
        })
    }
}
