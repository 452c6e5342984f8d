//! The settings of `bulla serve`: one typed struct, every field with its default, unit and bounds.
//!
//! A setting is taken from the first place that has it: flag, environment variable, configuration file, default.

use crate::cli::{
    BackupArguments, Command, CommandLine, ConfigCommand, ExplainArguments, KeysCommand, RestoreArguments,
    RootCommand,
};
use crate::config_file::{self, ConfigFile};
use crate::config_limits::LimitSettings;
use crate::config_network::NetworkSettings;
use crate::operator_error::OperatorError;
use crate::policy_cli::PolicyCommand;
use crate::root_settings::RootSettings;
use bulla_types::{AccountId, Region};
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, ValueEnum};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that can be set.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// Address and port to listen on for both TLS and plain HTTP; port 0 takes a free one; may be repeated.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "BULLA_LISTEN",
        hide_env_values = true
    )]
    #[arg(value_delimiter = ',', default_value = "127.0.0.1:4566")]
    pub listen: Vec<SocketAddr>,

    /// The folder that holds everything the server knows.
    #[arg(long, value_name = "FOLDER", env = "BULLA_DATA", hide_env_values = true)]
    #[arg(default_value = "./bulla-data")]
    pub data: PathBuf,

    /// The region that the start-up message exports; a request means the region that its signature names
    #[arg(long, value_name = "REGION", env = "BULLA_REGION", hide_env_values = true)]
    #[arg(default_value = "us-east-1", value_parser = parse_region)]
    pub region: Region,

    /// Scheme, host and port that queue URLs begin with [default: what the client used]
    #[arg(long, value_name = "URL", env = "BULLA_PUBLIC_URL", hide_env_values = true)]
    #[arg(value_parser = parse_public_url)]
    pub public_url: Option<String>,

    /// Keep all data in memory; it is gone when the server stops.
    #[arg(
        long,
        value_name = "true|false",
        env = "BULLA_EPHEMERAL",
        hide_env_values = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set, hide_possible_values = true)]
    pub ephemeral: bool,

    /// For local tests, loopback only: accept any access key without checking the signature.
    #[arg(long, value_name = "true|false", env = "BULLA_OPEN", hide_env_values = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set, hide_possible_values = true)]
    #[arg(help_heading = "Open mode")]
    pub open: bool,

    /// The account of access keys that are not an account's 12 digits themselves.
    #[arg(
        long,
        value_name = "ACCOUNT",
        env = "BULLA_OPEN_ACCOUNT",
        hide_env_values = true
    )]
    #[arg(default_value = "000000000000", value_parser = parse_account)]
    #[arg(help_heading = "Open mode")]
    pub open_account: AccountId,

    /// Allow plain HTTP on addresses other than loopback; without it they answer TLS only.
    #[arg(
        long,
        value_name = "true|false",
        env = "BULLA_ALLOW_PLAIN_HTTP",
        hide_env_values = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set, hide_possible_values = true)]
    #[arg(help_heading = "TLS")]
    pub allow_plain_http: bool,

    /// Your own certificate chain, PEM [default: one signed by a development CA made on first start]
    #[arg(long, value_name = "FILE", env = "BULLA_TLS_CERT", hide_env_values = true)]
    #[arg(help_heading = "TLS")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of your own certificate, PEM.
    #[arg(long, value_name = "FILE", env = "BULLA_TLS_KEY", hide_env_values = true)]
    #[arg(help_heading = "TLS")]
    pub tls_key: Option<PathBuf>,

    /// A further host name or IP address of this server, for the development certificate; may be repeated.
    #[arg(long, value_name = "NAME", env = "BULLA_TLS_NAME", hide_env_values = true)]
    #[arg(value_delimiter = ',', value_parser = parse_tls_name, help_heading = "TLS")]
    pub tls_name: Vec<String>,

    /// Write the development CA's certificate here at start; clients trust it with `AWS_CA_BUNDLE`.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_CA_OUT",
        hide_env_values = true,
        help_heading = "TLS"
    )]
    pub ca_out: Option<PathBuf>,

    /// How log lines are written to standard error.
    #[arg(long, value_name = "FORMAT", env = "BULLA_LOG_FORMAT", hide_env_values = true)]
    #[arg(value_enum, default_value = "text", help_heading = "Logs")]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or targets such as `info,bulla_server=debug`.
    #[arg(long, value_name = "LEVEL", env = "BULLA_LOG_LEVEL", hide_env_values = true)]
    #[arg(default_value = "info", help_heading = "Logs")]
    pub log_level: String,

    /// Write the line that says the server is ready to this file too, once it is.
    #[arg(long, value_name = "FILE", env = "BULLA_READY_FILE", hide_env_values = true)]
    pub ready_file: Option<PathBuf>,

    /// How long requests may take to finish after SIGTERM or SIGINT, seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "BULLA_SHUTDOWN_GRACE_SECONDS",
        hide_env_values = true
    )]
    #[arg(default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub shutdown_grace_seconds: u32,

    /// Networks.
    #[command(flatten, next_help_heading = "Networks")]
    pub network: NetworkSettings,

    /// The folder that holds the erasure keys of KMS keys, outside the data folder and its backups [default: `keyring`
    /// beside the root key file, or beside where it is by default]
    #[arg(long, value_name = "FOLDER", env = "BULLA_KEYRING", hide_env_values = true)]
    #[arg(help_heading = "Root key")]
    pub keyring: Option<PathBuf>,

    /// The root key.
    #[command(flatten, next_help_heading = "Root key")]
    pub root: RootSettings,

    /// Limits on what clients may do.
    #[command(flatten, next_help_heading = "Limits")]
    pub limits: LimitSettings,
}

