//! Why a backup was not taken or not restored, for the operator.

use crate::contract::Error;
use crate::open_error::OpenError;
use std::fmt;
use std::io;

/// Why a backup was not taken or not restored.
#[derive(Debug)]
pub enum BackupError {
    /// The folder to write to has something in it.
    NotEmpty {
        /// The folder.
        path: String,
    },
    /// The folder to restore from has no manifest, or one that is not whole.
    NotABackup(String),
    /// A file of the backup is not what the manifest says.
    Damaged(String),
    /// The operating system refused something.
    Io {
        /// What was being done to which file.
        doing: String,
        /// Its answer.
        error: io::Error,
    },
    /// The running log refused.
    Store(Error),
    /// The directory could not be copied.
    Open(OpenError),
}

impl BackupError {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Io { doing, error }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty { path } => write!(
                formatter,
                "the folder `{path}` is not empty\n  \
                 why: what is in it would be mixed with the copy\n  \
                 fix: name a folder that is empty or does not exist"
            ),
            Self::NotABackup(what) => write!(
                formatter,
                "not a finished backup: {what}\n  \
                 why: the manifest is written last, so a backup that was interrupted has none\n  \
                 fix: restore from another backup"
            ),
            Self::Damaged(what) => write!(
                formatter,
                "the backup is damaged: {what}\n  \
                 why: its files have changed since it was taken\n  \
                 fix: restore from another backup or another copy of this one"
            ),
            Self::Io { doing, error } => write!(formatter, "{doing}: {error}"),
            Self::Store(error) => write!(formatter, "the log cannot be backed up: {error}"),
            Self::Open(error) => write!(formatter, "the directory cannot be backed up: {error}"),
        }
    }
}

impl std::error::Error for BackupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Store(error) => Some(error),
            Self::Open(error) => Some(error),
            Self::NotEmpty { .. } | Self::NotABackup(_) | Self::Damaged(_) => None,
        }
    }
}
