//! `bulla policy …`: the policy language asked from the command line, without a server.

use crate::operator_error::{ExitReason, OperatorError};
use crate::policy_decide;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What `bulla policy` can do.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Answer written cases: requests to decide, and policies to store.
    #[command(
        after_help = "Reads one JSON object a line and prints one line for each, in the same order:\n  \
            {\"id\":…,\"decision\":\"allow|implicit_deny|explicit_deny\",\"layer\":…,\"statement\":…}\n  \
            {\"id\":…,\"result\":\"accept|reject\",\"error\":…,\"message\":…}\n\
            A line that is not a case is answered with its error, the rest is still answered.\n\n\
            Exit codes: 0 every line was a case, 1 some line was not, 2 the file cannot be read\n\n\
            Example: bulla policy decide cases.jsonl"
    )]
    Decide(DecideArguments),
}

/// Where the cases are.
#[derive(Args, Clone, Debug)]
pub struct DecideArguments {
    /// A file of cases; standard input if it is left out or `-`.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(command: &PolicyCommand) -> Result<ExitReason, OperatorError> {
    match command {
        PolicyCommand::Decide(arguments) => policy_decide::run(arguments),
    }
}
