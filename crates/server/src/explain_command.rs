//! `bulla explain`: why a call was denied, asked of the running server over its control socket.

use crate::backup::Done;
use crate::cli::{ExplainArguments, OutputFormat};
use crate::control_client::{ask, must_be_data};
use crate::control_commands::EXPLAIN;
use crate::operator_error::{ExitReason, OperatorError};
use bulla_types::RequestId;
use serde_json::{Value, json};

/// Asks and tells.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<Done, OperatorError> {
    must_be_data(&arguments.data)?;
    if let Some(id) = &arguments.id
        && RequestId::parse(id).is_err()
    {
        return Err(OperatorError::usage("this is no id of a call")
            .fix("give the `x-amzn-requestid` of the answer, which an SDK's error calls request id"));
    }
    let Some(mut value) = ask(&arguments.data, EXPLAIN, &json!({ "id": arguments.id }))? else {
        return Err(OperatorError::failed("no server runs on the data")
            .why("the reasons of denials are kept in its memory")
            .fix(
                "start it and make the call again; the log of the time before has one line for each denial",
            ));
    };
    let text = value.get_mut("text").map(Value::take).unwrap_or_default();
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let text = match arguments.output {
        OutputFormat::Json => {
            if let Some(fields) = value.as_object_mut() {
                fields.remove("text");
            }
            value.to_string()
        }
        OutputFormat::Text => format!(
            "{}  {}  {}:{}\n{}",
            field("id"),
            field("time"),
            field("service"),
            field("operation"),
            text.as_str().unwrap_or_default().trim_end(),
        ),
    };
    Ok(Done {
        text,
        exit: ExitReason::Clean,
    })
}
