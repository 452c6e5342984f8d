//! The thread that has the connection.

use super::marks::{checkpoint, mark_closed};
use super::verify::{record_crc, state_crc};
use crate::contract::{
    Change, Error, Expect, Feed, Page, PartitionId, Pos, Token, check_changes, check_turn, prefix_end,
};
use crate::directory::feed::Recent;
use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::sync::oneshot;

/// Commits that share a transaction at most.
const BATCH_MAX: usize = 256;
/// When to try again after SQLite refused for a passing reason.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// No directory has more partitions; a row that says so is damaged.
const PARTITIONS_MAX: u32 = 1 << 20;

pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the engine knows about a partition besides its records, and what a new owner is told.
#[derive(Clone, Copy, Default)]
pub(super) struct Claimed {
    pub(super) token: Token,
    pub(super) last_commit: (Token, u64),
    pub(super) last_pos: Pos,
    /// How many records the partition has.
    pub(super) records: u64,
    /// The sum of their checksums.
    pub(super) digest: u64,
}

pub(super) enum Request {
    Claim {
        partition: PartitionId,
        node: String,
        reply: Reply<Claimed>,
    },
    Commit {
        partition: PartitionId,
        token: Token,
        n: u64,
        expect: Vec<Expect>,
        changes: Vec<Change>,
        reply: Reply<Pos>,
    },
    Scan {
        partition: PartitionId,
        /// `None` reads without a claim.
        token: Option<Token>,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
        reply: Reply<Page<(Bytes, Bytes)>>,
    },
    Confirm {
        partition: PartitionId,
        token: Token,
        reply: Reply<()>,
    },
    Follow {
        partition: PartitionId,
        after: Option<Pos>,
        reply: Reply<Feed>,
    },
}

/// Who is told when the transaction is durable.
enum Waiting {
    Claim(Reply<Claimed>, Claimed),
    Commit {
        reply: Reply<Pos>,
        partition: PartitionId,
        pos: Pos,
        changes: Vec<Change>,
    },
}

pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) states: Vec<Claimed>,
    pub(super) recent: Vec<Recent>,
    pub(super) path: String,
    pub(super) poisoned: bool,
}

/// An item of a list by partition.
fn of<T>(list: &[T], partition: PartitionId) -> Result<&T, Error> {
    let index = usize::try_from(partition.0).map_err(|_| Error::Misuse("no such partition"))?;
    list.get(index).ok_or(Error::Misuse("no such partition"))
}

fn of_mut<T>(list: &mut [T], partition: PartitionId) -> Result<&mut T, Error> {
    let index = usize::try_from(partition.0).map_err(|_| Error::Misuse("no such partition"))?;
    list.get_mut(index).ok_or(Error::Misuse("no such partition"))
}

impl Worker {
    /// Runs until every handle is gone.
    pub(super) fn run(&mut self, incoming: &Receiver<Request>) {
        while let Ok(first) = incoming.recv() {
            let batch: Vec<Request> = std::iter::once(first)
                .chain(incoming.try_iter().take(BATCH_MAX))
                .collect();
            let (writes, reads): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .partition(|request| matches!(request, Request::Claim { .. } | Request::Commit { .. }));
            let erases = writes.iter().any(is_erasing);
            if !writes.is_empty() {
                self.write(writes);
            }
            for request in reads {
                self.read(request);
            }
            if erases {
                self.forget();
            }
        }
    }

    /// Empties the write-ahead file, which still shows pages as they were before something was deleted.
    pub(super) fn forget(&self) {
        if let Err(error) = checkpoint(&self.connection) {
            tracing::debug!(%error, "the write-ahead file is emptied later");
        }
    }

    /// Says in the file that it was closed in order, and closes it.
    pub(super) fn close(self) {
        let Self {
            connection,
            poisoned,
            path,
            ..
        } = self;
        if poisoned {
            return;
        }
        if let Err(error) = mark_closed(&connection) {
            tracing::warn!(%error, file = path, "the directory was not closed in order; it is recovered at the next start");
        }
    }

    // Whoever is not waiting any more does not want to know, so failed sends are dropped.
    pub(super) fn write(&mut self, requests: Vec<Request>) {
        if self.poisoned {
            return requests
                .into_iter()
                .for_each(|request| refuse(request, Error::Poisoned));
        }
        let (waiting, result) = self.transact(requests);
        let result = match result {
            Ok(states) => {
                self.states = states;
                Ok(())
            }
            Err(error) => {
                self.poisoned |= error == Error::Unknown;
                Err(error)
            }
        };
        for waiting in waiting {
            self.answer(waiting, result.clone());
        }
    }