impl ServeSettings {
    /// Time to finish after the signal to stop.
    #[must_use]
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds.into())
    }

    /// Checks what concerns several settings at once.
    fn check(self) -> Result<Self, OperatorError> {
        let of_endpoints = self.network.subnet.iter().map(|setting| setting.subnet.address);
        let exposed = self
            .listen
            .iter()
            .map(SocketAddr::ip)
            .chain(of_endpoints)
            .find(|address| !address.to_canonical().is_loopback());
        if let (true, Some(address)) = (self.open, exposed) {
            return Err(OperatorError::usage(format!("open mode cannot listen on `{address}`"))
                .why("it accepts every access key without checking a signature, and that address is reachable \
                      from other machines")
                .fix("listen on 127.0.0.1 or [::1] only, or leave out `--open`"));
        }
        if let Err(why) = self.network.network() {
            return Err(OperatorError::usage("the subnets contradict each other").why(why));
        }
        if self.network.tls_client_ca.is_some() && self.allow_plain_http {
            return Err(
                OperatorError::usage("clients cannot need a certificate and be served in the clear")
                    .why("`--tls-client-ca` and `--allow-plain-http` are set")
                    .fix("leave out one of them"),
            );
        }
        if self.limits.max_buffered_bytes < self.limits.max_body_bytes {
            return Err(
                OperatorError::usage("one request's body is allowed more memory than all together")
                    .why("`--max-buffered-bytes` is less than `--max-body-bytes`")
                    .fix("raise the first or lower the second"),
            );
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(
                OperatorError::usage("a certificate and its private key go together")
                    .why("only one of `--tls-cert` and `--tls-key` is set")
                    .fix("set both for your own certificate, none for the development certificate"),
            );
        }
        if let (Some(out), Some(_)) = (&self.ca_out, &self.tls_cert) {
            return Err(
                OperatorError::usage(format!("no development CA to write to `{}`", out.display()))
                    .why("`--tls-cert` names your own certificate, so none is made")
                    .fix("leave out `--ca-out`"),
            );
        }
        Ok(self)
    }
}

/// What the command line asks for, with every setting in its final state.
#[derive(Debug)]
pub enum Request {
    /// Run the server.
    Serve(Box<ServeSettings>),
    /// Copy the data.
    Backup(BackupArguments),
    /// Make a data folder from a copy.
    Restore(RestoreArguments),
    /// Tell why a call was denied.
    Explain(ExplainArguments),
    /// Look after keys.
    Keys(KeysCommand),
    /// Look at the root key or replace it.
    Root(RootCommand),
    /// Ask the policy language.
    Policy(PolicyCommand),
    /// Print this explanation of the settings.
    Print(String),
}

/// Why there is nothing to do.
#[derive(Debug)]
pub enum NoRequest {
    /// Help, the version, or a usage message made by the command line's parser.
    CommandLine(clap::Error),
    /// A setting that cannot be accepted.
    Operator(OperatorError),
}

impl From<clap::Error> for NoRequest {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(error)
    }
}

impl From<OperatorError> for NoRequest {
    fn from(error: OperatorError) -> Self {
        Self::Operator(error)
    }
}

/// Reads flags, environment and configuration file. The first argument is the program's own name.
///
/// # Errors
/// Everything the operator has to be told instead.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, NoRequest> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let first = matches_of(CommandLine::command(), &arguments)?;
    let named = serve_matches(&first).and_then(|matches| matches.get_one::<PathBuf>("config").cloned());
    let file = named
        .as_deref()
        .map(|path| ConfigFile::read(path, &settings_command()))
        .transpose()?;
    let command = match &file {
        Some(file) => with_file(CommandLine::command(), file),
        None => CommandLine::command(),
    };
    let matches = matches_of(command, &arguments)?;
    let sources = serve_matches(&matches).cloned().unwrap_or_default();
    match CommandLine::from_arg_matches(&matches)?.command {
        Command::Serve(arguments) => Ok(Request::Serve(Box::new(arguments.settings.check()?))),
        Command::Backup(arguments) => Ok(Request::Backup(arguments)),
        Command::Restore(arguments) => Ok(Request::Restore(arguments)),
        Command::Explain(arguments) => Ok(Request::Explain(arguments)),
        Command::Keys { command } => Ok(Request::Keys(command)),
        Command::Root { command } => Ok(Request::Root(command)),
        Command::Policy { command } => Ok(Request::Policy(command)),
        Command::Config {
            command: ConfigCommand::Explain(arguments),
        } => {
            arguments.settings.check()?;
            Ok(Request::Print(explain(&sources, file.as_ref())))
        }
    }
}

