//! Which root key: the settings that name it, the same for `bulla serve` and for `bulla root rotate`.
//!
//! No secret is ever a setting: those come from files, from the environment, or are asked for.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Who can hold the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RootProvider {
    /// A file.
    File,
    /// A passphrase, from which the key is derived.
    Passphrase,
}

/// What names the root key.
#[derive(Args, Clone, Debug, Default)]
pub struct RootSettings {
    /// Who holds the root key [default: whom the other settings here name, else file]
    #[arg(
        long,
        value_name = "PROVIDER",
        env = "BULLA_ROOT_PROVIDER",
        hide_env_values = true
    )]
    #[arg(value_enum)]
    pub root_provider: Option<RootProvider>,

    /// The file with the root key, mode 0600 [default: /etc/bulla/root.key for root, otherwise
    /// ~/.config/bulla/root.key]
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_ROOT_KEY_FILE",
        hide_env_values = true
    )]
    pub root_key_file: Option<PathBuf>,

    /// A file, mode 0600, whose first line is the passphrase; `-` for standard input. Without it the passphrase is
    /// taken from `BULLA_ROOT_PASSPHRASE`, or asked for on the terminal.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_ROOT_PASSPHRASE_FILE",
        hide_env_values = true
    )]
    pub root_passphrase_file: Option<PathBuf>,
}
