//! What the process asks of the operating system before it holds any secret. Best effort: a system that refuses
//! is noted in the log, not an error.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Forbids core dumps, which would write keys to the disk, and raises the number of files to what is allowed, as
/// every connection is one.
pub(crate) fn apply() {
    let no_dump = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, no_dump) {
        tracing::warn!(%error, "core dumps could not be forbidden; one would contain keys");
    }
    let files = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: files.maximum,
            ..files
        },
    ) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}
