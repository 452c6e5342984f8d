//! The embedded directory: SQLite in WAL mode with `synchronous=FULL`, on a thread of its own.
//!
//! Commits of several partitions that wait at the same time share one transaction, so one sync; each is in a
//! savepoint of its own, so that one that fails does not take the others with it.
//!
//! SQLite alone serves a damaged value and forgets commits behind a damaged write-ahead frame. So opening compares
//! everything with checksums (`verify`), reads the write-ahead file first (`wal`), and misses it when it is gone
//! (`marks`); scans compare what they read. What is deleted is overwritten (`secure_delete`), in the write-ahead file
//! too as soon as the commit is answered.

mod marks;
#[cfg(test)]
mod tests;
mod thread;
mod verify;
mod wal;

use super::feed::Recent;
use crate::contract::{
    BoxFuture, Change, Directory, DirectoryOwner, Error, Expect, Feed, Opened, Page, PartitionId, Pos, Token,
    check_open, check_page,
};
use crate::open_error::OpenError;
use bulla_runtime::Tasks;
use bytes::Bytes;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::any::Any;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use thread::{Claimed, Reply, Request, Worker, read_states};
use tokio::sync::oneshot;

/// The version of the tables, in `PRAGMA user_version`.
const TABLES_VERSION: i64 = 2;

const TABLES: &str = "
    CREATE TABLE partitions (
        partition INTEGER PRIMARY KEY, token INTEGER NOT NULL, node TEXT NOT NULL,
        commit_token INTEGER NOT NULL, commit_n INTEGER NOT NULL, last_pos INTEGER NOT NULL,
        records INTEGER NOT NULL, digest INTEGER NOT NULL, crc INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE records (
        partition INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, crc INTEGER NOT NULL,
        PRIMARY KEY (partition, key)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 2;
";

/// A directory in one SQLite file. It ends, after writing what was handed over, when the last handle of it is
/// dropped: the directory and its owners.
#[derive(Clone)]
pub struct SqliteDirectory {
    engine: Arc<Engine>,
}

struct Engine {
    path: PathBuf,
    was_claimed: bool,
    requests: Option<Sender<Request>>,
    partitions: u32,
    ended: Arc<(Mutex<bool>, Condvar)>,
    _keep: Option<Arc<dyn Any + Send + Sync>>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.requests = None;
        let (ended, changed) = &*self.ended;
        let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ended {
            ended = changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that the thread has ended, also when it ended by a panic.
struct EndOfThread(Arc<(Mutex<bool>, Condvar)>);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        let (ended, changed) = &*self.0;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

impl SqliteDirectory {
    /// Opens the file, or makes it with mode 0600. `keep` is held as long as any handle lives.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        path: &Path,
        partitions: u32,
        tasks: &dyn Tasks,
        keep: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Result<Self, OpenError> {
        let connection = connect(path)?;
        let read = read_states(&connection, partitions).map_err(|error| refused(path, &error))?;
        let (states, _) = read;
        let was_claimed = states.iter().any(|state| state.token > Token(0));
        if states.len() > usize::try_from(partitions).unwrap_or(usize::MAX) {
            let found = states.len();
            return Err(OpenError::Layout(format!(
                "`{}` has {found} partitions",
                path.display()
            )));
        }
        let recent = states.iter().map(|state| Recent::after(state.last_pos)).collect();
        let (requests, incoming) = channel();
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let signal = Arc::clone(&ended);
        let worker = Worker {
            connection,
            states,
            recent,
            path: path.display().to_string(),
            poisoned: false,
        };
        let work = Box::new(move || {
            // Dropped after the worker, also when it panics.
            let _end = EndOfThread(signal);
            let mut worker = worker;
            worker.run(&incoming);
            worker.close();
        });
        tasks
            .spawn_thread("bulla-directory", work)
            .map_err(OpenError::io("cannot start a thread"))?;
        Ok(Self {
            engine: Arc::new(Engine {
                path: path.to_owned(),
                was_claimed,
                requests: Some(requests),
                partitions,
                ended,
                _keep: keep,
            }),
        })
    }

    /// Whether a partition had been claimed before this opening.
    pub(crate) fn was_claimed(&self) -> bool {
        self.engine.was_claimed
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.engine.path
    }
}

/// Copies the directory in a file, which may be in use, into a new file: one point in time, durable, without a file
/// beside it. Writers are not held up.
pub(crate) fn back_up(from: &Path, to: &Path) -> Result<(), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(|error| refused(from, &error))?;
    let mut copy = connect(to)?;
    let copied = |copy: &mut Connection| {
        // All pages in one step: a writer between two steps would make it begin again.
        Backup::new(&source, copy)?.step(-1)
    };
    let step = copied(&mut copy).map_err(|error| refused(from, &error))?;
    if step != StepResult::Done {
        let error = std::io::Error::other("it is locked by another process");
        return Err(OpenError::io(format!("cannot copy `{}`", from.display()))(error));
    }
    // As it is read when it is restored; a copy of damage is no backup.
    if let Some(why) = verify::damage(&copy).map_err(|error| refused(from, &error))? {
        return Err(OpenError::Corrupt(format!("`{}`: {why}", from.display())));
    }
    marks::mark_closed(&copy).map_err(|error| refused(to, &error))?;
    copy.close().map_err(|(_, error)| refused(to, &error))?;
    File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(OpenError::io(format!("cannot sync `{}`", to.display())))
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let doing = || format!("cannot open `{}`", path.display());
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let file = options.open(path).map_err(OpenError::io(doing()))?;
    file.sync_all().map_err(OpenError::io(doing()))?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(OpenError::io(doing()))?;
    }
    let beside = PathBuf::from(format!("{}-wal", path.display()));
    let had_wal = beside.exists();
    if let Some(why) =
        wal::damage(&beside).map_err(OpenError::io(format!("cannot read `{}`", beside.display())))?
    {
        return Err(OpenError::Corrupt(format!("`{}`: {why}", beside.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| refused(path, &error))?;
    let leave = marks::leave_as_it_is(&connection);
    leave.map_err(|error| refused(path, &error))?;
    prepare(&connection, path).map_err(|error| refused(path, &error))??;
    let checked = || {
        if marks::is_in_use(&connection)? && !had_wal {
            return Ok(Some(format!(
                "was in use, but its newest commits are gone with the file `{}` (had another program opened and closed \
                 it, nothing would be missing: `{}` says so)",
                beside.display(),
                marks::CLOSED_BY_HAND
            )));
        }
        verify::damage(&connection)
    };
    if let Some(why) = checked().map_err(|error| refused(path, &error))? {
        return Err(OpenError::Corrupt(format!("`{}`: {why}", path.display())));
    }
    marks::mark_in_use(&connection).map_err(|error| refused(path, &error))?;
    Ok(connection)
}

fn prepare(connection: &Connection, path: &Path) -> rusqlite::Result<Result<(), OpenError>> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let why = format!("`{}` cannot be kept in WAL mode but in `{mode}`", path.display());
        return Ok(Err(OpenError::Layout(why)));
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; \
         PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 0;",
    )?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT;"))?;
    } else if version != TABLES_VERSION {
        let why = format!(
            "`{}` has tables of version {version}, this is {TABLES_VERSION}",
            path.display()
        );
        return Ok(Err(OpenError::Layout(why)));
    }
    Ok(Ok(()))
}

fn refused(path: &Path, error: &rusqlite::Error) -> OpenError {
    let doing = format!("cannot open `{}`", path.display());
    match error.sqlite_error_code() {
        // Without a code: something that the tables cannot hold.
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) | None => {
            OpenError::Corrupt(format!("`{}`: {error}", path.display()))
        }
        Some(_) => OpenError::Io {
            doing,
            error: std::io::Error::other(error.to_string()),
        },
    }
}

impl Engine {
    /// Sends a request at once and answers with what comes back.
    fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> BoxFuture<'static, Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        let sent = self
            .requests
            .as_ref()
            .is_some_and(|requests| requests.send(request(reply)).is_ok());
        Box::pin(async move {
            if sent {
                answer.await.map_err(|_| Error::Unknown)?
            } else {
                Err(Error::Poisoned)
            }
        })
    }
}

