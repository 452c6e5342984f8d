//! What the operator can ask of the running server: one table, a row for each command.

use crate::host::Host;
use crate::operator_error::OperatorError;
use bulla_runtime::BoxFuture;
use bulla_storage::BackupReport;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// One command.
pub(crate) struct Command {
    /// What it is asked by.
    pub(crate) name: &'static str,
    /// Does it.
    pub(crate) run: fn(Arc<Host>, Value) -> BoxFuture<'static, Result<Value, OperatorError>>,
}

/// Every command.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "status",
        run: |_, _| {
            Box::pin(std::future::ready(Ok(
                json!({ "version": env!("CARGO_PKG_VERSION") }),
            )))
        },
    },
    Command {
        name: BACKUP,
        run: |host, arguments| Box::pin(backup(host, arguments)),
    },
];

/// Backs up to the folder `to`, an absolute path.
pub(crate) const BACKUP: &str = "backup";

async fn backup(host: Arc<Host>, arguments: Value) -> Result<Value, OperatorError> {
    let to = arguments.get("to").and_then(Value::as_str).map(PathBuf::from);
    let Some(to) = to.filter(|path| path.is_absolute()) else {
        return Err(OperatorError::usage("`backup` needs `to`, an absolute path"));
    };
    Ok(report(&host.back_up(&to).await?))
}

/// What a backup or a restoration did, as JSON.
pub(crate) fn report(report: &BackupReport) -> Value {
    let BackupReport {
        files,
        bytes,
        damaged,
    } = report;
    json!({ "files": files, "bytes": bytes, "damaged": damaged })
}
