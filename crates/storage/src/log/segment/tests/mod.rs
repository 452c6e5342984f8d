//! Tests from inside, where the committer and the collector are stepped by hand, so that a seed replays.

mod collecting;
mod decoding;
mod faults;
mod matrix;
mod model;
mod torn;

use super::collect::Collector;
use super::committer::Committer;
use super::read::{Located, read_bodies, read_page};
use super::recovery::recover;
use super::shared::{Request, Shared};
use super::snapshot::SealedFile;
use crate::contract::{Append, Error, Group, PartitionId, Pos, Record, Token};
use crate::open_error::OpenError;
use crate::testing::disk::SimulatedDisk;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::oneshot;

const PARTITIONS: u32 = 2;
const SEGMENT_BYTES: u64 = 4_096;

/// A log without threads.
struct Bench {
    disk: SimulatedDisk,
    shared: Arc<Shared>,
    committer: Committer,
    collector: Collector,
}

impl Bench {
    fn open(disk: &SimulatedDisk) -> Result<Self, OpenError> {
        Self::open_sized(disk, SEGMENT_BYTES)
    }

    fn open_sized(disk: &SimulatedDisk, segment_bytes: u64) -> Result<Self, OpenError> {
        let recovered = recover(disk, PARTITIONS, segment_bytes)?;
        let shared = Arc::new(Shared::new(
            Arc::new(disk.clone()),
            segment_bytes,
            PARTITIONS,
            recovered.index,
        ));
        let committer = Committer::new(Arc::clone(&shared), recovered.active);
        let collector = Collector::new(Arc::clone(&shared));
        Ok(Self {
            disk: disk.clone(),
            shared,
            committer,
            collector,
        })
    }

    fn claim(&mut self, partition: u32) -> Result<super::format::State, Error> {
        let (reply, mut answer) = oneshot::channel();
        let partition = PartitionId(partition);
        self.committer.commit(vec![Request::Claim {
            partition,
            node: "node".into(),
            reply,
        }]);
        answer.try_recv().unwrap()
    }

    fn commit(&mut self, partition: u32, token: Token, n: u64, group: Group) -> Result<(), Error> {
        let (reply, mut answer) = oneshot::channel();
        let partition = PartitionId(partition);
        self.committer.commit(vec![Request::Commit {
            partition,
            token,
            n,
            group,
            reply,
        }]);
        answer.try_recv().unwrap()
    }

    fn snapshot(&mut self) -> Result<Vec<SealedFile>, Error> {
        let (reply, mut answer) = oneshot::channel();
        self.committer.commit(vec![Request::Snapshot { reply }]);
        answer.try_recv().unwrap()
    }

    fn note(&mut self, partition: u32, token: Token, notes: Vec<(Pos, Bytes)>) {
        self.committer.commit(vec![Request::Note {
            partition: PartitionId(partition),
            token,
            notes,
        }]);
    }

    fn records(&self, partition: u32) -> Result<Vec<Record>, Error> {
        let mut all = Vec::new();
        let mut after = Pos(0);
        loop {
            let page = read_page(&self.shared, partition, after, 100_000)?;
            all.extend(page.items);
            let last = all.last().map(|record: &Record| record.pos);
            match last.filter(|_| page.next.is_some()) {
                Some(last) => after = last,
                None => return Ok(all),
            }
        }
    }

    fn bodies(&self, partition: u32, positions: &[Pos]) -> Result<Vec<Option<Bytes>>, Error> {
        let located = Located::find(&*self.shared.index()?, partition, positions);
        read_bodies(&self.shared, partition, located)
    }

    fn files(&self) -> Vec<String> {
        use super::disk::Disk;
        self.disk.list().unwrap()
    }
}

fn body(pos: u64, bytes: usize) -> Bytes {
    pos.to_le_bytes()
        .iter()
        .copied()
        .cycle()
        .take(bytes)
        .collect::<Vec<u8>>()
        .into()
}

fn group(append: impl IntoIterator<Item = (u64, usize)>, delete: impl IntoIterator<Item = u64>) -> Group {
    let append = append.into_iter().map(|(pos, bytes)| Append {
        pos: Pos(pos),
        meta: Bytes::from(format!("meta {pos}")),
        body: body(pos, bytes),
    });
    Group {
        append: append.collect(),
        delete: delete.into_iter().map(Pos).collect(),
        notes: Vec::new(),
    }
}
