//! `bulla backup` and `bulla restore`.
//!
//! The data of a running server are backed up by the server itself, asked over its control socket; those of a stopped
//! one by this process, which then has them to itself. Both are the same backup.

use crate::cli::{BackupArguments, OutputFormat, RestoreArguments};
use crate::control_client::{ask, must_be_data, open_stopped};
use crate::control_commands::{BACKUP, report};
use crate::operator_error::{ExitReason, OperatorError};
use serde_json::{Value, json};
use std::path::Path;

/// What is done, what to print, and how the process ends.
pub(crate) struct Done {
    pub(crate) text: String,
    pub(crate) exit: ExitReason,
}

/// `bulla backup`.
pub(crate) fn backup(arguments: &BackupArguments) -> Result<Done, OperatorError> {
    let BackupArguments { data, to, output } = arguments;
    let absolute = std::path::absolute(to).map_err(|error| unusable(to, &error))?;
    let told = absolute.to_str().ok_or_else(|| {
        OperatorError::usage(format!("`{}` cannot be named to the server", to.display()))
            .why("it is not UTF-8")
    })?;
    must_be_data(data)?;
    let value = match ask(data, BACKUP, &json!({ "to": told }))? {
        Some(value) => value,
        None => backup_stopped(data, &absolute)?,
    };
    Ok(done("backed up", &value, to, *output, |text| {
        text.push_str(
            "\nThe root key is not in it, nor is the keyring: keep copies of both in another place.",
        );
    }))
}

/// Nobody uses the data: this process opens them, and nobody else can until it is done.
fn backup_stopped(data: &Path, to: &Path) -> Result<Value, OperatorError> {
    open_stopped(data, async |runtime, stores| {
        let Some(backups) = stores.backups.clone() else {
            return Err(OperatorError::failed("stores in memory have no backups"));
        };
        let taken = backups.take(to, &[], runtime.tasks.as_ref()).await;
        taken
            .map(|taken| report(&taken))
            .map_err(|error| OperatorError::failed(error.to_string()))
    })
}

/// `bulla restore`.
pub(crate) fn restore(arguments: &RestoreArguments) -> Result<Done, OperatorError> {
    let RestoreArguments { from, data, output } = arguments;
    let restored =
        bulla_storage::restore(from, data).map_err(|error| OperatorError::failed(error.to_string()))?;
    Ok(done("restored", &report(&restored), data, *output, |text| {
        text.push_str("\nStart the server with the root key that it had when the backup was taken, and with its keyring; beside the \
             original, with a copy of the keyring.");
    }))
}

fn done(
    verb: &str,
    value: &Value,
    folder: &Path,
    output: OutputFormat,
    advice: impl FnOnce(&mut String),
) -> Done {
    let damaged: Vec<&str> = value
        .get("damaged")
        .and_then(Value::as_array)
        .map(|damaged| damaged.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let exit = if damaged.is_empty() {
        ExitReason::Clean
    } else {
        ExitReason::Failed
    };
    if output == OutputFormat::Json {
        return Done {
            text: value.to_string(),
            exit,
        };
    }
    let number = |name| value.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (files, bytes) = (number("files"), number("bytes"));
    let mut text = format!("{verb} {files} files, {bytes} bytes, to `{}`", folder.display());
    for why in damaged {
        text.push_str("\n  damaged: ");
        text.push_str(why);
    }
    advice(&mut text);
    Done { text, exit }
}

fn unusable(path: &Path, error: &std::io::Error) -> OperatorError {
    OperatorError::usage(format!("`{}` cannot be used", path.display())).why(error)
}
