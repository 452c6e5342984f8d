//! The command line. The definition here is the one list of settings: flags, environment variables and the keys
//! of the configuration file are all made from it, so they cannot drift apart.

use crate::config::ServeSettings;
use clap::{Args, Parser, Subcommand};
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
