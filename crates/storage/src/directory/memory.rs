//! The directory in memory, for tests and for servers that keep nothing.

use super::feed::Recent;
use crate::contract::{
    BoxFuture, Change, Directory, DirectoryOwner, Error, Expect, Feed, Opened, Page, PartitionId, Pos, Token,
    check_changes, check_open, check_page, check_turn, lock,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Partition {
    token: Token,
    last_commit: (Token, u64),
    last_pos: Pos,
    records: BTreeMap<Bytes, Bytes>,
    recent: Recent,
}

impl Partition {
    fn apply(&mut self, token: Token, n: u64, expect: &[Expect], changes: Vec<Change>) -> Result<Pos, Error> {
        check_turn(token, self.token, n, self.last_commit.1)?;
        check_changes(expect, &changes)?;
        let failed = |expect: &Expect| self.records.contains_key(&expect.key) == expect.absent;
        if let Some(index) = expect.iter().position(failed) {
            return Err(Error::Conflict { index });
        }
        let pos = Pos(self.last_pos.0.saturating_add(1));
        self.recent.push(pos, &changes);
        for change in changes {
            match change {
                Change::Put(key, value) => drop(self.records.insert(key, value)),
                Change::Delete(key) => drop(self.records.remove(&key)),
            }
        }
        self.last_commit = (token, n);
        self.last_pos = pos;
        Ok(pos)
    }

    fn page(&self, prefix: &Bytes, cursor: Option<Bytes>, max: usize) -> Page<(Bytes, Bytes)> {
        let from = match cursor {
            Some(cursor) if cursor >= *prefix => Bound::Excluded(cursor),
            Some(_) | None => Bound::Included(prefix.clone()),
        };
        let mut rest = self
            .records
            .range((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()));
        let items: Vec<(Bytes, Bytes)> = rest.by_ref().take(max).collect();
        let more = rest.next().is_some();
        let next = items.last().filter(|_| more).map(|(key, _)| key.clone());
        Page { items, next }
    }
}

/// A directory that lives as long as its last handle.
#[derive(Clone)]
pub struct MemoryDirectory {
    partitions: Arc<[Arc<Mutex<Partition>>]>,
}

impl MemoryDirectory {
    /// An empty directory with this many partitions.
    #[must_use]
    pub fn new(partitions: u32) -> Self {
        Self {
            partitions: (0..partitions).map(|_| Arc::default()).collect(),
        }
    }

    fn partition(&self, partition: PartitionId, node: &str) -> Result<&Arc<Mutex<Partition>>, Error> {
        check_open(partition, self.partitions(), node)?;
        let index = usize::try_from(partition.0).map_err(|_| Error::Misuse("no such partition"))?;
        self.partitions
            .get(index)
            .ok_or(Error::Misuse("no such partition"))
    }

    fn claim(&self, partition: PartitionId, node: &str) -> Result<Opened<dyn DirectoryOwner>, Error> {
        let shared = self.partition(partition, node)?;
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

impl Directory for MemoryDirectory {
    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn DirectoryOwner>, Error>> {
        Box::pin(async move { self.claim(partition, node) })
    }

    fn scan(
        &self,
        partition: PartitionId,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>> {
        Box::pin(async move {
            check_page(max)?;
            Ok(lock(self.partition(partition, "")?)?.page(&prefix, cursor, max))
        })
    }

    fn follow(&self, partition: PartitionId, after: Option<Pos>) -> BoxFuture<'_, Result<Feed, Error>> {
        Box::pin(async move { Ok(lock(self.partition(partition, "")?)?.recent.since(after)) })
    }
}

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

impl DirectoryOwner for Owner {
    fn commit(
        &mut self,
        n: u64,
        expect: Vec<Expect>,
        changes: Vec<Change>,
    ) -> BoxFuture<'_, Result<Pos, Error>> {
        Box::pin(async move { lock(&self.shared)?.apply(self.token, n, &expect, changes) })
    }

    fn scan(
        &self,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>> {
        Box::pin(async move {
            check_page(max)?;
            self.read(|state| state.page(&prefix, cursor, max))
        })
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.read(|_| ()) })
    }
}
