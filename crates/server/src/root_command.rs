//! `bulla root status` and `bulla root rotate`.
//!
//! Rotation is done by the running server, asked over its control socket: it holds the instance key, binds it to the
//! new root key and commits that; nothing stops, and the old root key is not needed. Status is told by the server too,
//! or read from the data of a stopped one.

use crate::backup::Done;
use crate::cli::{OutputFormat, RootCommand, RotateArguments, StatusArguments};
use crate::control_client::{ask, must_be_data, open_stopped};
use crate::control_commands::{ROOT_ROTATE, ROOT_STATUS};
use crate::keyring::remembered;
use crate::operator_error::{ExitReason, OperatorError};
use crate::root_choice::RootChoice;
use crate::root_of_trust::binding_of;
use bulla_envelope::Binding;
use bulla_storage::DirectoryWriter;
use serde_json::{Value, json};
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Does what was asked for.
pub(crate) fn run(command: &RootCommand) -> Result<Done, OperatorError> {
    match command {
        RootCommand::Status(arguments) => status(arguments),
        RootCommand::Rotate(arguments) => rotate(arguments),
    }
}

impl RootCommand {
    /// How the outcome is told.
    pub(crate) fn output(&self) -> OutputFormat {
        match self {
            Self::Status(arguments) => arguments.output,
            Self::Rotate(arguments) => arguments.output,
        }
    }
}

fn status(arguments: &StatusArguments) -> Result<Done, OperatorError> {
    let StatusArguments { data, output } = arguments;
    must_be_data(data)?;
    let value = match ask(data, ROOT_STATUS, &Value::Null)? {
        Some(value) => value,
        None => status_stopped(data)?,
    };
    Ok(done(&value, *output, |field| {
        let lines = [
            ("provider", field("provider")),
            ("root key", field("id")),
            ("since", field("since")),
            ("server", field("server")),
            ("place", field("place")),
            ("keyring", field("keyring")),
            ("why", field("why")),
        ];
        let known = lines.iter().filter(|(_, text)| !text.is_empty());
        let lines: Vec<String> = known.map(|(name, text)| format!("{name:<9} {text}")).collect();
        lines.join("\n")
    }))
}

fn status_stopped(data: &Path) -> Result<Value, OperatorError> {
    open_stopped(data, async |runtime, stores| {
        let directory =
            DirectoryWriter::open(stores.directory.as_ref(), "bulla root", runtime.tasks.as_ref())
                .await
                .map_err(|error| OperatorError::failed("the directory cannot be opened").why(error))?;
        let binding = binding_of(&directory).await?.ok_or_else(|| {
            OperatorError::failed("the data are bound to no root key yet")
                .why("no server has served them")
                .fix("start the server on them once")
        })?;
        let mut value = shown(&binding);
        set(&mut value, "server", "stopped");
        set(
            &mut value,
            "keyring",
            remembered(&directory).await?.unwrap_or_default(),
        );
        Ok(value)
    })
}

fn rotate(arguments: &RotateArguments) -> Result<Done, OperatorError> {
    let RotateArguments { data, root, output } = arguments;
    must_be_data(data)?;
    let choice = RootChoice::of(root, true)?;
    let Some(value) = ask(data, ROOT_ROTATE, &choice.to_json()?)? else {
        return Err(OperatorError::failed("no server runs on the data")
            .why("the running server has the key that is bound to the new root key")
            .fix("start it with the root key that it has now, then run this command again"));
    };
    Ok(done(&value, *output, |field| {
        let made = if field("made").is_empty() {
            ""
        } else {
            "It was made just now: keep a copy of it apart from the data.\n"
        };
        format!(
            "the data are bound to root key {} of provider {} ({})\n\
             {made}From now on start the server with the settings of this root key.\n\
             Root key {} of provider {} opens the data no more; backups that were taken before still need it.",
            field("id"),
            field("provider"),
            field("place"),
            field("before_id"),
            field("before_provider")
        )
    }))
}

fn done(value: &Value, output: OutputFormat, tell: impl Fn(&dyn Fn(&str) -> String) -> String) -> Done {
    let field = |name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Done {
        text: match output {
            OutputFormat::Json => value.to_string(),
            OutputFormat::Text => tell(&field),
        },
        exit: ExitReason::Clean,
    }
}

/// A binding as it is told.
pub(crate) fn shown(binding: &Binding) -> Value {
    let since = binding.since_epoch_seconds.and_then(|seconds| {
        let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        at.format(&Rfc3339).ok()
    });
    json!({
        "provider": binding.provider.to_string(),
        "id": binding.id.to_string(),
        "since": since.unwrap_or_else(|| "not known".to_owned()),
    })
}

/// Adds a field.
pub(crate) fn set(value: &mut Value, name: &str, text: impl Into<String>) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), text.into().into());
    }
}
