//! The command line. The definition here is the one list of settings: flags, environment variables and the keys
//! of the configuration file are all made from it, so they cannot drift apart.

use crate::config::ServeSettings;
use crate::policy_cli::PolicyCommand;
use crate::root_settings::RootSettings;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Queues, topics and keys that speak the AWS API, in one binary, with real authorization.
#[derive(Debug, Parser)]
#[command(
    name = "bulla",
    version,
    propagate_version = true,
    after_help = "Exit codes:\n  \
        0  stopped after every request had been answered\n  \
        1  could not start, or could not go on\n  \
        2  a flag, an environment variable or the configuration file is wrong\n  \
        3  stopped while requests were still waiting for their answer"
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `bulla` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    #[command(
        after_help = "A setting is taken from the first place that has it: the flag, the environment variable, the \
            file named by --config (TOML; the keys are the flags' names with `_` for `-`), the default.\n\n\
            Example: bulla serve --data ./bulla-data --listen 127.0.0.1:4566"
    )]
    Serve(ServeArguments),
    /// Copy a server's data to a folder, while it runs or when it is stopped.
    #[command(
        after_help = "What was acknowledged before the command began is in the copy. The root key and the keyring are \
        not: keep them apart.\n\nExample: bulla backup --data ./bulla-data --to /backups/2026-11-21"
    )]
    Backup(BackupArguments),
    /// Make a data folder from a backup.
    #[command(
        after_help = "The server on it needs the root key that it had when the backup was taken, and the keyring.\n\n\
        Example: bulla restore --from /backups/2026-11-21 --data ./bulla-data"
    )]
    Restore(RestoreArguments),
    /// Look at the root key that protects the data, or replace it.
    Root {
        /// What to do with it.
        #[command(subcommand)]
        command: RootCommand,
    },
    /// Look after the keys of the key service.
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Tell why a call was denied: every policy that was asked, and the smallest change that would allow it.
    #[command(
        after_help = "The id is that of the call: `x-amzn-requestid` in the answer, the request id in an SDK's error.\n\n\
        Example: bulla explain --last --data ./bulla-data"
    )]
    Explain(ExplainArguments),
    /// Ask the policy language, without a server.
    Policy {
        /// What to ask.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Look at the configuration.
    Config {
        /// What to do with it.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// What `bulla config` can do.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting, its value and where the value comes from; takes the same flags as `bulla serve`.
    Explain(ServeArguments),
}

/// What `bulla root` can do.
#[derive(Debug, Subcommand)]
pub enum RootCommand {
    /// Print which root key the data are bound to, who holds it and since when.
    #[command(after_help = "Example: bulla root status --data ./bulla-data")]
    Status(StatusArguments),
    /// Bind the data of a running server to another root key.
    #[command(
        after_help = "The server goes on without a pause, and the old root key is not asked. Give the same root settings \
            that the server shall be started with from now on.\n\n\
            Example: bulla root rotate --data ./bulla-data --root-key-file /etc/bulla/root-2.key"
    )]
    Rotate(Box<RotateArguments>),
}

/// What `bulla keys` can do.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Print who may use cached data keys of a KMS key, in which queue and until when.
    #[command(after_help = "Example: bulla keys holders alias/orders --data ./bulla-data")]
    Holders(KeyArguments),
    /// Drop all cached data keys of a KMS key: the next call of everybody asks for the key again.
    #[command(
        after_help = "Nothing is lost, and who may use the key is not changed: disable the key or change its policy for that.\n\n\
            Example: bulla keys revoke alias/orders --data ./bulla-data"
    )]
    Revoke(KeyArguments),
    /// Print what becomes unreadable when a KMS key is destroyed; ask before you schedule its deletion.
    #[command(
        after_help = "Messages are counted by reading all that are stored: it takes a while.\n\n\
            Example: bulla keys impact alias/orders --data ./bulla-data"
    )]
    Impact(KeyArguments),
    /// Print the certificates of destroyed keys, and the public key to check them with.
    #[command(after_help = "Example: bulla keys certificates --data ./bulla-data --output json")]
    Certificates(StatusArguments),
}

/// Whose data keys.
#[derive(Args, Clone, Debug)]
pub struct KeyArguments {
    /// The KMS key: its id, its ARN, an alias or the ARN of an alias.
    #[arg(value_name = "KEY")]
    pub key: String,

    /// The server's data folder.
    #[arg(long, value_name = "FOLDER", env = "BULLA_DATA", hide_env_values = true)]
    #[arg(default_value = "./bulla-data")]
    pub data: PathBuf,

    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// Whose root key is looked at.
#[derive(Args, Clone, Debug)]
pub struct StatusArguments {
    /// The server's data folder.
    #[arg(long, value_name = "FOLDER", env = "BULLA_DATA", hide_env_values = true)]
    #[arg(default_value = "./bulla-data")]
    pub data: PathBuf,

    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// Whose root key is replaced by which.
#[derive(Args, Clone, Debug)]
pub struct RotateArguments {
    /// The server's data folder.
    #[arg(long, value_name = "FOLDER", env = "BULLA_DATA", hide_env_values = true)]
    #[arg(default_value = "./bulla-data")]
    pub data: PathBuf,

    /// The new root key. A file that does not exist yet is made, with a new key.
    #[command(flatten)]
    pub root: RootSettings,

    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// Which denial is explained.
#[derive(Args, Clone, Debug)]
pub struct ExplainArguments {
    /// The call that was denied.
    #[arg(value_name = "ID", required_unless_present = "last", conflicts_with = "last")]
    pub id: Option<String>,

    /// The last call that was denied.
    #[arg(long)]
    pub last: bool,

    /// The server's data folder.
    #[arg(long, value_name = "FOLDER", env = "BULLA_DATA", hide_env_values = true)]
    #[arg(default_value = "./bulla-data")]
    pub data: PathBuf,

    /// How the reasons are told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// What is backed up to where.
#[derive(Args, Clone, Debug)]
pub struct BackupArguments {
    /// The server's data folder.
    #[arg(long, value_name = "FOLDER", env = "BULLA_DATA", hide_env_values = true)]
    #[arg(default_value = "./bulla-data")]
    pub data: PathBuf,

    /// The folder to copy to; it is empty or does not exist.
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,

    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// What is restored to where.
#[derive(Args, Clone, Debug)]
pub struct RestoreArguments {
    /// The backup.
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,

    /// The data folder to make; it is empty or does not exist.
    #[arg(long, value_name = "FOLDER")]
    pub data: PathBuf,

    /// How the outcome is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// How a command tells its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// One JSON object, errors included.
    Json,
}

/// The settings, and where to find more of them.
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// A TOML file with settings; none is read unless it is named.
    #[arg(long, value_name = "FILE", env = "BULLA_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// The settings themselves.
    #[command(flatten)]
    pub settings: ServeSettings,
}
