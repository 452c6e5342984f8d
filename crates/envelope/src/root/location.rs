//! Where the root key file lies.
//!
//! The first of these that is given: the operator's word (the flag or the settings file), `BULLA_ROOT_KEY_FILE`, and then the
//! place for configuration of whoever runs the server: `/etc/bulla/root.key` for root, otherwise
//! `$XDG_CONFIG_HOME/bulla/root.key` or `$HOME/.config/bulla/root.key`. None of these is in the data folder by default, so that
//! a copy of the data folder alone (a backup, a stolen disk image) does not hold its key.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::RootKeyError;

/// The environment variable that names the root key file.
const VARIABLE: &str = "BULLA_ROOT_KEY_FILE";

/// The path of the root key file, and whether the operator chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyLocation {
    path: PathBuf,
    chosen: bool,
}

impl RootKeyLocation {
    /// The location for this process: `explicit` or what its environment says.
    ///
    /// # Errors
    /// `BULLA-K009` when there is no home folder to fall back to.
    pub fn of_process(explicit: Option<&Path>) -> Result<Self, RootKeyError> {
        Self::choose(
            explicit,
            |name| std::env::var_os(name),
            rustix::process::geteuid().is_root(),
        )
    }

    /// The location by the rules of this module; `is_root` says whether the server runs as root.
    ///
    /// # Errors
    /// `BULLA-K009` when there is no home folder to fall back to.
    pub fn choose(
        explicit: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
        is_root: bool,
    ) -> Result<Self, RootKeyError> {
        let variable = |name: &str| {
            environment(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(path) = explicit.map(Path::to_owned).or_else(|| variable(VARIABLE)) {
            return Ok(Self { path, chosen: true });
        }
        // The XDG Base Directory Specification: a relative path is invalid and to be ignored.
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let folder = if is_root {
            PathBuf::from("/etc")
        } else if let Some(folder) = absolute("XDG_CONFIG_HOME") {
            folder
        } else if let Some(home) = absolute("HOME") {
            home.join(".config")
        } else {
            return Err(RootKeyError::no_location());
        };
        Ok(Self {
            path: folder.join("bulla").join("root.key"),
            chosen: false,
        })
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the operator named it, by flag, settings or environment.
    #[must_use]
    pub fn is_chosen(&self) -> bool {
        self.chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::RootKeyErrorCode;

    fn choose(
        explicit: Option<&str>,
        environment: &[(&str, &str)],
        is_root: bool,
    ) -> Result<String, RootKeyErrorCode> {
        let find = |name: &str| {
            environment
                .iter()
                .find(|pair| pair.0 == name)
                .map(|pair| pair.1.into())
        };
        RootKeyLocation::choose(explicit.map(Path::new), find, is_root)
            .map(|location| location.path().display().to_string())
            .map_err(|error| error.code())
    }

    #[test]
    fn the_first_rule_that_applies_gives_the_path() {
        let all = [
            ("BULLA_ROOT_KEY_FILE", "/v/key"),
            ("XDG_CONFIG_HOME", "/x"),
            ("HOME", "/people/ada"),
        ];
        assert_eq!(choose(Some("/f/key"), &all, false), Ok("/f/key".to_owned()));
        assert_eq!(choose(None, &all, true), Ok("/v/key".to_owned()));
        assert_eq!(choose(None, &all[1..], false), Ok("/x/bulla/root.key".to_owned()));
        assert_eq!(
            choose(None, &all[1..], true),
            Ok("/etc/bulla/root.key".to_owned())
        );
        assert_eq!(
            choose(None, &all[2..], false),
            Ok("/people/ada/.config/bulla/root.key".to_owned())
        );
        assert_eq!(
            choose(
                None,
                &[("XDG_CONFIG_HOME", "x"), ("BULLA_ROOT_KEY_FILE", "")],
                false
            ),
            Err(RootKeyErrorCode::NoLocation)
        );
    }
}
