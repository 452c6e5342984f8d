//! The seam between services and engines: what every engine must do, and nothing that only one of them can.
//!
//! The rules below were needed by at least one of: our own segment log, SQLite, `JetStream`,
//! `PostgreSQL`, `FoundationDB`. They hold in the embedded engines from the first day, because they cannot be added later:
//!
//! 1. A commit may end [`Error::Unknown`]. Its number is stored with it, so that reopening tells what landed.
//! 2. The owner chooses positions: strictly rising in a partition, across owners, gaps allowed, never reused.
//! 3. Pages and cursors; no borrowed iterators and no long-lived snapshots.
//! 4. Commits are bounded by [`LIMITS`] in every engine.
//! 5. No commit spans partitions.
//! 6. An owner that was paused asks `confirm` before it answers from memory.
//! 7. Notes are not durable at once; what they say may regress after a restart, order and deletion may not.
//! 8. Safety comes from the [`Token`], never from wall-clock time.
//!
//! The traits are object-safe; there is one boxed future per group, not per message.

pub use bulla_runtime::BoxFuture;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One of a fixed number of partitions, `0..partitions()`; queues and accounts hash onto them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PartitionId(pub u32);

/// Proof of ownership of a partition. Minted by the engine, rises with every open, survives restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Token(pub u64);

/// Where a record stands in its partition. Chosen by the owner, from 1, strictly rising, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Pos(pub u64);

/// What can go wrong, told by what the caller may do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// Not written, never will be: a newer owner exists. The handle is dead.
    Fenced,
    /// Not written: expectation number `index` did not hold. The handle stays good.
    Conflict {
        /// Which of the expectations.
        index: usize,
    },
    /// Not written, permanent: over [`LIMITS`].
    TooLarge,
    /// Not written, permanent: the call itself breaks the contract (a position that does not rise, a commit
    /// number out of turn, a partition that does not exist). A fault of the caller's code.
    Misuse(&'static str),
    /// Not written, surely: the disk is full. The same handle may retry once there is room.
    Full,
    /// Not written, surely: never sent, or refused by the engine. The same handle may retry.
    Unavailable {
        /// How long to wait before the retry.
        retry_after: Duration,
    },
    /// Nobody knows whether it was written. The handle is poisoned; reopening tells, by [`Opened::last_commit`].
    Unknown,
    /// An earlier unknown outcome, failed write or failed sync; nothing was tried. Reopen.
    Poisoned,
    /// Damage was met: where, and what was expected there. Never skipped, never repaired here.
    Corrupt(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced => formatter.write_str("the partition has a newer owner"),
            Self::Conflict { index } => write!(formatter, "expectation {index} did not hold"),
            Self::TooLarge => formatter.write_str("the commit is over the storage limits"),
            Self::Misuse(what) => write!(formatter, "storage was called wrongly: {what}"),
            Self::Full => formatter.write_str("the disk is full; nothing was written"),
            Self::Unavailable { retry_after } => {
                write!(
                    formatter,
                    "storage is not available, retry after {} ms",
                    retry_after.as_millis()
                )
            }
            Self::Unknown => formatter.write_str("a write failed and nobody knows whether it is durable"),
            Self::Poisoned => formatter.write_str("an earlier write failed; storage must be reopened"),
            Self::Corrupt(what) => write!(formatter, "stored data is damaged: {what}"),
        }
    }
}

impl std::error::Error for Error {}

/// Upper bounds of one commit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Expectations and changes, or appends, deletes and notes, together.
    pub ops: usize,
    /// Keys, values, metas, bodies and notes, together, in bytes.
    pub bytes: usize,
    /// One key, one note, or one owner's name, in bytes.
    pub key: usize,
    /// One value, or a meta and its body together, in bytes.
    pub value: usize,
    /// Items of one page, and positions of one `bodies` call.
    pub page: usize,
}

/// The smallest of all engines; the embedded engines enforce it too, so that tests find a breach today.
pub const LIMITS: Limits = Limits {
    ops: 500,
    bytes: 8 << 20,
    key: 256,
    value: (1 << 20) + (64 << 10),
    page: 10_000,
};

const _: () = assert!(LIMITS.value < LIMITS.bytes && LIMITS.key < LIMITS.value);

/// A partition, opened: what the new owner must know before its first commit.
pub struct Opened<T: ?Sized> {
    /// The token of this opening; every earlier one is fenced now.
    pub token: Token,
    /// The highest commit number found durable, and the token under which it was written. The next commit
    /// has the number after it; the first commit of a partition is number 1.
    pub last_commit: (Token, u64),
    /// The highest position ever used in the partition, deleted or not; 0 if none.
    pub last_pos: Pos,
    /// The handle to commit with.
    pub owner: Box<T>,
}

