//! `bulla keys holders`, `revoke` and `impact`, asked of the running server over its control socket: data keys in clear
//! are in its memory alone.

use crate::backup::Done;
use crate::cli::{KeyArguments, KeysCommand, OutputFormat};
use crate::control_client::{ask, must_be_data};
use crate::control_commands::{KEYS_HOLDERS, KEYS_IMPACT, KEYS_REVOKE};
use crate::operator_error::{ExitReason, OperatorError};
use crate::{keys_certificates, keys_impact};
use serde_json::{Value, json};

/// Does what was asked for.
pub(crate) fn run(command: &KeysCommand) -> Result<Done, OperatorError> {
    let (name, arguments, tell): (_, _, fn(&Value) -> String) = match command {
        KeysCommand::Holders(arguments) => (KEYS_HOLDERS, arguments, holders),
        KeysCommand::Revoke(arguments) => (KEYS_REVOKE, arguments, revoked),
        KeysCommand::Impact(arguments) => (KEYS_IMPACT, arguments, keys_impact::told),
        KeysCommand::Certificates(arguments) => return keys_certificates::run(arguments),
    };
    let KeyArguments { key, data, output } = arguments;
    must_be_data(data)?;
    let Some(value) = ask(data, name, &json!({ "key": key }))? else {
        return Err(OperatorError::failed("no server runs on the data")
            .why("the running server alone has data keys in clear, and reads the messages")
            .fix("start it, then run this command again"));
    };
    Ok(Done {
        text: match output {
            OutputFormat::Json => value.to_string(),
            OutputFormat::Text => tell(&value),
        },
        exit: ExitReason::Clean,
    })
}

impl KeysCommand {
    /// How the outcome is told.
    pub(crate) fn output(&self) -> OutputFormat {
        match self {
            Self::Holders(arguments) | Self::Revoke(arguments) | Self::Impact(arguments) => arguments.output,
            Self::Certificates(arguments) => arguments.output,
        }
    }
}

fn holders(value: &Value) -> String {
    let held = value.get("holders").and_then(Value::as_array);
    let mut lines = vec![format!(
        "{}: {} of data keys, {} in clear to open messages",
        text(value, "key"),
        counted(held.map_or(0, Vec::len), "holder"),
        counted(number(value, "data_keys"), "data key"),
    )];
    lines.extend(held.into_iter().flatten().map(line));
    lines.join("\n")
}

fn line(holder: &Value) -> String {
    let access_key = match text(holder, "access_key") {
        "" => String::new(),
        access_key => format!(" ({access_key})"),
    };
    let current = holder.get("current").and_then(Value::as_bool).unwrap_or_default();
    format!(
        "{}{access_key}  {}  {}  {} to {}{}",
        text(holder, "principal"),
        text(holder, "use"),
        text(holder, "queue"),
        text(holder, "since"),
        text(holder, "until"),
        if current {
            ""
        } else {
            "  (access has changed since: the key is asked for on the next call)"
        },
    )
}

fn revoked(value: &Value) -> String {
    format!(
        "{}: {} and {} dropped; everybody's next call asks for the key again",
        text(value, "key"),
        counted(number(value, "holders"), "holder"),
        counted(number(value, "data_keys"), "data key"),
    )
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> usize {
    let number = value.get(name).and_then(Value::as_u64);
    number
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or_default()
}