    /// Does the requests in one transaction; answers who waits for it, and the states after it.
    fn transact(&mut self, requests: Vec<Request>) -> (Vec<Waiting>, Result<Vec<Claimed>, Error>) {
        let mut states = self.states.clone();
        let mut waiting = Vec::new();
        let mut transaction = match self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
        {
            Ok(transaction) => transaction,
            Err(error) => {
                let error = not_written(&self.path, &error);
                for request in requests {
                    refuse(request, error.clone());
                }
                return (waiting, Err(error));
            }
        };
        for request in requests {
            if transaction.is_autocommit() {
                // The transaction is gone already: what follows would be committed by itself.
                let retry_after = RETRY_AFTER;
                refuse(request, Error::Unavailable { retry_after });
                continue;
            }
            waiting.extend(apply(&mut transaction, &mut states, request, &self.path));
        }
        if transaction.is_autocommit() {
            // Some failures of a statement make SQLite take the whole transaction back.
            return (
                waiting,
                Err(Error::Unavailable {
                    retry_after: RETRY_AFTER,
                }),
            );
        }
        let result = match transaction.commit() {
            Ok(()) => Ok(states),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Err(not_written(&self.path, &error))
            }
            Err(error) => {
                tracing::error!(
                    %error, file = %self.path,
                    "the directory stops: a failed commit is not retried; check the disk and restart the server"
                );
                Err(Error::Unknown)
            }
        };
        (waiting, result)
    }

    fn answer(&mut self, waiting: Waiting, result: Result<(), Error>) {
        match waiting {
            Waiting::Claim(reply, claimed) => drop(reply.send(result.map(|()| claimed))),
            Waiting::Commit {
                reply,
                partition,
                pos,
                changes,
            } => {
                if let (Ok(()), Ok(recent)) = (&result, of_mut(&mut self.recent, partition)) {
                    recent.push(pos, &changes);
                }
                drop(reply.send(result.map(|()| pos)));
            }
        }
    }

    fn read(&self, request: Request) {
        match request {
            Request::Scan {
                partition,
                token,
                prefix,
                cursor,
                max,
                reply,
            } => {
                let owned = token.map_or(Ok(()), |token| self.check_owner(partition, token));
                drop(reply.send(owned.and_then(|()| self.scan(partition, &prefix, cursor, max))));
            }
            Request::Confirm {
                partition,
                token,
                reply,
            } => {
                let alive = if self.poisoned {
                    Err(Error::Poisoned)
                } else {
                    Ok(())
                };
                drop(reply.send(self.check_owner(partition, token).and(alive)));
            }
            Request::Follow {
                partition,
                after,
                reply,
            } => {
                drop(reply.send(of(&self.recent, partition).map(|recent| recent.since(after))));
            }
            Request::Claim { .. } | Request::Commit { .. } => refuse(request, Error::Misuse("not a read")),
        }
    }

    fn check_owner(&self, partition: PartitionId, token: Token) -> Result<(), Error> {
        if of(&self.states, partition)?.token == token {
            Ok(())
        } else {
            Err(Error::Fenced)
        }
    }

    pub(super) fn scan(
        &self,
        partition: PartitionId,
        prefix: &Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> Result<Page<(Bytes, Bytes)>, Error> {
        let cursor = cursor.filter(|cursor| cursor >= prefix);
        let from = cursor.as_deref().unwrap_or(prefix);
        let end = prefix_end(prefix);
        let limit = i64::try_from(max.saturating_add(1)).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<(Bytes, Bytes, u32)>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT key, value, crc FROM records WHERE partition = ?1 AND key >= ?2
                 AND (?3 IS NULL OR key <> ?3) AND (?4 IS NULL OR key < ?4) ORDER BY key LIMIT ?5",
            )?;
            let rows =
                statement.query_map(params![partition.0, from, cursor.as_deref(), end, limit], |row| {
                    Ok((
                        Bytes::from(row.get::<_, Vec<u8>>(0)?),
                        Bytes::from(row.get::<_, Vec<u8>>(1)?),
                        row.get(2)?,
                    ))
                })?;
            rows.collect()
        };
        let rows = read().map_err(|error| not_written(&self.path, &error))?;
        let mut items = Vec::with_capacity(rows.len());
        for (key, value, crc) in rows {
            if record_crc(partition, &key, &value) != crc {
                let why = format!(
                    "`{}`: a record of partition {} is damaged",
                    self.path, partition.0
                );
                tracing::error!(why, "the directory is damaged");
                return Err(Error::Corrupt(why));
            }
            items.push((key, value));
        }
        let more = items.len() > max;
        items.truncate(max);
        let next = items.last().filter(|_| more).map(|(key, _)| key.clone());
        Ok(Page { items, next })
    }
}

