//! Where things are in the project, and reading them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    match here.as_deref().and_then(Path::parent) {
        Some(root) => root.to_owned(),
        None => PathBuf::from("."),
    }
}

/// The ignored folder that holds everything `setup` installs.
pub(crate) fn dev() -> PathBuf {
    root().join(".dev")
}

/// A program of the Python environment.
pub(crate) fn venv(program: &str) -> PathBuf {
    dev().join("venv").join("bin").join(program)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

/// Every file git knows or would add, as paths relative to the root, sorted.
pub(crate) fn files() -> Result<Vec<String>, String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("cannot run `git ls-files`: {error}"))?;
    if !listed.status.success() {
        return Err("`git ls-files` failed; tidy works in a git clone".to_owned());
    }
    let text = String::from_utf8_lossy(&listed.stdout);
    let mut files: Vec<String> = text
        .lines()
        .filter(|file| root().join(file).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// What follows the last full stop of a file's name.
pub(crate) fn extension(file: &str) -> &str {
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}
