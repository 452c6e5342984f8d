//! The `bulla` command.

fn main() -> std::process::ExitCode {
    bulla_server::main()
}
