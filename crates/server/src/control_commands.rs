//! What the operator can ask of the running server: one table, a row for each command.

use crate::host::Host;
use crate::keys_impact;
use crate::operator_error::OperatorError;
use crate::root_choice::RootChoice;
use bulla_runtime::BoxFuture;
use bulla_storage::BackupReport;
use bulla_types::RequestId;
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
        name: EXPLAIN,
        run: |host, arguments| Box::pin(explain(host, arguments)),
    },
    Command {
        name: KEYS_HOLDERS,
        run: |host, arguments| Box::pin(async move { host.held_keys().await?.holders(key_of(&arguments)?) }),
    },
    Command {
        name: KEYS_REVOKE,
        run: |host, arguments| Box::pin(async move { host.held_keys().await?.revoke(key_of(&arguments)?) }),
    },
    Command {
        name: KEYS_IMPACT,
        run: |host, arguments| {
            Box::pin(async move { keys_impact::answer(host.held_keys().await?, key_of(&arguments)?).await })
        },
    },
    Command {
        name: KEYS_CERTIFICATES,
        run: |host, _| Box::pin(async move { host.certificates().await }),
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

/// Why the call `id` was denied, or the last one that was.
pub(crate) const EXPLAIN: &str = "explain";

/// Who holds data keys of the KMS key `key`.
pub(crate) const KEYS_HOLDERS: &str = "keys-holders";

/// Drops the data keys of the KMS key `key`.
pub(crate) const KEYS_REVOKE: &str = "keys-revoke";

/// What would become unreadable with the KMS key `key`.
pub(crate) const KEYS_IMPACT: &str = "keys-impact";

/// The certificates of destroyed keys.
pub(crate) const KEYS_CERTIFICATES: &str = "keys-certificates";

/// Which root key the data are bound to.
pub(crate) const ROOT_STATUS: &str = "root-status";

/// Binds the data to the root key that the arguments name.
pub(crate) const ROOT_ROTATE: &str = "root-rotate";

fn key_of(arguments: &Value) -> Result<&str, OperatorError> {
    let key = arguments.get("key").and_then(Value::as_str);
    key.ok_or_else(|| OperatorError::usage("`keys` needs the name of a KMS key"))
}

async fn backup(host: Arc<Host>, arguments: Value) -> Result<Value, OperatorError> {
    let to = arguments.get("to").and_then(Value::as_str).map(PathBuf::from);
    let Some(to) = to.filter(|path| path.is_absolute()) else {
        return Err(OperatorError::usage("`backup` needs `to`, an absolute path"));
    };
    Ok(report(&host.back_up(&to).await?))
}

async fn explain(host: Arc<Host>, arguments: Value) -> Result<Value, OperatorError> {
    let id = arguments.get("id").and_then(Value::as_str).map(RequestId::parse);
    let id = id
        .transpose()
        .map_err(|_| OperatorError::usage("`explain` needs the id of a call, or none"))?;
    let denial = host.denial(id).await?.ok_or_else(|| {
        OperatorError::failed("no such denial is known")
            .why("the last thousand since the start are kept")
            .fix("make the call again, then ask with `--last`; the log has one line for each denial too")
    })?;
    let reasons: Value = serde_json::from_str(&denial.json).unwrap_or_default();
    Ok(json!({
        "id": denial.id.as_str(),
        "time": denial.time.iso8601_millis(),
        "service": denial.operation.service,
        "operation": denial.operation.name,
        "owner": denial.owner.as_str(),
        "text": denial.text,
        "reasons": reasons,
    }))
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
