//! `bulla keys certificates`: the certificates of destroyed keys, and the public key to check them with.

use crate::backup::Done;
use crate::cli::{OutputFormat, StatusArguments};
use crate::control_client::{ask, must_be_data};
use crate::control_commands::KEYS_CERTIFICATES;
use crate::operator_error::{ExitReason, OperatorError};
use bulla_services::kms::{Certificate, Certificates};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Does what was asked for.
pub(crate) fn run(arguments: &StatusArguments) -> Result<Done, OperatorError> {
    let StatusArguments { data, output } = arguments;
    must_be_data(data)?;
    let value = ask(data, KEYS_CERTIFICATES, &Value::Null)?.ok_or_else(|| {
        OperatorError::failed("no server runs on the data")
            .why("the running server reads the certificates and has their public key")
            .fix("start it, then run this command again")
    })?;
    let text = match output {
        OutputFormat::Json => value.to_string(),
        OutputFormat::Text => told(&value),
    };
    Ok(Done {
        text,
        exit: ExitReason::Clean,
    })
}

fn told(value: &Value) -> String {
    let field = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.unwrap_or("-").to_owned()
    };
    let mut text = field(value, "public_key");
    let certificates = value.get("certificates").and_then(Value::as_array);
    for certificate in certificates.into_iter().flatten() {
        let says = serde_json::from_str(&field(certificate, "certificate")).unwrap_or(Value::Null);
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n{}\n  destroyed    {}\n  scheduled    {} by {}\n  certificate  {}\n  signature    {}\n",
            field(&says, "key"),
            field(&says, "destroyed"),
            field(&says, "scheduled"),
            field(&says, "scheduledBy"),
            field(certificate, "certificate"),
            field(certificate, "signature"),
        );
    }
    text.trim_end().to_owned()
}

/// As they are told to a program.
pub(crate) fn shown(found: &Certificates) -> Value {
    let one = |found: &Certificate| json!({ "certificate": found.certificate, "signature": found.signature });
    let certificates: Vec<Value> = found.certificates.iter().map(one).collect();
    json!({ "public_key": found.public_key, "certificates": certificates })
}
