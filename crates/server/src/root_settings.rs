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
    /// A token behind PKCS#11.
    Pkcs11,
    /// A key service that speaks the API of AWS KMS.
    Kms,
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

    /// The PKCS#11 module of the token's maker, a shared library.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_ROOT_PKCS11_MODULE",
        hide_env_values = true
    )]
    pub root_pkcs11_module: Option<PathBuf>,

    /// The label of the PKCS#11 token.
    #[arg(
        long,
        value_name = "LABEL",
        env = "BULLA_ROOT_PKCS11_TOKEN",
        hide_env_values = true
    )]
    pub root_pkcs11_token: Option<String>,

    /// The label of the key in the PKCS#11 token; it is made there if it does not exist [default: bulla-root]
    #[arg(
        long,
        value_name = "LABEL",
        env = "BULLA_ROOT_PKCS11_KEY",
        hide_env_values = true
    )]
    pub root_pkcs11_key: Option<String>,

    /// A file, mode 0600, whose first line is the token's PIN; `-` for standard input. Without it the PIN is taken from
    /// `BULLA_ROOT_PKCS11_PIN`, or asked for.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_ROOT_PKCS11_PIN_FILE",
        hide_env_values = true
    )]
    pub root_pkcs11_pin_file: Option<PathBuf>,

    /// The key in the key service: its ARN, its id, or an alias.
    #[arg(long, value_name = "KEY", env = "BULLA_ROOT_KMS_KEY", hide_env_values = true)]
    pub root_kms_key: Option<String>,

    /// The region of the key service [default: that of the key's ARN]
    #[arg(
        long,
        value_name = "REGION",
        env = "BULLA_ROOT_KMS_REGION",
        hide_env_values = true
    )]
    pub root_kms_region: Option<String>,

    /// Scheme, host and port of the key service [default: that of AWS in the region]
    #[arg(
        long,
        value_name = "URL",
        env = "BULLA_ROOT_KMS_ENDPOINT",
        hide_env_values = true
    )]
    pub root_kms_endpoint: Option<String>,

    /// The certificates that the key service's is trusted by, PEM [default: those of this machine]
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_ROOT_KMS_CA_FILE",
        hide_env_values = true
    )]
    pub root_kms_ca_file: Option<PathBuf>,

    /// A file, mode 0600, with the access key for the key service under `[default]`, as AWS clients share it. Without it
    /// the access key is taken from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_ROOT_KMS_CREDENTIALS_FILE",
        hide_env_values = true
    )]
    pub root_kms_credentials_file: Option<PathBuf>,
}
