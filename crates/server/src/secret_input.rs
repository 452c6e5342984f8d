//! Secrets that the operator gives: read from a file, the environment or the terminal, never from the command line,
//! where every user of the machine can read them.

use crate::operator_error::OperatorError;
use bulla_envelope::SecretBytes;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{Read, Stdin, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The longest secret that is read, bytes.
const SECRET_BYTES_MAX: usize = 4096;

/// The largest file that is read as a whole, bytes.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// The first line of a file that only its owner may read; `-` for standard input.
pub(crate) fn of_file(path: &Path, what: &str) -> Result<SecretBytes, OperatorError> {
    if path == Path::new("-") {
        return of_input(what);
    }
    let (file, refused) = (private_file(path, what)?, |error: std::io::Error| {
        refusal(path, what, error)
    });
    first_line(file).map_err(refused)
}

/// All of a file that only its owner may read.
pub(crate) fn whole_file(path: &Path, what: &str) -> Result<SecretBytes, OperatorError> {
    let mut text = Zeroizing::new(Vec::with_capacity(2 * FILE_BYTES_MAX));
    private_file(path, what)?
        .take(FILE_BYTES_MAX as u64)
        .read_to_end(&mut text)
        .map_err(|error| refusal(path, what, error))?;
    Ok(SecretBytes::new(text.to_vec()))
}

fn refusal(path: &Path, what: &str, why: impl std::fmt::Display) -> OperatorError {
    OperatorError::failed(format!(
        "the file with {what}, `{}`, cannot be used",
        path.display()
    ))
    .why(why)
}

fn private_file(path: &Path, what: &str) -> Result<File, OperatorError> {
    let shown = path.display();
    let refused = |why: String| refusal(path, what, why);
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let metadata = file.metadata().map_err(|error| refused(error.to_string()))?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user && metadata.uid() != 0 {
        return Err(refused(format!(
            "it belongs to user {}, who could read it",
            metadata.uid()
        ))
        .fix(format!("chown {user} {shown}")));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o177 != 0 {
        return Err(
            refused(format!("others than its owner may use it (mode {mode:04o})"))
                .fix(format!("chmod 600 {shown}")),
        );
    }
    Ok(file)
}

/// The value of an environment variable, if it is set and not empty.
pub(crate) fn of_environment(variable: &str) -> Option<SecretBytes> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(|value| SecretBytes::new(value.into_vec()))
}

/// A line of standard input. On a terminal it is asked for and not shown.
pub(crate) fn of_input(what: &str) -> Result<SecretBytes, OperatorError> {
    let input = std::io::stdin();
    let failed = |error: std::io::Error| {
        OperatorError::failed(format!("{what} cannot be read from standard input")).why(error)
    };
    let _hidden = isatty(&input).then(|| Hidden::prompt(&input, what));
    first_line(input.lock()).map_err(failed)
}

/// As [`of_input`], of a secret that is new: on a terminal it is asked for twice, because nobody sees what is typed and a
/// mistake would be found only when it is too late.
pub(crate) fn of_new_input(what: &str) -> Result<SecretBytes, OperatorError> {
    let once = of_input(what)?;
    if !isatty(std::io::stdin()) {
        return Ok(once);
    }
    let again = of_input(&format!("{what} again"))?;
    if once.expose() == again.expose() {
        return Ok(once);
    }
    Err(OperatorError::usage(format!("{what} was not typed the same way twice")).fix("run the command again"))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'a> {
    terminal: &'a Stdin,
    before: Option<Termios>,
}

impl<'a> Hidden<'a> {
    fn prompt(terminal: &'a Stdin, what: &str) -> Self {
        let mut err = std::io::stderr();
        drop(write!(err, "{what}: ").and_then(|()| err.flush()));
        let before = tcgetattr(terminal).ok();
        if let Some(mut silent) = before.clone() {
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(terminal, OptionalActions::Flush, &silent);
        }
        Self { terminal, before }
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(self.terminal, OptionalActions::Flush, before);
        }
        drop(writeln!(std::io::stderr()));
    }
}

/// The bytes up to the first end of a line; nothing of them stays elsewhere.
fn first_line(mut from: impl Read) -> std::io::Result<SecretBytes> {
    let mut read = Zeroizing::new(vec![0; SECRET_BYTES_MAX]);
    let mut filled = 0;
    while let Some(rest) = read.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let count = from.read(rest)?;
        let ended = rest.iter().take(count).any(|byte| *byte == b'\n');
        filled += count;
        if count == 0 || ended {
            break;
        }
    }
    let read = read.get(..filled).unwrap_or_default();
    let line = read.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() == SECRET_BYTES_MAX {
        return Err(std::io::Error::other("the first line is too long"));
    }
    Ok(SecretBytes::new(
        line.strip_suffix(b"\r").unwrap_or(line).to_vec(),
    ))
}

#[cfg(test)]
mod tests {
    use super::{SECRET_BYTES_MAX, first_line};

    #[test]
    fn a_secret_is_the_first_line_as_it_is() {
        for (text, secret) in [
            ("a b ", "a b "),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\nb\n", "a"),
            ("", ""),
        ] {
            assert_eq!(first_line(text.as_bytes()).unwrap().expose(), secret.as_bytes());
        }
        assert!(first_line("x".repeat(SECRET_BYTES_MAX).as_bytes()).is_err());
    }
}