impl Directory for SqliteDirectory {
    fn partitions(&self) -> u32 {
        self.engine.partitions
    }

    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn DirectoryOwner>, Error>> {
        Box::pin(async move {
            check_open(partition, self.engine.partitions, node)?;
            let node = node.to_owned();
            let Claimed {
                token,
                last_commit,
                last_pos,
                ..
            } = self
                .engine
                .ask(|reply| Request::Claim {
                    partition,
                    node,
                    reply,
                })
                .await?;
            let owner: Box<dyn DirectoryOwner> = Box::new(Owner {
                engine: Arc::clone(&self.engine),
                partition,
                token,
            });
            Ok(Opened {
                token,
                last_commit,
                last_pos,
                owner,
            })
        })
    }

    fn scan(
        &self,
        partition: PartitionId,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>> {
        if let Err(error) = check_open(partition, self.engine.partitions, "").and_then(|()| check_page(max)) {
            return Box::pin(async move { Err(error) });
        }
        self.engine.ask(|reply| Request::Scan {
            partition,
            token: None,
            prefix,
            cursor,
            max,
            reply,
        })
    }

    fn follow(&self, partition: PartitionId, after: Option<Pos>) -> BoxFuture<'_, Result<Feed, Error>> {
        self.engine.ask(|reply| Request::Follow {
            partition,
            after,
            reply,
        })
    }
}

struct Owner {
    engine: Arc<Engine>,
    partition: PartitionId,
    token: Token,
}

impl DirectoryOwner for Owner {
    fn commit(
        &mut self,
        n: u64,
        expect: Vec<Expect>,
        changes: Vec<Change>,
    ) -> BoxFuture<'_, Result<Pos, Error>> {
        let (partition, token) = (self.partition, self.token);
        self.engine.ask(|reply| Request::Commit {
            partition,
            token,
            n,
            expect,
            changes,
            reply,
        })
    }

    fn scan(
        &self,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>> {
        if let Err(error) = check_page(max) {
            return Box::pin(async move { Err(error) });
        }
        let (partition, token) = (self.partition, Some(self.token));
        self.engine.ask(|reply| Request::Scan {
            partition,
            token,
            prefix,
            cursor,
            max,
            reply,
        })
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>> {
        let (partition, token) = (self.partition, self.token);
        self.engine.ask(|reply| Request::Confirm {
            partition,
            token,
            reply,
        })
    }
}