impl<T: ?Sized> fmt::Debug for Opened<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = formatter.debug_struct("Opened");
        out.field("token", &self.token)
            .field("last_commit", &self.last_commit)
            .field("last_pos", &self.last_pos);
        out.finish_non_exhaustive()
    }
}

/// A part of a scan. It borrows nothing; the cursor survives reconnects and new owners.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// What to pass to continue; `None` when there is nothing more.
    pub next: Option<Bytes>,
}

/// One change of a directory record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Stores a value under a key, replacing what is there.
    Put(Bytes, Bytes),
    /// Removes a key; absent is fine.
    Delete(Bytes),
}

/// A condition on the state before a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    /// The key it is about.
    pub key: Bytes,
    /// Whether the key must be absent (`true`) or present (`false`).
    pub absent: bool,
}

/// What a follower of a directory partition is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Feed {
    /// Changes after the position asked for, in order; the position is that of the commit they belong to.
    Changes(Vec<(Pos, Change)>),
    /// Too far behind: scan again, then follow from this position. What the scan already shows is told once
    /// more; puts and deletes may be applied twice.
    Reset(Pos),
}

/// Small transactional state: ordered records in partitions.
pub trait Directory: Send + Sync {
    /// How many partitions there are; fixed for the life of the data.
    fn partitions(&self) -> u32;
    /// Claims a partition for `node` and fences every earlier owner.
    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn DirectoryOwner>, Error>>;
    /// Reads without a claim: records whose key starts with `prefix`, in key order, at most `max`. May be
    /// stale, never torn.
    fn scan(
        &self,
        partition: PartitionId,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>>;
    /// Changes after a position, without a claim. May be stale, never torn, never backwards.
    fn follow(&self, partition: PartitionId, after: Option<Pos>) -> BoxFuture<'_, Result<Feed, Error>>;
}

/// The one writer of a directory partition.
pub trait DirectoryOwner: Send {
    /// Makes all changes durable, or none. `&mut`: one commit in flight. The answer is the commit's position.
    fn commit(
        &mut self,
        n: u64,
        expect: Vec<Expect>,
        changes: Vec<Change>,
    ) -> BoxFuture<'_, Result<Pos, Error>>;
    /// As [`Directory::scan`], complete up to the last commit; [`Error::Fenced`] if there is a newer owner.
    fn scan(
        &self,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>>;
    /// "Am I still the owner?", asked of the engine. For answers given without a commit.
    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>>;
}

/// A record to be appended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Above every position used in the partition before.
    pub pos: Pos,
    /// What a restart reads; small.
    pub meta: Bytes,
    /// What only a delivery reads.
    pub body: Bytes,
}

/// Everything that one log commit does, atomically.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Group {
    /// New records, in rising order of position.
    pub append: Vec<Append>,
    /// Records that end here. A position that is unknown or deleted already is fine.
    pub delete: Vec<Pos>,
    /// Leases and counts. A note replaces the earlier note of its record and goes when the record goes.
    pub notes: Vec<(Pos, Bytes)>,
}

/// A live record as a scan shows it: without its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where it stands.
    pub pos: Pos,
    /// What was appended with it. It may be a slice of what the whole page shares: who keeps it for long copies it.
    pub meta: Bytes,
    /// The latest note that survived.
    pub note: Option<Bytes>,
}

/// Large short-lived state: records appended and deleted in partitions.
pub trait Log: Send + Sync {
    /// How many partitions there are; fixed for the life of the data.
    fn partitions(&self) -> u32;
    /// Claims a partition for `node` and fences every earlier owner. Complete up to the claim: no stale
    /// replica may hide the tail.
    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn LogOwner>, Error>>;
}

/// The one writer of a log partition.
pub trait LogOwner: Send {
    /// Makes the group durable, whole and in the order of `n`, or fails. `&mut`: one commit in flight.
    /// Dropping the future does not take the commit back.
    fn commit(&mut self, n: u64, group: Group) -> BoxFuture<'_, Result<(), Error>>;
    /// Hands over notes that are not durable yet; they go out with the next commit or after `within`.
    /// More than [`Limits::ops`] at once, or notes over [`Limits::key`], are not kept.
    fn note(&mut self, notes: Vec<(Pos, Bytes)>, within: Duration);
    /// A door for reading that can be used while a commit is in flight.
    fn reader(&self) -> Arc<dyn LogReader>;
}

/// Reads of a log partition by its owner.
pub trait LogReader: Send + Sync {
    /// Live records in order of position, without bodies, at most `max`, and fewer when their metas are large.
    fn scan(&self, cursor: Option<Bytes>, max: usize) -> BoxFuture<'_, Result<Page<Record>, Error>>;
    /// Bodies by position, in the order asked; `None` for a record that is not live.
    fn bodies(&self, at: Vec<Pos>) -> BoxFuture<'_, Result<Vec<Option<Bytes>>, Error>>;
    /// "Am I still the owner?", asked of the engine. For answers given without a commit.
    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>>;
}

