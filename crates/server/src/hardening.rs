//! What the process asks of the operating system before it holds any secret. Best effort: a system that refuses
//! is noted in the log, not an error.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are not connections: the stores' and the process's own, and connections that are turned away.
const FILES_RESERVED: u64 = 512;

/// Forbids core dumps, which would write keys to the disk, and raises the number of files to what is allowed, as
/// every connection is one. The answer is how many connections that leaves room for; `None` for any number.
pub(crate) fn apply() -> Option<u32> {
    let no_dump = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, no_dump) {
        tracing::warn!(%error, "core dumps could not be forbidden; one would contain keys");
    }
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: files.maximum,
        ..files
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
    let files = getrlimit(Resource::Nofile).current?;
    // Even the smallest limit leaves room for a few.
    let room = files.saturating_sub(FILES_RESERVED).max(files / 2).max(1);
    Some(u32::try_from(room).unwrap_or(u32::MAX))
}