/// Whether the request takes something away that must not be found any more.
fn is_erasing(request: &Request) -> bool {
    match request {
        Request::Commit { changes, .. } => changes.iter().any(|change| matches!(change, Change::Delete(_))),
        Request::Claim { .. } | Request::Scan { .. } | Request::Confirm { .. } | Request::Follow { .. } => {
            false
        }
    }
}

fn refuse(request: Request, error: Error) {
    match request {
        Request::Claim { reply, .. } => drop(reply.send(Err(error))),
        Request::Commit { reply, .. } => drop(reply.send(Err(error))),
        Request::Scan { reply, .. } => drop(reply.send(Err(error))),
        Request::Confirm { reply, .. } => drop(reply.send(Err(error))),
        Request::Follow { reply, .. } => drop(reply.send(Err(error))),
    }
}

/// What to tell when SQLite refused before anything was committed.
fn not_written(path: &str, error: &rusqlite::Error) -> Error {
    tracing::error!(%error, file = path, "the directory refused");
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full,
        // Without a code: something that the tables cannot hold.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => {
            Error::Corrupt(format!("`{path}`: {error}"))
        }
        Some(_) => Error::Unavailable {
            retry_after: RETRY_AFTER,
        },
    }
}

/// Does one request in a savepoint. Who failed is told at once; who has to wait for the commit is returned.
fn apply(
    transaction: &mut Transaction<'_>,
    states: &mut [Claimed],
    request: Request,
    path: &str,
) -> Option<Waiting> {
    match request {
        Request::Claim {
            partition,
            node,
            reply,
        } => match claim(transaction, states, partition, &node, path) {
            Ok(claimed) => Some(Waiting::Claim(reply, claimed)),
            Err(error) => {
                drop(reply.send(Err(error)));
                None
            }
        },
        Request::Commit {
            partition,
            token,
            n,
            expect,
            changes,
            reply,
        } => {
            match commit(
                transaction,
                states,
                (partition, token, n),
                &expect,
                &changes,
                path,
            ) {
                Ok(pos) => Some(Waiting::Commit {
                    reply,
                    partition,
                    pos,
                    changes,
                }),
                Err(error) => {
                    drop(reply.send(Err(error)));
                    None
                }
            }
        }
        Request::Scan { .. } | Request::Confirm { .. } | Request::Follow { .. } => {
            refuse(request, Error::Misuse("not a write"));
            None
        }
    }
}

fn claim(
    transaction: &mut Transaction<'_>,
    states: &mut [Claimed],
    partition: PartitionId,
    node: &str,
    path: &str,
) -> Result<Claimed, Error> {
    let state = of_mut(states, partition)?;
    let claimed = Claimed {
        token: Token(state.token.0.saturating_add(1)),
        ..*state
    };
    let write = |transaction: &mut Transaction<'_>| {
        let savepoint = transaction.savepoint()?;
        let sql = "INSERT INTO partitions VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, ?4)
                   ON CONFLICT (partition) DO UPDATE SET token = ?2, node = ?3, crc = ?4";
        let crc = state_crc(partition, &claimed);
        savepoint
            .prepare_cached(sql)?
            .execute(params![partition.0, signed(claimed.token.0), node, crc])?;
        savepoint.commit()
    };
    write(transaction).map_err(|error| not_written(path, &error))?;
    *state = claimed;
    Ok(claimed)
}

fn commit(
    transaction: &mut Transaction<'_>,
    states: &mut [Claimed],
    (partition, token, n): (PartitionId, Token, u64),
    expect: &[Expect],
    changes: &[Change],
    path: &str,
) -> Result<Pos, Error> {
    let state = of_mut(states, partition)?;
    check_turn(token, state.token, n, state.last_commit.1)?;
    check_changes(expect, changes)?;
    let pos = Pos(state.last_pos.0.saturating_add(1));
    let mut after = Claimed {
        token,
        last_commit: (token, n),
        last_pos: pos,
        ..*state
    };
    let outcome = write_commit(transaction, partition, &mut after, expect, changes);
    if let Some(index) = outcome.map_err(|error| not_written(path, &error))? {
        return Err(Error::Conflict { index });
    }
    *state = after;
    Ok(pos)
}