/// Refuses a directory commit that is over [`LIMITS`].
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_changes(expect: &[Expect], changes: &[Change]) -> Result<(), Error> {
    let mut bytes: usize = expect.iter().map(|expect| expect.key.len()).sum();
    let mut ok = expect.iter().all(|expect| expect.key.len() <= LIMITS.key);
    for change in changes {
        let (key, value) = match change {
            Change::Put(key, value) => (key.len(), value.len()),
            Change::Delete(key) => (key.len(), 0),
        };
        bytes = bytes.saturating_add(key).saturating_add(value);
        ok &= key <= LIMITS.key && value <= LIMITS.value;
    }
    let small = expect.len().saturating_add(changes.len()) <= LIMITS.ops && bytes <= LIMITS.bytes;
    if ok && small { Ok(()) } else { Err(Error::TooLarge) }
}

/// Operations and bytes of a log group, as [`LIMITS`] counts them.
#[must_use]
pub fn group_size(group: &Group) -> (usize, usize) {
    let ops = group
        .append
        .len()
        .saturating_add(group.delete.len())
        .saturating_add(group.notes.len());
    let appended: usize = group
        .append
        .iter()
        .map(|append| append.meta.len().saturating_add(append.body.len()))
        .sum();
    let noted: usize = group.notes.iter().map(|(_, note)| note.len()).sum();
    (ops, appended.saturating_add(noted))
}

/// Refuses a log group that is over [`LIMITS`] or whose positions do not rise above `last`.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Misuse`].
pub fn check_group(group: &Group, last: Pos) -> Result<(), Error> {
    let (ops, bytes) = group_size(group);
    let values = group
        .append
        .iter()
        .all(|append| append.meta.len().saturating_add(append.body.len()) <= LIMITS.value);
    let notes = group.notes.iter().all(|(_, note)| note.len() <= LIMITS.key);
    if ops > LIMITS.ops || bytes > LIMITS.bytes || !values || !notes {
        return Err(Error::TooLarge);
    }
    let mut last = last;
    for append in &group.append {
        if append.pos <= last {
            return Err(Error::Misuse("positions of appended records must rise"));
        }
        last = append.pos;
    }
    Ok(())
}

/// Refuses a page or a list of positions over [`Limits::page`], and an empty page.
pub(crate) fn check_page(max: usize) -> Result<(), Error> {
    if max == 0 {
        Err(Error::Misuse("a page must have room for one item"))
    } else {
        check_count(max)
    }
}

/// Refuses a count over [`Limits::page`].
pub(crate) fn check_count(count: usize) -> Result<(), Error> {
    if count > LIMITS.page {
        Err(Error::TooLarge)
    } else {
        Ok(())
    }
}

/// Refuses a partition that does not exist and a node name over [`Limits::key`].
pub(crate) fn check_open(partition: PartitionId, partitions: u32, node: &str) -> Result<(), Error> {
    if partition.0 >= partitions {
        return Err(Error::Misuse("no such partition"));
    }
    if node.len() > LIMITS.key {
        Err(Error::TooLarge)
    } else {
        Ok(())
    }
}

/// Refuses a commit by a fenced owner, then one whose number is out of turn.
pub(crate) fn check_turn(mine: Token, current: Token, n: u64, last: u64) -> Result<(), Error> {
    if mine != current {
        return Err(Error::Fenced);
    }
    if Some(n) == last.checked_add(1) {
        Ok(())
    } else {
        Err(Error::Misuse("commit number out of turn"))
    }
}

/// A lock; when a thread died holding it, the state behind it is not to be trusted.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> Result<std::sync::MutexGuard<'_, T>, Error> {
    mutex.lock().map_err(|_| Error::Poisoned)
}

/// A position as a cursor.
pub(crate) fn cursor_of(pos: Pos) -> Bytes {
    Bytes::copy_from_slice(&pos.0.to_be_bytes())
}

/// The position in a cursor; 0 for none.
pub(crate) fn cursor_pos(cursor: Option<&Bytes>) -> Result<Pos, Error> {
    let Some(cursor) = cursor else { return Ok(Pos(0)) };
    let bytes: [u8; 8] = cursor
        .as_ref()
        .try_into()
        .map_err(|_| Error::Misuse("a cursor of another kind"))?;
    Ok(Pos(u64::from_be_bytes(bytes)))
}

/// The first key after every key that starts with `prefix`; `None` when there is none.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

fn _object_safe(_: &dyn Directory, _: &dyn DirectoryOwner, _: &dyn Log, _: &dyn LogOwner, _: &dyn LogReader) {
}
