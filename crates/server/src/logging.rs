//! Structured logs on standard error; standard output belongs to what the operator asked to see.

use crate::config::LogFormat;
use crate::operator_error::OperatorError;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process.
///
/// # Errors
/// When the level is not one.
pub(crate) fn start(format: LogFormat, level: &str) -> Result<(), OperatorError> {
    let filter = EnvFilter::builder().parse(level).map_err(|error| {
        OperatorError::usage(format!("log level `{level}` is not one"))
            .why(error)
            .fix("use error, warn, info, debug or trace, or targets such as `info,bulla_server=debug`")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
    started.map_err(|error| OperatorError::failed("logging could not start").why(error))
}
