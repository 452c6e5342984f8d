//! The log in memory, for tests and for servers that keep nothing. Reopening a partition of the same
//! [`MemoryLog`] behaves as after a restart, except that notes are never lost.

use crate::contract::{
    BoxFuture, Error, Group, Log, LogOwner, LogReader, Opened, Page, PartitionId, Pos, Record, Token,
    check_count, check_group, check_open, check_page, check_turn, cursor_of, cursor_pos, lock,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Stored {
    meta: Bytes,
    body: Bytes,
    note: Option<Bytes>,
}

#[derive(Default)]
struct Partition {
    token: Token,
    last_commit: (Token, u64),
    last_pos: Pos,
    records: BTreeMap<Pos, Stored>,
}

impl Partition {
    fn apply(&mut self, token: Token, n: u64, group: Group) -> Result<(), Error> {
        check_turn(token, self.token, n, self.last_commit.1)?;
        check_group(&group, self.last_pos)?;
        for append in group.append {
            self.last_pos = append.pos;
            self.records.insert(
                append.pos,
                Stored {
                    meta: append.meta,
                    body: append.body,
                    note: None,
                },
            );
        }
        for pos in group.delete {
            self.records.remove(&pos);
        }
        self.note(group.notes);
        self.last_commit = (token, n);
        Ok(())
    }

    fn note(&mut self, notes: Vec<(Pos, Bytes)>) {
        for (pos, note) in notes {
            if let Some(stored) = self.records.get_mut(&pos) {
                stored.note = Some(note);
            }
        }
    }

    fn page(&self, after: Pos, max: usize) -> Page<Record> {
        let mut rest = self.records.range((Bound::Excluded(after), Bound::Unbounded));
        let record = |(pos, stored): (&Pos, &Stored)| Record {
            pos: *pos,
            meta: stored.meta.clone(),
            note: stored.note.clone(),
        };
        let items: Vec<Record> = rest.by_ref().take(max).map(record).collect();
        let more = rest.next().is_some();
        let next = items.last().filter(|_| more).map(|last| cursor_of(last.pos));
        Page { items, next }
    }
}

/// A log that lives as long as its last handle.
#[derive(Clone)]
pub struct MemoryLog {
    partitions: Arc<[Arc<Mutex<Partition>>]>,
}

impl MemoryLog {
    /// An empty log with this many partitions.
    #[must_use]
    pub fn new(partitions: u32) -> Self {
        Self {
            partitions: (0..partitions).map(|_| Arc::default()).collect(),
        }
    }

    fn claim(&self, partition: PartitionId, node: &str) -> Result<Opened<dyn LogOwner>, Error> {
        check_open(partition, self.partitions(), node)?;
        let index = usize::try_from(partition.0).map_err(|_| Error::Misuse("no such partition"))?;
        let shared = self
            .partitions
            .get(index)
            .ok_or(Error::Misuse("no such partition"))?;
        let mut state = lock(shared)?;
        state.token = Token(state.token.0.saturating_add(1));
        let owner = Owner {
            shared: Arc::clone(shared),
            token: state.token,
        };
        Ok(Opened {
            token: state.token,
            last_commit: state.last_commit,
            last_pos: state.last_pos,
            owner: Box::new(owner),
        })
    }
}

impl Log for MemoryLog {
    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn LogOwner>, Error>> {
        Box::pin(async move { self.claim(partition, node) })
    }
}

#[derive(Clone)]
struct Owner {
    shared: Arc<Mutex<Partition>>,
    token: Token,
}

impl Owner {
    fn read<T>(&self, read: impl FnOnce(&Partition) -> T) -> Result<T, Error> {
        let state = lock(&self.shared)?;
        if state.token == self.token {
            Ok(read(&state))
        } else {
            Err(Error::Fenced)
        }
    }
}

impl LogOwner for Owner {
    fn commit(&mut self, n: u64, group: Group) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { lock(&self.shared)?.apply(self.token, n, group) })
    }

    fn note(&mut self, notes: Vec<(Pos, Bytes)>, _within: Duration) {
        if let Ok(mut state) = self.shared.lock()
            && state.token == self.token
            && check_group(
                &Group {
                    notes: notes.clone(),
                    ..Group::default()
                },
                Pos(0),
            )
            .is_ok()
        {
            state.note(notes);
        }
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        Arc::new(self.clone())
    }
}

impl LogReader for Owner {
    fn scan(&self, cursor: Option<Bytes>, max: usize) -> BoxFuture<'_, Result<Page<Record>, Error>> {
        Box::pin(async move {
            check_page(max)?;
            let after = cursor_pos(cursor.as_ref())?;
            self.read(|state| state.page(after, max))
        })
    }

    fn bodies(&self, at: Vec<Pos>) -> BoxFuture<'_, Result<Vec<Option<Bytes>>, Error>> {
        Box::pin(async move {
            check_count(at.len())?;
            let body =
                |state: &Partition, pos: &Pos| state.records.get(pos).map(|stored| stored.body.clone());
            self.read(|state| at.iter().map(|pos| body(state, pos)).collect())
        })
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.read(|_| ()) })
    }
}
