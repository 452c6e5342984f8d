//! `bulla policy decide`: written cases in, answers out.
//!
//! Lines are answered one after another in bounded memory, so that a pipe can be as long as it likes. A line that is
//! not a case is answered too: who compares two implementations must not lose count.

use crate::operator_error::{ExitReason, OperatorError};
use crate::policy_cli::DecideArguments;
use bulla_policy::case::{Answer, Cases, LINE_BYTES_MAX};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

/// Reads and writes this much at once.
const BUFFER_BYTES: usize = 1 << 16;

pub(crate) fn run(arguments: &DecideArguments) -> Result<ExitReason, OperatorError> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let (name, outcome) = match &arguments.file {
        Some(path) if path != Path::new("-") => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
            (
                name,
                answer_all(BufReader::with_capacity(BUFFER_BYTES, file), out),
            )
        }
        Some(_) | None => ("standard input".to_owned(), answer_all(io::stdin().lock(), out)),
    };
    match outcome {
        Ok(true) => Ok(ExitReason::Clean),
        Ok(false) => Ok(ExitReason::Failed),
        Err(Fault::Read(error)) => Err(unreadable(&name, &error)),
        // Whoever reads the answers has seen enough.
        Err(Fault::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitReason::Failed),
        Err(Fault::Write(error)) => Err(OperatorError::failed("the answers could not be written").why(error)),
    }
}

fn unreadable(name: &str, error: &io::Error) -> OperatorError {
    OperatorError::usage(format!("`{name}` cannot be read"))
        .why(error)
        .fix("name a file of cases, one JSON object a line")
}

enum Fault {
    Read(io::Error),
    Write(io::Error),
}

/// Whether every line was a case.
fn answer_all(mut lines: impl BufRead, mut out: impl Write) -> Result<bool, Fault> {
    let mut cases = Cases::new();
    let mut all_readable = true;
    let mut line = Vec::new();
    while let Some(complete) = next_line(&mut lines, &mut line).map_err(Fault::Read)? {
        let answer = match std::str::from_utf8(&line) {
            Ok(_) if !complete => {
                Answer::unreadable(format!("the line is longer than {LINE_BYTES_MAX} bytes"))
            }
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => cases.answer(text),
            Err(error) => Answer::unreadable(format!("the line is not UTF-8: {error}")),
        };
        all_readable &= answer.is_readable();
        writeln!(out, "{answer}").map_err(Fault::Write)?;
    }
    out.flush().map_err(Fault::Write)?;
    Ok(all_readable)
}

/// Reads the next line, without its end; `false` when it is too long, and then the rest of it is skipped. `None` at
/// the end.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    const MAX: u64 = LINE_BYTES_MAX as u64 + 1;
    line.clear();
    if lines.by_ref().take(MAX).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() || line.len() <= LINE_BYTES_MAX {
        return Ok(Some(true));
    }
    line.clear();
    lines.skip_until(b'\n')?;
    Ok(Some(false))
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES_MAX, answer_all};

    fn answers(input: &[u8]) -> (bool, Vec<String>) {
        let mut out = Vec::new();
        let readable = answer_all(input, &mut out).is_ok_and(|readable| readable);
        let text = String::from_utf8(out).unwrap();
        (readable, text.lines().map(str::to_owned).collect())
    }

    const CASE: &str = r#"{"id":"p","kind":"put","api":"sqs:SetQueueAttributes","policyText":""}"#;

    #[test]
    fn a_line_that_is_too_long_or_no_text_does_not_stop_the_next() {
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        let input = [long.as_bytes(), b"\n\xff\n", CASE.as_bytes()].concat();
        let (readable, lines) = answers(&input);
        assert!(!readable);
        assert!(lines[0].contains("the line is longer than"), "{}", lines[0]);
        assert!(lines[1].contains("the line is not UTF-8"), "{}", lines[1]);
        assert!(lines[2].contains("accept"), "{}", lines[2]);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn empty_lines_are_skipped_and_windows_line_ends_are_read() {
        let (readable, lines) = answers(format!("\n{CASE}\r\n\r\n{CASE}").as_bytes());
        assert!(readable);
        assert_eq!(lines.len(), 2);
    }
}
