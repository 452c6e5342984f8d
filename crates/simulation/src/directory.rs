//! The directory under a crash: a commit takes time, and the crash comes before it, or after it but before the answer.
//!
//! SQLite itself cannot be simulated here; what the services may rely on can: a commit is atomic, durable before it is
//! acknowledged, and may have happened when nobody was told.

use crate::time::Time;
use bulla_storage::directory::memory::MemoryDirectory;
use bulla_storage::testing::disk::Random;
use bulla_storage::{
    BoxFuture, Change, Directory, DirectoryOwner, Error, Expect, Feed, Opened, Page, PartitionId, Pos,
};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// What every handle shares.
#[derive(Clone)]
struct World {
    time: Time,
    random: Arc<Mutex<Random>>,
    /// Longest commit, milliseconds.
    slow_ms: u64,
}

impl World {
    /// Some time passes, or at least others run.
    async fn pass(&self) {
        let milliseconds = self.random.lock().unwrap().below(self.slow_ms + 1);
        self.time.sleep(milliseconds).await;
        once().await;
    }
}

/// Lets others run, and a crash happen.
async fn once() {
    let mut been_here = false;
    std::future::poll_fn(|context| {
        if been_here {
            return Poll::Ready(());
        }
        been_here = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// See the module.
#[derive(Clone)]
pub(crate) struct SimulatedDirectory {
    durable: MemoryDirectory,
    world: World,
}

impl SimulatedDirectory {
    pub(crate) fn new(partitions: u32, time: &Time, seed: u64, slow_ms: u64) -> Self {
        Self {
            durable: MemoryDirectory::new(partitions),
            world: World {
                time: time.clone(),
                random: Arc::new(Mutex::new(Random::new(seed))),
                slow_ms,
            },
        }
    }
}

impl Directory for SimulatedDirectory {
    fn partitions(&self) -> u32 {
        self.durable.partitions()
    }

    fn open<'a>(
        &'a self,
        partition: PartitionId,
        node: &'a str,
    ) -> BoxFuture<'a, Result<Opened<dyn DirectoryOwner>, Error>> {
        Box::pin(async move {
            let opened = self.durable.open(partition, node).await?;
            let owner: Box<dyn DirectoryOwner> = Box::new(Owner {
                durable: opened.owner,
                world: self.world.clone(),
            });
            Ok(Opened {
                token: opened.token,
                last_commit: opened.last_commit,
                last_pos: opened.last_pos,
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
        self.durable.scan(partition, prefix, cursor, max)
    }

    fn follow(&self, partition: PartitionId, after: Option<Pos>) -> BoxFuture<'_, Result<Feed, Error>> {
        self.durable.follow(partition, after)
    }
}

struct Owner {
    durable: Box<dyn DirectoryOwner>,
    world: World,
}

impl DirectoryOwner for Owner {
    fn commit(
        &mut self,
        n: u64,
        expect: Vec<Expect>,
        changes: Vec<Change>,
    ) -> BoxFuture<'_, Result<Pos, Error>> {
        Box::pin(async move {
            self.world.pass().await;
            let done = self.durable.commit(n, expect, changes).await;
            self.world.pass().await;
            done
        })
    }

    fn scan(
        &self,
        prefix: Bytes,
        cursor: Option<Bytes>,
        max: usize,
    ) -> BoxFuture<'_, Result<Page<(Bytes, Bytes)>, Error>> {
        self.durable.scan(prefix, cursor, max)
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.durable.confirm()
    }
}
