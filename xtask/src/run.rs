//! Running other programs: their output is shown as it comes, and the tests they report are counted.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::Command;

use crate::project;

/// How many tests a command reported.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// What came of a command.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) count: Count,
}

pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A command that runs in the project's root, free of the caller's AWS settings.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root());
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("AWS_") || name.starts_with("BULLA_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Whether the program answers to `--version`.
pub(crate) fn present(program: &str, arguments: &[&str]) -> bool {
    command(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Runs to the end; the exit status alone decides.
pub(crate) fn check(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{name}` failed: {status}")),
        Err(error) => Err(format!("cannot run `{name}`: {error}")),
    }
}

/// Runs to the end, prints each line as it comes and counts the tests that the lines report.
pub(crate) fn counted(command: &mut Command) -> Result<Outcome, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("cannot run `{name}`: {error}");
    let (reader, writer) = std::io::pipe().map_err(failed)?;
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut child = command.spawn().map_err(failed)?;
    // The command holds the pipe's writing ends; without this the reader would never see the end.
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut count = Count::default();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        if let Some(seen) = reported(text.trim()) {
            count.passed += seen.passed;
            count.failed += seen.failed;
        }
        line.clear();
    }
    let status = child.wait().map_err(failed)?;
    Ok(Outcome {
        success: status.success(),
        count,
    })
}

/// Reads the closing line of cargo test, cargo-nextest or pytest.
fn reported(line: &str) -> Option<Count> {
    let closing = line.starts_with("test result:")
        || (line.starts_with("Summary [") && line.contains("tests run:"))
        || (line.starts_with('=') && line.contains(" in ") && line.ends_with('='))
        || (line.contains(" in ") && line.ends_with('s') && line.contains(" passed"));
    if !closing {
        return None;
    }
    let words: Vec<&str> = line
        .split([' ', ',', ';'])
        .filter(|word| !word.is_empty())
        .collect();
    let before = |name: &str| -> u64 {
        words
            .windows(2)
            .filter_map(|pair| match pair {
                [number, word] if word.trim_end_matches(['.', '=']) == name => number.parse::<u64>().ok(),
                _ => None,
            })
            .sum()
    };
    Some(Count {
        passed: before("passed"),
        failed: before("failed") + before("errors") + before("error"),
    })
}

/// Builds the server and the load generator as they are shipped and measures.
pub(crate) fn bench(arguments: &[String]) -> Result<(), String> {
    check(cargo().args(["build", "--release", "-p", "bulla-server", "-p", "bulla-bench"]))?;
    let release = project::target().join("release");
    check(
        command(release.join("bulla-bench"))
            .arg("--server")
            .arg(release.join("bulla"))
            .args(arguments),
    )
}

#[cfg(test)]
mod tests {
    use super::reported;

    fn counts(line: &str) -> Option<(u64, u64)> {
        reported(line).map(|count| (count.passed, count.failed))
    }

    #[test]
    fn closing_line_of_cargo_test_is_read() {
        let line = "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(counts(line), Some((4, 1)));
    }

    #[test]
    fn closing_line_of_nextest_is_read() {
        let line = "Summary [   0.301s] 20 tests run: 19 passed, 1 failed, 2 skipped";
        assert_eq!(counts(line), Some((19, 1)));
    }

    #[test]
    fn closing_line_of_pytest_is_read() {
        assert_eq!(
            counts("======== 2 failed, 81 passed, 1 error in 34.84s ========"),
            Some((81, 3))
        );
        assert_eq!(counts("81 passed in 34.84s"), Some((81, 0)));
        assert_eq!(counts("==== 81 passed in 74.84s (0:01:14) ===="), Some((81, 0)));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(counts("test sends_and_receives ... ok"), None);
        assert_eq!(counts("10 passed the door"), None);
    }
}
