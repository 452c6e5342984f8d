//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
usage: bulla-bench --server PATH [OPTIONS]

  --server PATH        the `bulla` binary to start and to measure
  --folder PATH        where the data folder is made for the run (default: beside this binary)
  --connections N      kept-alive connections, 1 to 1024 (default 32)
  --queues N           queues that the connections share, 1 to 64 (default 4)
  --messages N         messages per scenario, at most 10000000 (default 40000)
  --seconds N          time per scenario, at most 600 (default 20)
  --body-bytes N       size of a body, 32 to 65536 bytes (default 1024)
  --threads N          threads of the load generator, 1 to 64 (default 1)
  --smoke              few messages, for correctness only";

/// What to do.
pub(crate) enum Command {
    Help,
    /// Be the server that the others are compared with.
    Yardstick,
    Measure(Arguments),
}

/// What to measure, and within what bounds.
pub(crate) struct Arguments {
    pub(crate) server: PathBuf,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) connections: usize,
    pub(crate) queues: usize,
    pub(crate) messages: usize,
    pub(crate) seconds: usize,
    pub(crate) body_bytes: usize,
    pub(crate) threads: usize,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Command, String> {
        let mut arguments = Self {
            server: PathBuf::new(),
            folder: None,
            connections: 32,
            queues: 4,
            messages: 40_000,
            seconds: 20,
            body_bytes: 1024,
            threads: 1,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(Command::Help),
                "--yardstick" => return Ok(Command::Yardstick),
                "--server" => arguments.server = value()?.into(),
                "--folder" => arguments.folder = Some(value()?.into()),
                "--connections" => arguments.connections = number(&word, &value()?, 1, 1024)?,
                "--queues" => arguments.queues = number(&word, &value()?, 1, 64)?,
                "--messages" => arguments.messages = number(&word, &value()?, 1, 10_000_000)?,
                "--seconds" => arguments.seconds = number(&word, &value()?, 1, 600)?,
                "--body-bytes" => arguments.body_bytes = number(&word, &value()?, 32, 65_536)?,
                "--threads" => arguments.threads = number(&word, &value()?, 1, 64)?,
                "--smoke" => {
                    arguments.messages = 200;
                    arguments.connections = 8;
                }
                other => return Err(format!("unknown argument `{other}`")),
            }
        }
        if arguments.server.as_os_str().is_empty() {
            return Err("`--server` is missing".to_owned());
        }
        arguments.connections = arguments.connections.max(arguments.queues);
        Ok(Command::Measure(arguments))
    }
}

fn number(name: &str, value: &str, min: usize, max: usize) -> Result<usize, String> {
    match value.parse() {
        Ok(found) if (min..=max).contains(&found) => Ok(found),
        _ => Err(format!(
            "`{name}` takes a number from {min} to {max}, not `{value}`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_number_out_of_bounds_is_refused() {
        assert!(parse("--server x --connections 1025").is_err());
        assert!(parse("--server x --connections 1024").is_ok());
    }

    #[test]
    fn the_server_must_be_named() {
        assert!(parse("--messages 10").is_err());
    }

    #[test]
    fn every_queue_has_a_connection() {
        let Ok(Command::Measure(arguments)) = parse("--server x --connections 2 --queues 8") else {
            panic!("a measurement was asked for")
        };
        assert_eq!(arguments.connections, 8);
    }
}
