//! The whole directory for any number of tasks: every partition claimed, commits of a partition one after the
//! other, commits of different partitions together. A task that stops waiting does not take its commit back.

use crate::contract::{Change, Directory, DirectoryOwner, Error, Expect, LIMITS, Page, PartitionId, Pos};
use bulla_runtime::Tasks;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait per partition; who comes on top waits to ask.
const WAITING_MAX: usize = 1_024;

enum Request {
    Commit(Vec<Expect>, Vec<Change>, oneshot::Sender<Result<Pos, Error>>),
    Scan(
        Bytes,
        Option<Bytes>,
        usize,
        oneshot::Sender<Result<Page<(Bytes, Bytes)>, Error>>,
    ),
    Confirm(oneshot::Sender<Result<(), Error>>),
}

/// A cloneable handle on an owned directory. What was asked for is still done when the last handle goes.
#[derive(Clone)]
pub struct DirectoryWriter {
    partitions: Arc<[mpsc::Sender<Request>]>,
}

impl DirectoryWriter {
    /// Claims every partition and starts a task for each.
    ///
    /// # Errors
    /// Those of [`Directory::open`].
    pub async fn open(directory: &dyn Directory, node: &str, tasks: &dyn Tasks) -> Result<Self, Error> {
        let mut partitions = Vec::new();
        for partition in 0..directory.partitions() {
            let opened = directory.open(PartitionId(partition), node).await?;
            let (sender, requests) = mpsc::channel(WAITING_MAX);
            tasks.spawn(Box::pin(drive(requests, opened.owner, opened.last_commit.1)));
            partitions.push(sender);
        }
        Ok(Self {
            partitions: partitions.into(),
        })
    }

    /// Where the records of this owner, such as an account, belong. Stable for the life of the data.
    #[must_use]
    pub fn partition_of(&self, owner: &[u8]) -> PartitionId {
        partition_of(owner, u32::try_from(self.partitions.len()).unwrap_or(u32::MAX))
    }

    /// Makes all changes durable if every expectation holds, or does nothing.
    ///
    /// # Errors
    /// Those of [`DirectoryOwner::commit`].
    pub async fn commit(
        &self,
        partition: PartitionId,
        expect: Vec<Expect>,
        changes: Vec<Change>,
    ) -> Result<Pos, Error> {
        self.ask(partition, |reply| Request::Commit(expect, changes, reply))
            .await
    }

    /// Records of a partition whose key starts with `prefix`, in key order, at most `max`.
    ///
    /// # Errors
    /// Those of [`DirectoryOwner::scan`].
    pub async fn scan(
        &self,
        partition: PartitionId,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> Result<Page<(Bytes, Bytes)>, Error> {
        self.ask(partition, |reply| Request::Scan(prefix, cursor, max, reply))
            .await
    }

    /// All records of all partitions whose key starts with `prefix`, in key order per partition. For the start.
    ///
    /// # Errors
    /// Those of [`DirectoryOwner::scan`].
    pub async fn scan_all(&self, prefix: Bytes) -> Result<Vec<(PartitionId, Bytes, Bytes)>, Error> {
        let mut all = Vec::new();
        for partition in (0..).map(PartitionId).take(self.partitions.len()) {
            let mut cursor = None;
            loop {
                let page = self.scan(partition, prefix.clone(), cursor, LIMITS.ops).await?;
                all.extend(page.items.into_iter().map(|(key, value)| (partition, key, value)));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// "Do we still own it?", asked of the engine.
    ///
    /// # Errors
    /// [`Error::Fenced`], [`Error::Poisoned`].
    pub async fn confirm(&self, partition: PartitionId) -> Result<(), Error> {
        self.ask(partition, Request::Confirm).await
    }

    async fn ask<T>(
        &self,
        partition: PartitionId,
        request: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Request,
    ) -> Result<T, Error> {
        let index = usize::try_from(partition.0).map_err(|_| Error::Misuse("no such partition"))?;
        let sender = self
            .partitions
            .get(index)
            .ok_or(Error::Misuse("no such partition"))?;
        let (reply, answer) = oneshot::channel();
        sender.send(request(reply)).await.map_err(|_| Error::Poisoned)?;
        answer.await.map_err(|_| Error::Unknown)?
    }
}

/// Where an owner's state belongs: a hash of its name. Stable for the life of the data, whatever the version.
#[must_use]
pub fn partition_of(owner: &[u8], partitions: u32) -> PartitionId {
    PartitionId(crc32c::crc32c(owner).checked_rem(partitions).unwrap_or(0))
}

/// After an error that kills the owner, the engine answers every later commit by itself.
async fn drive(mut requests: mpsc::Receiver<Request>, mut owner: Box<dyn DirectoryOwner>, mut n: u64) {
    while let Some(request) = requests.recv().await {
        // Whoever is not waiting any more does not want to know, so failed sends are dropped.
        match request {
            Request::Commit(expect, changes, reply) => {
                let next = n.saturating_add(1);
                let result = owner.commit(next, expect, changes).await;
                if result.is_ok() {
                    n = next;
                }
                drop(reply.send(result));
            }
            Request::Scan(prefix, cursor, max, reply) => {
                drop(reply.send(owner.scan(prefix, cursor, max).await));
            }
            Request::Confirm(reply) => drop(reply.send(owner.confirm().await)),
        }
    }
}
