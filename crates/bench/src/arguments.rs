//! The command line.

use std::path::PathBuf;

use crate::suites::Suite;

const USAGE: &str = "\
usage: bulla-bench --server PATH [OPTIONS]

  --server PATH        the `bulla` binary to start and to measure
  --folder PATH        where the data folder is made for the run (default: beside this binary)
  --suites A,B         what to measure, or `all` (default: all but backlog and peers): ";

const OPTIONS: &str = "
  --rounds N           measurements of each case, 1 to 99; the median is shown (default 1)
  --connections N      kept-alive connections, 1 to 1024 (default 32)
  --queues N           queues that the connections share, 1 to 64 (default 4)
  --messages N         messages per scenario, at most 10000000 (default 40000)
  --seconds N          time per scenario, at most 600 (default 60)
  --body-bytes N       size of a body, 32 to 65536 bytes (default 1024)
  --backlog N          messages of the deep backlog, at most 20000000 (default 1000000)
  --threads N          threads of the load generator, 1 to 64 (default 1)
  --python PATH        an interpreter that has `moto[server]` or `ministack`, for the peers
  --json PATH          where the figures are written as JSON (default: printed)
  --pictures PATH      a folder for pictures in SVG
  --smoke              few messages, for correctness only";

/// What `--help` prints.
pub(crate) fn usage() -> String {
    let suites: Vec<&str> = Suite::ALL.iter().map(|suite| suite.name()).collect();
    format!("{USAGE}\n                       {}{OPTIONS}", suites.join(", "))
}

/// What to do.
pub(crate) enum Command {
    Help,
    /// Be the server that the others are compared with.
    Yardstick,
    Measure(Box<Arguments>),
}

/// What to measure, and within what bounds.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) server: PathBuf,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) suites: Vec<Suite>,
    pub(crate) rounds: usize,
    pub(crate) connections: usize,
    pub(crate) queues: usize,
    pub(crate) messages: usize,
    pub(crate) seconds: usize,
    pub(crate) body_bytes: usize,
    pub(crate) backlog: usize,
    pub(crate) threads: usize,
    pub(crate) python: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) pictures: Option<PathBuf>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            server: PathBuf::new(),
            folder: None,
            suites: Suite::USUAL.to_vec(),
            rounds: 1,
            connections: 32,
            queues: 4,
            messages: 40_000,
            seconds: 60,
            body_bytes: 1024,
            backlog: 1_000_000,
            threads: 1,
            python: None,
            json: None,
            pictures: None,
        }
    }
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Command, String> {
        let mut arguments = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(Command::Help),
                "--yardstick" => return Ok(Command::Yardstick),
                "--smoke" => arguments.smoke(),
                _ => arguments.set(&word, value()?)?,
            }
        }
        if arguments.server.as_os_str().is_empty() {
            return Err("`--server` is missing".to_owned());
        }
        arguments.connections = arguments.connections.max(arguments.queues);
        Ok(Command::Measure(Box::new(arguments)))
    }

    fn smoke(&mut self) {
        self.messages = 200;
        self.connections = 8;
        self.backlog = 2000;
        self.suites = Suite::ALL
            .into_iter()
            .filter(|suite| *suite != Suite::Peers)
            .collect();
    }

    fn set(&mut self, word: &str, value: String) -> Result<(), String> {
        match word {
            "--server" => self.server = value.into(),
            "--folder" => self.folder = Some(value.into()),
            "--suites" => self.suites = suites(&value)?,
            "--rounds" => self.rounds = number(word, &value, 1, 99)?,
            "--connections" => self.connections = number(word, &value, 1, 1024)?,
            "--queues" => self.queues = number(word, &value, 1, 64)?,
            "--messages" => self.messages = number(word, &value, 1, 10_000_000)?,
            "--seconds" => self.seconds = number(word, &value, 1, 600)?,
            "--body-bytes" => self.body_bytes = number(word, &value, 32, 65_536)?,
            "--backlog" => self.backlog = number(word, &value, 1, 20_000_000)?,
            "--threads" => self.threads = number(word, &value, 1, 64)?,
            "--python" => self.python = Some(value.into()),
            "--json" => self.json = Some(value.into()),
            "--pictures" => self.pictures = Some(value.into()),
            other => return Err(format!("unknown argument `{other}`")),
        }
        Ok(())
    }
}

fn suites(names: &str) -> Result<Vec<Suite>, String> {
    if names == "all" {
        return Ok(Suite::ALL.to_vec());
    }
    names
        .split(',')
        .map(|name| {
            let found = Suite::ALL.into_iter().find(|suite| suite.name() == name);
            found.ok_or_else(|| format!("there is no suite `{name}`"))
        })
        .collect()
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

    fn measured(line: &str) -> Arguments {
        match parse(line) {
            Ok(Command::Measure(arguments)) => *arguments,
            Ok(Command::Help | Command::Yardstick) | Err(_) => panic!("a measurement was asked for"),
        }
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
        assert_eq!(measured("--server x --connections 2 --queues 8").connections, 8);
    }

    #[test]
    fn suites_are_chosen_by_name() {
        let chosen = measured("--server x --suites fifo,core").suites;
        assert_eq!(chosen, [Suite::Fifo, Suite::Core]);
        assert!(parse("--server x --suites speed").is_err());
    }
}
