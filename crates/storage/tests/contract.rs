//! Every engine runs the contract.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use bulla_runtime::TokioTasks;
use bulla_storage::directory::memory::MemoryDirectory;
use bulla_storage::directory::sqlite::SqliteDirectory;
use bulla_storage::log::memory::MemoryLog;
use bulla_storage::log::segment::disk::RealDisk;
use bulla_storage::log::segment::{Options, SegmentLog};
use bulla_storage::testing::{Restart, directory, log};
use bulla_storage::{BoxFuture, Directory, Log};
use std::sync::Arc;

struct Forgetful<E: ?Sized>(Arc<E>);

impl<E: ?Sized + Send + Sync> Restart<E> for Forgetful<E> {
    fn engine(&self) -> &E {
        &self.0
    }

    fn restart(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

struct Folder<E> {
    data: tempfile::TempDir,
    engine: Option<E>,
    open: fn(&tempfile::TempDir) -> E,
}

impl<E> Folder<E> {
    fn new(open: fn(&tempfile::TempDir) -> E) -> Self {
        let data = tempfile::tempdir().unwrap();
        let engine = Some(open(&data));
        Self { data, engine, open }
    }

    fn reopen(&mut self) -> BoxFuture<'_, ()> {
        self.engine = None;
        self.engine = Some((self.open)(&self.data));
        Box::pin(async {})
    }
}

impl Restart<dyn Log> for Folder<SegmentLog> {
    fn engine(&self) -> &(dyn Log + 'static) {
        self.engine.as_ref().unwrap()
    }

    fn restart(&mut self) -> BoxFuture<'_, ()> {
        self.reopen()
    }
}

impl Restart<dyn Directory> for Folder<SqliteDirectory> {
    fn engine(&self) -> &(dyn Directory + 'static) {
        self.engine.as_ref().unwrap()
    }

    fn restart(&mut self) -> BoxFuture<'_, ()> {
        self.reopen()
    }
}

fn segment_log(folder: &tempfile::TempDir, segment_bytes: u64) -> SegmentLog {
    let disk = RealDisk::new(folder.path()).unwrap();
    SegmentLog::open(
        Arc::new(disk),
        Options {
            partitions: 4,
            segment_bytes,
            keep: None,
        },
        &TokioTasks,
    )
    .unwrap()
}

#[tokio::test]
async fn the_memory_log_keeps_the_contract() {
    log::run_all(&|| {
        let engine: Arc<dyn Log> = Arc::new(MemoryLog::new(4));
        Box::new(Forgetful(engine))
    })
    .await;
}

#[tokio::test]
async fn the_segment_log_keeps_the_contract() {
    log::run_all(&|| Box::new(Folder::new(|folder| segment_log(folder, 64 << 20)))).await;
}

#[tokio::test]
async fn the_segment_log_keeps_the_contract_with_tiny_segments() {
    log::run_all(&|| Box::new(Folder::new(|folder| segment_log(folder, 4 << 10)))).await;
}

#[tokio::test]
async fn the_memory_directory_keeps_the_contract() {
    directory::run_all(&|| {
        let engine: Arc<dyn Directory> = Arc::new(MemoryDirectory::new(4));
        Box::new(Forgetful(engine))
    })
    .await;
}

#[tokio::test]
async fn the_sqlite_directory_keeps_the_contract() {
    let open = |folder: &tempfile::TempDir| {
        SqliteDirectory::open(&folder.path().join("directory.sqlite"), 4, &TokioTasks, None).unwrap()
    };
    directory::run_all(&|| Box::new(Folder::new(open))).await;
}
