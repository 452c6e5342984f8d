//! `bulla serve` from start to exit.

use crate::backup::{self, Done};
use crate::cli::OutputFormat;
use crate::config::{self, NoRequest, Request, ServeSettings};
use crate::control::Control;
use crate::development_ca::write_file;
use crate::endpoint_listeners::EndpointListeners;
use crate::host::{Composed, host};
use crate::listener::Listener;
use crate::operator_error::{ExitReason, OperatorError};
use crate::server::{Server, ServerOptions};
use crate::{
    explain_command, hardening, keys_command, logging, policy_cli, root_command, shutdown, startup, tls,
};
use bulla_runtime::Runtime;
use std::fs::DirBuilder;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// VPC endpoints in a subnet, each of which has a socket: as many as a VPC may have.
const LISTENERS_PER_SUBNET_MAX: u32 = 50;
/// How long background work may take to notice that the server has stopped.
const BACKGROUND_GRACE: Duration = Duration::from_secs(1);

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let exit = match config::read(std::env::args_os()) {
        Ok(Request::Serve(settings)) => serve(&settings),
        Ok(Request::Backup(arguments)) => tell(backup::backup(&arguments), arguments.output),
        Ok(Request::Restore(arguments)) => tell(backup::restore(&arguments), arguments.output),
        Ok(Request::Explain(arguments)) => tell(explain_command::run(&arguments), arguments.output),
        Ok(Request::Keys(command)) => tell(keys_command::run(&command), command.output()),
        Ok(Request::Root(command)) => tell(root_command::run(&command), command.output()),
        Ok(Request::Policy(command)) => policy_cli::run(&command),
        Ok(Request::Print(text)) => {
            say(text.trim_end());
            Ok(ExitReason::Clean)
        }
        Err(NoRequest::CommandLine(message)) => {
            drop(message.print());
            Ok(if message.use_stderr() {
                ExitReason::Usage
            } else {
                ExitReason::Clean
            })
        }
        Err(NoRequest::Operator(error)) => Err(error),
    };
    exit.unwrap_or_else(|error| {
        drop(writeln!(std::io::stderr(), "{error}"));
        error.exit()
    })
    .into()
}

/// Says what a command did, in the form that was asked for.
fn tell(outcome: Result<Done, OperatorError>, output: OutputFormat) -> Result<ExitReason, OperatorError> {
    match (outcome, output) {
        (Ok(done), _) => {
            say(&done.text);
            Ok(done.exit)
        }
        (Err(error), OutputFormat::Json) => {
            say(&serde_json::json!({ "error": error.to_json() }).to_string());
            Ok(error.exit())
        }
        (Err(error), OutputFormat::Text) => Err(error),
    }
}

fn serve(settings: &ServeSettings) -> Result<ExitReason, OperatorError> {
    logging::start(settings.log_format, &settings.log_level)?;
    let settings = &within_files(settings.clone(), hardening::apply());
    let world = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("bulla")
        .build()
        .map_err(|error| OperatorError::failed("the server's threads could not start").why(error))?;
    let exit = world.block_on(run(settings));
    world.shutdown_timeout(BACKGROUND_GRACE);
    exit
}

/// A connection that finds no file would fail where a message must be written; so there are no more connections than
/// the system has files for.
fn within_files(mut settings: ServeSettings, room: Option<u32>) -> ServeSettings {
    let listeners = u32::try_from(settings.network.subnet.len()).unwrap_or(u32::MAX);
    let listeners = listeners.saturating_mul(LISTENERS_PER_SUBNET_MAX);
    let room = room.map(|room| room.saturating_sub(listeners).max(1));
    if let Some(room) = room.filter(|room| *room < settings.limits.max_connections) {
        tracing::warn!(
            max_connections = settings.limits.max_connections,
            allowed = room,
            "the limit on open files is too low for as many connections as are allowed: no more than there is room for \
             are served; raise the limit (`ulimit -n`, `LimitNOFILE=`) or lower max_connections"
        );
        settings.limits.max_connections = room;
    }
    settings
}

async fn run(settings: &ServeSettings) -> Result<ExitReason, OperatorError> {
    let (runtime, trigger) = Runtime::system();
    shutdown::on_signals(&runtime, trigger)?;
    if !settings.ephemeral {
        make_data_folder(&settings.data)?;
    }
    // Addresses first: a second server on the same port must not touch the data.
    let mut listeners = Vec::new();
    for address in &settings.listen {
        listeners.push(Listener::bind(*address)?);
    }
    let tls = tls::prepare(settings, &runtime)?;
    let (of_endpoints, new_listeners) = EndpointListeners::new(settings, tls.endpoints.clone());
    let Composed {
        handler,
        host,
        first_start,
        root_key,
        keyring,
        answers,
    } = host(settings, &runtime, Arc::new(of_endpoints)).await?;
    if !settings.ephemeral {
        Control::open(&settings.data)?.serve(&runtime, host);
    }
    let options = ServerOptions::of(settings, &tls);
    let addresses: Vec<SocketAddr> = listeners.iter().map(Listener::address).collect();
    say(&startup::message(
        settings,
        &addresses,
        &tls,
        &root_key,
        &keyring,
        first_start.as_ref(),
    ));
    drop(first_start);
    if *answers.borrow() {
        announce(settings, &addresses)?;
    } else {
        say(&startup::waiting(&addresses));
        announce_later(settings.clone(), addresses, answers, &runtime);
    }
    let exit = Server::new(handler, runtime, options)
        .run_with_endpoints(listeners, new_listeners)
        .await;
    tracing::info!("stopped");
    Ok(exit)
}

/// Connections made from now on are answered: the sockets listen already.
fn announce(settings: &ServeSettings, addresses: &[SocketAddr]) -> Result<(), OperatorError> {
    let line = startup::ready(addresses);
    say(&line);
    match &settings.ready_file {
        Some(path) => write_file(path, &format!("{line}\n"), 0o644),
        None => Ok(()),
    }
}

/// Says that the server is ready when its root key has been reached.
fn announce_later(
    settings: ServeSettings,
    addresses: Vec<SocketAddr>,
    mut answers: watch::Receiver<bool>,
    runtime: &Runtime,
) {
    let shutdown = runtime.shutdown.clone();
    runtime.tasks.spawn(Box::pin(async move {
        tokio::select! {
            () = shutdown.wait() => {}
            reached = answers.wait_for(|answers| *answers) => {
                if reached.is_ok()
                    && let Err(error) = announce(&settings, &addresses)
                {
                    tracing::error!(%error, "the server is ready and could not say so");
                }
            }
        }
    }));
}

fn make_data_folder(path: &Path) -> Result<(), OperatorError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            OperatorError::failed(format!("the data folder `{}` could not be made", path.display()))
                .why(error)
                .fix("let the server's user write there, or choose another folder with `--data`")
        })
}

/// A reader that went away is no reason to stop.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}
