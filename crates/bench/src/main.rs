//! Measures a server process from outside: messages per second, the server's CPU time per message, latency.
//!
//! Why its own load generator: the clients of the AWS SDKs cost a multiple of the server's time, so that one machine
//! would measure them. This one keeps its connections, signs every request for real and verifies every message.
//! What must stay true: every loop ends by count or by time, and only the loopback interface is used.

mod arguments;
mod clock;
mod connection;
mod messages;
mod process;
mod report;
mod scenario;
mod setting;
mod yardstick;

use std::process::ExitCode;

use arguments::{Arguments, Command};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let command = match Arguments::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(reason) => {
            eprintln!("error: {reason}\n\n{}", arguments::USAGE);
            return ExitCode::FAILURE;
        }
    };
    let outcome = match command {
        Command::Help => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Command::Yardstick => yardstick::serve(),
        Command::Measure(arguments) => measure(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()?;
    let rows = runtime.block_on(async {
        let mut rows = yardstick::measure(arguments).await?;
        rows.extend(setting::measure(arguments).await?);
        Ok::<_, Failure>(rows)
    })?;
    print!("{}", report::table(&rows));
    println!("{}", report::json(&rows, arguments));
    if rows.iter().all(report::Row::is_sound) {
        Ok(())
    } else {
        Err("messages were lost, changed or duplicated, or calls failed".into())
    }
}
