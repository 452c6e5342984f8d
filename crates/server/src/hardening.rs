//! What the process asks of the operating system before it holds any secret. Best effort: a system that refuses
//! is noted in the log, not an error.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

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
    // The limit is not asked where the kernel pipes a dump to a program; this is. It also keeps other processes of the
    // same user from reading this one's memory.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user may read this one's memory, which has keys");
    }
    lock_memory();
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

/// Keeps memory out of swap, where the system allows any amount of that. With a limit, memory that is asked for beyond it
/// would be refused, and the server would stop; so then it is left alone.
fn lock_memory() {
    let limit = getrlimit(Resource::Memlock);
    if limit.maximum.is_some() {
        tracing::info!(
            "memory may be swapped, and keys with it: allow any amount of locked memory (`LimitMEMLOCK=infinity`, \
             `ulimit -l unlimited`) or run without swap"
        );
        return;
    }
    let raised = Rlimit {
        current: None,
        ..limit
    };
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if let Err(error) = setrlimit(Resource::Memlock, raised).and_then(|()| mlockall(flags)) {
        tracing::warn!(%error, "memory could not be locked; it may be swapped, and keys with it");
    }
}
