//! The `bulla` command: listeners, TLS, configuration, command line, composition.
//!
//! Nothing here decides what a request means. A connection becomes bytes with the facts of the socket they came
//! over, and a [`Handler`] turns them into an answer; `compose.rs` is the only file that knows what stands behind.
//! What must stay true: whether a request was secure and where it came from is read from the accepted socket,
//! never from what the client wrote.

mod activity;
mod audit_log;
mod backup;
pub mod browser_guard;
pub mod cli;
mod compose;
pub mod config;
pub mod config_file;
pub mod config_limits;
pub mod config_network;
mod connection;
mod control;
mod control_client;
mod control_commands;
pub mod development_ca;
mod endpoint_listeners;
mod endpoint_tls;
mod explain_command;
mod full;
pub mod generate;
pub mod handler;
mod hardening;
mod held_keys;
mod host;
mod keyring;
mod keys_certificates;
mod keys_command;
mod keys_impact;
pub mod listener;
pub mod load;
mod logging;
pub mod operator_error;
mod overloaded;
mod own_paths;
pub mod policy_cli;
mod policy_decide;
mod policy_lint;
mod proxy_header;
mod refusal;
mod request;
mod root_choice;
mod root_command;
mod root_kms;
mod root_kms_call;
mod root_kms_credentials;
mod root_of_trust;
pub mod root_settings;
mod secret_input;
mod serve;
pub mod server;
mod shutdown;
mod startup;
pub mod tls;

pub use handler::{Handler, Transport};
pub use load::Admitted;
pub use operator_error::{ExitReason, OperatorError};
pub use serve::main;
