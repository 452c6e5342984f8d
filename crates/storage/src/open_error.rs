//! Why storage did not open, for the operator: what happened, why it matters, what to do.

use std::fmt;
use std::io;

/// Why storage did not open.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has the folder.
    InUse {
        /// The lock file.
        path: String,
    },
    /// The operating system refused something.
    Io {
        /// What was being done to which file.
        doing: String,
        /// Its answer.
        error: io::Error,
    },
    /// The data was written with another layout: version or number of partitions.
    Layout(String),
    /// Damage was met, with file and offset. Nothing was changed.
    Corrupt(String),
}

impl OpenError {
    /// An [`OpenError::Io`], for `map_err`.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Io { doing, error }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => write!(
                formatter,
                "the data folder is in use: `{path}` is locked by another process\n  \
                 why: two servers on one folder would destroy each other's writes\n  \
                 fix: stop the other server, or give this one a folder of its own"
            ),
            Self::Io { doing, error } => write!(formatter, "{doing}: {error}"),
            Self::Layout(what) => write!(
                formatter,
                "the data folder was written with another layout: {what}\n  \
                 fix: start the version that wrote it, or restore into a new folder"
            ),
            Self::Corrupt(what) => write!(
                formatter,
                "stored data is damaged: {what}\n  \
                 why: this was durable once and has changed since, so a disk or another program is at fault\n  \
                 fix: keep a copy of the folder, check the disk, restore from a backup; nothing was changed"
            ),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::InUse { .. } | Self::Layout(_) | Self::Corrupt(_) => None,
        }
    }
}
