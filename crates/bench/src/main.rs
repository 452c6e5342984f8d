//! Measures a server process from outside: messages per second, the server's CPU time per message, latency.
//!
//! Why its own load generator: the clients of the AWS SDKs cost a multiple of the server's time, so that one machine
//! would measure them. This one keeps its connections, signs every request for real and verifies every message.
//! What must stay true: every loop ends by count or by time, and only the loopback interface is used.

mod arguments;
mod backlog;
mod clock;
mod connection;
mod keys;
mod latency;
mod messages;
mod peers;
mod picture;
mod process;
mod report;
mod scenario;
mod setting;
mod suites;
mod transport;
mod work;
mod yardstick;

use std::process::ExitCode;

use arguments::{Arguments, Command};

/// The same as the server's, so that the yardstick has no worse one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let command = match Arguments::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(reason) => {
            eprintln!("error: {reason}\n\n{}", arguments::usage());
            return ExitCode::FAILURE;
        }
    };
    let outcome = match command {
        Command::Help => {
            println!("{}", arguments::usage());
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
    let findings = runtime.block_on(suites::run(arguments))?;
    print!("{}", report::table(&findings.rows));
    for (name, value) in &findings.facts {
        println!("{name}: {value}");
    }
    let json = report::json(&findings.rows, &findings.facts, arguments);
    match &arguments.json {
        Some(path) => std::fs::write(path, format!("{json:#}\n"))?,
        None => println!("{json}"),
    }
    if let Some(folder) = &arguments.pictures {
        std::fs::create_dir_all(folder)?;
        for (name, picture) in &findings.pictures {
            std::fs::write(folder.join(name), picture)?;
        }
    }
    if findings.rows.iter().all(report::Row::is_sound) {
        Ok(())
    } else {
        Err("messages were lost, changed, duplicated or out of order, or calls failed".into())
    }
}