/// Writes a commit in a savepoint; answers which expectation failed, if any.
fn write_commit(
    transaction: &mut Transaction<'_>,
    partition: PartitionId,
    after: &mut Claimed,
    expect: &[Expect],
    changes: &[Change],
) -> rusqlite::Result<Option<usize>> {
    let savepoint = transaction.savepoint()?;
    for (index, Expect { key, absent }) in expect.iter().enumerate() {
        let mut statement =
            savepoint.prepare_cached("SELECT 1 FROM records WHERE partition = ?1 AND key = ?2")?;
        let found = statement
            .query_row(params![partition.0, key.as_ref()], |_| Ok(()))
            .optional()?;
        if found.is_some() == *absent {
            return Ok(Some(index));
        }
    }
    for change in changes {
        write_change(&savepoint, partition, after, change)?;
    }
    let sql =
        "UPDATE partitions SET commit_token = ?2, commit_n = ?3, last_pos = ?4, records = ?5, digest = ?6,
               crc = ?7 WHERE partition = ?1";
    let (token, n) = after.last_commit;
    savepoint.prepare_cached(sql)?.execute(params![
        partition.0,
        signed(token.0),
        signed(n),
        signed(after.last_pos.0),
        signed(after.records),
        after.digest.cast_signed(),
        state_crc(partition, after),
    ])?;
    savepoint.commit()?;
    Ok(None)
}

/// Writes a change, and counts it.
fn write_change(
    connection: &Connection,
    partition: PartitionId,
    state: &mut Claimed,
    change: &Change,
) -> rusqlite::Result<()> {
    let (key, put) = match change {
        Change::Put(key, value) => (key, Some((value, record_crc(partition, key, value)))),
        Change::Delete(key) => (key, None),
    };
    let sql = "SELECT crc FROM records WHERE partition = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let old: Option<u32> = statement
        .query_row(params![partition.0, key.as_ref()], |row| row.get(0))
        .optional()?;
    if let Some(old) = old {
        state.records = state.records.saturating_sub(1);
        state.digest = state.digest.wrapping_sub(u64::from(old));
    }
    if let Some((value, crc)) = put {
        let sql = "INSERT INTO records VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (partition, key) DO UPDATE SET value = ?3, crc = ?4";
        connection
            .prepare_cached(sql)?
            .execute(params![partition.0, key.as_ref(), value.as_ref(), crc])?;
        state.records = state.records.saturating_add(1);
        state.digest = state.digest.wrapping_add(u64::from(crc));
    } else if old.is_some() {
        connection
            .prepare_cached("DELETE FROM records WHERE partition = ?1 AND key = ?2")?
            .execute(params![partition.0, key.as_ref()])?;
    }
    Ok(())
}

/// SQLite's integers have a sign; counters that rise by one do not get that far.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The states of all partitions, longer than `partitions` when the file has more, and a partition whose row is
/// damaged.
pub(super) fn read_states(
    connection: &Connection,
    partitions: u32,
) -> rusqlite::Result<(Vec<Claimed>, Option<u32>)> {
    let mut states = vec![Claimed::default(); usize::try_from(partitions).unwrap_or(usize::MAX)];
    let sql =
        "SELECT partition, token, commit_token, commit_n, last_pos, records, digest, crc FROM partitions";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut damaged = None;
    while let Some(row) = rows.next()? {
        let partition: u32 = row.get(0)?;
        let wide = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let claimed = Claimed {
            token: Token(wide(1)?),
            last_commit: (Token(wide(2)?), wide(3)?),
            last_pos: Pos(wide(4)?),
            records: wide(5)?,
            digest: wide(6)?,
        };
        if row.get::<_, u32>(7)? != state_crc(PartitionId(partition), &claimed) || partition > PARTITIONS_MAX
        {
            damaged = Some(partition);
            continue;
        }
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        if index >= states.len() {
            states.resize(index.saturating_add(1), Claimed::default());
        }
        if let Some(state) = states.get_mut(index) {
            *state = claimed;
        }
    }
    Ok((states, damaged))
}
