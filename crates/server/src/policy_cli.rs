//! `bulla policy …`: the policy language asked from the command line, without a server.

use crate::cli::OutputFormat;
use crate::generate::{self, GenerateArguments};
use crate::operator_error::{ExitReason, OperatorError};
use crate::{policy_decide, policy_lint};
use clap::{Args, Subcommand, ValueEnum};
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
    /// Write the least-privilege policies of a queue from what shall be allowed, and prove them.
    #[command(
        after_help = "Exit codes: 0 every call of the proof is decided as intended, 1 some is not, 2 the intent is wrong\n\n\
            Example: bulla policy generate --queue arn:aws:sqs:eu-west-1:111122223333:orders \\\n  \
            --consumer arn:aws:iam::111122223333:role/worker --topic arn:aws:sns:eu-west-1:111122223333:orders \\\n  \
            --administrator arn:aws:iam::111122223333:role/deployer --to ./policies"
    )]
    Generate(Box<GenerateArguments>),
    /// Find what is wrong or dangerous in policy documents.
    #[command(
        after_help = "Exit codes: 0 nothing, or suggestions only; 1 errors or warnings; 2 a file cannot be read\n\n\
            Example: bulla policy lint --kind queue orders-queue.json"
    )]
    Lint(LintArguments),
}

/// What is looked at, and how it is told.
#[derive(Args, Clone, Debug)]
pub struct LintArguments {
    /// Files that hold one policy each; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// What the policies are for; guessed from `Principal` and the actions if it is left out.
    #[arg(long, value_name = "KIND", value_enum)]
    pub kind: Option<Kind>,

    /// How the findings are told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output: OutputFormat,
}

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A managed identity policy.
    Identity,
    /// An inline policy of a user.
    User,
    /// An inline policy of a group.
    Group,
    /// An inline policy of a role.
    Role,
    /// A queue policy.
    Queue,
    /// A topic policy.
    Topic,
    /// A key policy.
    Key,
    /// A bucket policy.
    Bucket,
    /// A role's trust policy.
    Trust,
    /// A session policy.
    Session,
    /// A permissions boundary.
    Boundary,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
    /// The policy of a VPC endpoint.
    Endpoint,
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
        PolicyCommand::Generate(arguments) => generate::run(arguments),
        PolicyCommand::Lint(arguments) => policy_lint::run(arguments),
    }
}
