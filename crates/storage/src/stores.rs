//! Both engines together, as the server opens them.
//!
//! ```text
//! folder/              mode 0700
//!   lock               locked as long as a process uses the folder
//!   format             version and numbers of partitions, as text
//!   directory.sqlite   (and -wal, -shm)
//!   log/               the log's files, and the list of them
//! ```

use crate::backup::Backups;
use crate::contract::{Directory, Log};
use crate::directory::{memory::MemoryDirectory, sqlite::SqliteDirectory};
use crate::log::memory::MemoryLog;
use crate::log::segment::disk::RealDisk;
use crate::log::segment::files::FILES;
use crate::log::segment::{Options, SEGMENT_BYTES_DEFAULT, SegmentLog};
use crate::open_error::OpenError;
use bulla_runtime::Tasks;
use std::any::Any;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// Partitions of the directory, and of the log, in a folder made by this version.
pub const PARTITIONS: u32 = 16;

pub(crate) const DIRECTORY_FILE: &str = "directory.sqlite";
pub(crate) const LOG_FOLDER: &str = "log";
pub(crate) const FORMAT_FILE: &str = "format";

/// Tells when the last handle on the stores of a folder is gone and the folder may be opened or removed again.
/// It is not a handle itself. Of stores in memory it tells so at once.
#[derive(Clone, Debug)]
pub struct Released {
    lock_gone: watch::Receiver<()>,
}

impl Released {
    /// Waits until then: for services to let go of their writers, and for the tasks and threads behind these to
    /// finish what was handed over.
    pub async fn wait(mut self) {
        while self.lock_gone.changed().await.is_ok() {}
    }
}

/// What every handle keeps.
struct Lock {
    // In this order: the lock is gone before anyone is told.
    _file: File,
    _told: watch::Sender<()>,
}

/// The two stores of a server.
#[derive(Clone)]
pub struct Stores {
    /// Small transactional state.
    pub directory: Arc<dyn Directory>,
    /// Messages.
    pub log: Arc<dyn Log>,
    /// When the folder is free again.
    pub released: Released,
    /// Takes backups; none of stores in memory.
    pub backups: Option<Backups>,
}

/// Stores that keep nothing.
#[must_use]
pub fn open_memory() -> Stores {
    let (_, lock_gone) = watch::channel(());
    Stores {
        directory: Arc::new(MemoryDirectory::new(PARTITIONS)),
        log: Arc::new(MemoryLog::new(PARTITIONS)),
        released: Released { lock_gone },
        backups: None,
    }
}

/// Stores in a folder, which is created if absent and locked against other processes until the last handle on
/// a store is dropped. Blocks for the time recovery takes.
///
/// # Errors
/// [`OpenError`], worded for the operator.
pub fn open_embedded(folder: &Path, tasks: &dyn Tasks) -> Result<Stores, OpenError> {
    make_folder(folder)?;
    let lock = lock_folder(folder)?;
    check_format(folder)?;
    let (told, lock_gone) = watch::channel(());
    let keep: Arc<dyn Any + Send + Sync> = Arc::new(Lock {
        _file: lock,
        _told: told,
    });
    let path = folder.join(DIRECTORY_FILE);
    let log_folder = folder.join(LOG_FOLDER);
    let log_was_open = log_folder.join(FILES).exists();
    if log_was_open && is_empty(&path) {
        let why = "missing or empty, although there is a log beside it";
        return Err(OpenError::Corrupt(format!("`{}`: {why}", path.display())));
    }
    let directory = SqliteDirectory::open(&path, PARTITIONS, tasks, Some(Arc::clone(&keep)))?;
    // Partitions are claimed only after both stores have opened once.
    if directory.was_claimed() && !log_was_open {
        let why = "missing or empty, although the directory beside it has been in use";
        return Err(OpenError::Corrupt(format!("`{}`: {why}", log_folder.display())));
    }
    let disk = RealDisk::new(&log_folder)
        .map_err(OpenError::io(format!("cannot make `{}`", log_folder.display())))?;
    let options = Options {
        partitions: PARTITIONS,
        segment_bytes: SEGMENT_BYTES_DEFAULT,
        keep: Some(keep),
    };
    let log = SegmentLog::open(Arc::new(disk), options, tasks)?;
    Ok(Stores {
        backups: Some(Backups::new(folder, directory.clone(), log.clone())),
        directory: Arc::new(directory),
        log: Arc::new(log),
        released: Released { lock_gone },
    })
}

/// Removes everything that [`open_embedded`] keeps in a folder, and nothing else that lies there.
///
/// # Errors
/// [`OpenError::InUse`] as long as any handle on its stores lives, here or in another process.
pub fn remove_embedded(folder: &Path) -> Result<(), OpenError> {
    if !folder.is_dir() {
        return Ok(());
    }
    let _lock = lock_folder(folder)?;
    let io = OpenError::io(format!("cannot remove the data in `{}`", folder.display()));
    let remove = || {
        // The format goes last: while it is there, a half-removed folder is not mistaken for a new one.
        let files = [
            "directory.sqlite",
            "directory.sqlite-wal",
            "directory.sqlite-shm",
            "format",
        ];
        gone(fs::remove_dir_all(folder.join("log")))?;
        for file in files {
            gone(fs::remove_file(folder.join(file)))?;
        }
        File::open(folder)?.sync_all()
    };
    remove().map_err(io)
}

/// Absent is as good as removed.
fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether there is no file, or nothing in it.
fn is_empty(path: &Path) -> bool {
    fs::metadata(path).map_or(0, |found| found.len()) == 0
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    let io = OpenError::io(format!("cannot make the data folder `{}`", folder.display()));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(io)
}

fn lock_folder(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let doing = || format!("cannot lock `{}`", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(OpenError::io(doing()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.display().to_string(),
        }),
        Err(TryLockError::Error(error)) => Err(OpenError::Io {
            doing: doing(),
            error,
        }),
    }
}

/// What the format file says.
pub(crate) fn format() -> String {
    format!("bulla-data 1\ndirectory-partitions {PARTITIONS}\nlog-partitions {PARTITIONS}\n")
}

/// Checks what wrote the folder, or says that we did.
fn check_format(folder: &Path) -> Result<(), OpenError> {
    let path = folder.join("format");
    let shown = path.display();
    match fs::read_to_string(&path) {
        Ok(found) if found == format() => Ok(()),
        Ok(found) => Err(OpenError::Layout(format!(
            "`{shown}` says {found:?}, this version writes {:?}",
            format()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if folder.join("directory.sqlite").exists() || folder.join("log").exists() {
                return Err(OpenError::Layout(format!(
                    "`{shown}` is missing, but there is data beside it"
                )));
            }
            write_format(folder).map_err(OpenError::io(format!("cannot write `{shown}`")))
        }
        Err(error) => Err(OpenError::Io {
            doing: format!("cannot read `{shown}`"),
            error,
        }),
    }
}

fn write_format(folder: &Path) -> std::io::Result<()> {
    let temporary = folder.join("format.tmp");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(format().as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join("format"))?;
    File::open(folder)?.sync_all()
}
