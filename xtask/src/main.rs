//! Set-up, test, tidy and benchmark commands: `cargo xtask setup|test|tidy|bench`.
//!
//! Why a program and not a Makefile: it runs wherever Rust runs and is linted and reviewed like the rest.
//! It depends on the standard library only, so that a fresh clone answers `cargo xtask` within seconds.

mod fuzz;
mod project;
mod run;
mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup                  install boto3, the AWS CLI and the JavaScript SDK into `.dev/` (nothing outside it)
  test [--only A,B]      everything that CI checks, or only the named steps; `--list` prints their names
  test --skip A,B        everything but the named steps
  tidy                   directions between crates, lengths, documents
  bench [ARGUMENTS]      build with the release profile and run the benchmark
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "setup" => setup::run(),
        "test" => test::run(rest),
        "tidy" => tidy::run(),
        "bench" => run::bench(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("unknown command `{other}`\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
