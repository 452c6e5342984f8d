//! What the operator can ask of the running server: one table, a row for each command.

use crate::host::Host;
use crate::operator_error::OperatorError;
use crate::root_choice::RootChoice;
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
    Command {
        name: ROOT_STATUS,
        run: |host, _| Box::pin(async move { host.root_status().await }),
    },
    Command {
        name: ROOT_ROTATE,
        run: |host, arguments| Box::pin(rotate_root(host, arguments)),
    },
];

/// Backs up to the folder `to`, an absolute path.
pub(crate) const BACKUP: &str = "backup";

/// Which root key the data are bound to.
pub(crate) const ROOT_STATUS: &str = "root-status";

/// Binds the data to the root key that the arguments name.
pub(crate) const ROOT_ROTATE: &str = "root-rotate";

async fn backup(host: Arc<Host>, arguments: Value) -> Result<Value, OperatorError> {
    let to = arguments.get("to").and_then(Value::as_str).map(PathBuf::from);
    let Some(to) = to.filter(|path| path.is_absolute()) else {
        return Err(OperatorError::usage("`backup` needs `to`, an absolute path"));
    };
    Ok(report(&host.back_up(&to).await?))
}

async fn rotate_root(host: Arc<Host>, mut arguments: Value) -> Result<Value, OperatorError> {
    let Some(choice) = RootChoice::from_json(&mut arguments) else {
        return Err(
            OperatorError::usage("`root-rotate` needs a root key that this server knows")
                .why("it may be of another version than the command line"),
        );
    };
    host.rotate_root(choice).await
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