/// The settings alone, as a command: what a configuration file's keys and values are checked against.
#[must_use]
pub fn settings_command() -> clap::Command {
    ServeSettings::augment_args(clap::Command::new("settings").no_binary_name(true))
}

/// The command line's parser names the flag of a value it refuses, also when it comes from the environment; then
/// the variable is named instead.
fn matches_of(command: clap::Command, arguments: &[OsString]) -> Result<ArgMatches, NoRequest> {
    command
        .try_get_matches_from(arguments)
        .map_err(|error| match check_environment(&error) {
            Err(of_environment) => NoRequest::Operator(of_environment),
            Ok(()) => NoRequest::CommandLine(error),
        })
}

fn check_environment(error: &clap::Error) -> Result<(), OperatorError> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return Ok(());
    }
    let settings = settings_command();
    for arg in settings.get_arguments() {
        if let Some(variable) = arg.get_env()
            && let Some(value) = std::env::var_os(variable)
        {
            let place = format!("environment variable `{}`", variable.to_string_lossy());
            let value = value.to_string_lossy().into_owned();
            config_file::check_values(&settings, arg.get_id().as_str(), &[value], &place)?;
        }
    }
    Ok(())
}

fn serve_matches(matches: &ArgMatches) -> Option<&ArgMatches> {
    match matches.subcommand()? {
        ("serve", serve) => Some(serve),
        ("config", config) => config.subcommand().map(|(_, explain)| explain),
        (_, _) => None,
    }
}

/// The file's values take the place of the defaults, so flags and environment keep going before them.
fn with_file(command: clap::Command, file: &ConfigFile) -> clap::Command {
    let patch = |mut command: clap::Command| {
        for (id, entry) in file.entries() {
            command = command.mut_arg(id, |arg| arg.default_values(entry.values.clone()));
        }
        command
    };
    command
        .mut_subcommand("serve", patch)
        .mut_subcommand("config", |config| config.mut_subcommand("explain", patch))
}

fn explain(matches: &ArgMatches, file: Option<&ConfigFile>) -> String {
    let command = settings_command();
    let width = command
        .get_arguments()
        .map(|arg| arg.get_id().as_str().len())
        .max()
        .unwrap_or_default();
    let mut lines = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let value = matches.get_raw(id).map_or_else(String::new, |values| {
            values
                .map(|value| value.to_string_lossy())
                .collect::<Vec<_>>()
                .join(",")
        });
        let variable = arg.get_env().unwrap_or_default().to_string_lossy();
        let origin = match (matches.value_source(id), file.and_then(|file| file.origin(id))) {
            (Some(ValueSource::CommandLine), _) => format!("flag --{}", id.replace('_', "-")),
            (Some(ValueSource::EnvVariable), _) => format!("environment {variable}"),
            (_, Some(origin)) => format!("file {origin}"),
            (Some(_), None) => "default".to_owned(),
            (None, None) => "not set".to_owned(),
        };
        lines.push(format!("{id:width$} = {value}  ({origin})"));
    }
    lines.join("\n")
}

fn parse_region(text: &str) -> Result<Region, String> {
    Region::parse(text).map_err(|error| error.to_string())
}

fn parse_account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|error| error.to_string())
}

/// `http://` or `https://`, a host, maybe a port, nothing after it.
fn parse_public_url(text: &str) -> Result<String, String> {
    let needed = || "scheme, host and port only, such as https://queues.example.com:4566".to_owned();
    let url: http::Uri = text.parse().map_err(|_| needed())?;
    let scheme_is_http = matches!(url.scheme_str(), Some("http" | "https"));
    let bare = url.path() == "/" && url.query().is_none() && !text.contains('@');
    match url.authority() {
        Some(authority) if scheme_is_http && bare => {
            Ok(format!("{}://{authority}", url.scheme_str().unwrap_or("https")))
        }
        _ => Err(needed()),
    }
}

/// A DNS name, maybe with a first label `*`, or an IP address.
fn parse_tls_name(text: &str) -> Result<String, String> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label_is_valid = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() <= 253 && name.split('.').all(label_is_valid) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a host name without port, such as queues.example.com, or an IP address".to_owned())
    }
}
