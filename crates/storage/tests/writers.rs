//! The handles that services hold, and the folder as the server opens it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use bulla_runtime::TokioTasks;
use bulla_storage::log::segment::disk::RealDisk;
use bulla_storage::log::segment::{Options, SegmentLog};
use bulla_storage::testing::disk::SimulatedDisk;
use bulla_storage::{
    Change, DirectoryWriter, Error, Expect, LIMITS, Log, LogWriter, OpenError, PartitionId, Pos, Submission,
    open_embedded, open_memory, remove_embedded,
};
use bytes::Bytes;
use std::any::Any;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio::task::JoinSet;

const PARTITION: PartitionId = PartitionId(3);

fn text(text: impl AsRef<str>) -> Bytes {
    Bytes::copy_from_slice(text.as_ref().as_bytes())
}

fn append(body: impl AsRef<str>) -> Submission {
    Submission {
        appends: vec![(text("meta"), text(body))],
        ..Submission::default()
    }
}

fn simulated() -> (SimulatedDisk, SegmentLog) {
    let disk = SimulatedDisk::default();
    let options = Options {
        partitions: 4,
        segment_bytes: 1 << 20,
        keep: None,
    };
    let log = SegmentLog::open(Arc::new(disk.clone()), options, &TokioTasks).unwrap();
    (disk, log)
}

async fn writer(log: &dyn Log) -> LogWriter {
    LogWriter::open(log, PARTITION, "node", &TokioTasks)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_submitted_in_the_same_turn_and_the_next_shares_a_commit() {
    let (_disk, log) = simulated();
    let writer = writer(&log).await;
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let writer = writer.clone();
        tasks.spawn(async move {
            if number >= 4 {
                tokio::task::yield_now().await;
            }
            writer.submit(append(format!("body {number}"))).await.unwrap();
        });
    }
    tasks.join_all().await;
    let commits = log.open(PARTITION, "another node").await.unwrap().last_commit.1;
    assert_eq!(commits, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_share_a_partition_and_each_gets_its_own_positions() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    let before = disk.changes();
    let mut tasks = JoinSet::new();
    for number in 0..1_000 {
        let writer = writer.clone();
        tasks.spawn(async move {
            (
                number,
                writer.submit(append(format!("body {number}"))).await.unwrap(),
            )
        });
    }
    let mut seen = BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        let (number, positions) = done.unwrap();
        assert_eq!(positions.len(), 1);
        assert!(seen.insert(positions[0]));
        assert_eq!(
            writer.bodies(positions).await.unwrap(),
            [Some(text(format!("body {number}")))]
        );
    }
    assert!(
        disk.changes() - before < 1_000,
        "a thousand submissions share writes and syncs"
    );
}

#[tokio::test]
async fn a_submission_nobody_waits_for_is_still_written() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    {
        let mut submission = Box::pin(writer.submit(append("left alone")));
        std::future::poll_fn(|context| {
            let _ = submission.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    let second = writer.submit(append("second")).await.unwrap();
    let all = writer.bodies(vec![Pos(1), Pos(2)]).await.unwrap();
    assert_eq!(
        (second, all),
        (vec![Pos(2)], vec![Some(text("left alone")), Some(text("second"))])
    );
    drop(disk);
}

#[tokio::test]
async fn positions_go_on_after_the_last_ones_used() {
    let log = open_memory().log;
    let first = writer(&*log).await;
    let positions = first.submit(append("a")).await.unwrap();
    first
        .submit(Submission {
            deletes: positions.clone(),
            ..Submission::default()
        })
        .await
        .unwrap();
    let second = writer(&*log).await;
    assert!(second.submit(append("b")).await.unwrap() > positions);
    assert!(second.token() > first.token());
    assert_eq!(first.submit(append("c")).await, Err(Error::Fenced));
    assert_eq!(first.submit(append("d")).await, Err(Error::Fenced));
    assert_eq!(first.confirm().await, Err(Error::Fenced));
}

#[tokio::test]
async fn a_submission_over_the_limits_is_refused_and_the_writer_goes_on() {
    let log = open_memory().log;
    let writer = writer(&*log).await;
    let large = Bytes::from(vec![0; LIMITS.value]);
    let value = Submission {
        appends: vec![(text("m"), large.clone())],
        ..Submission::default()
    };
    let bytes = Submission {
        appends: vec![(Bytes::new(), large.clone()); 8],
        ..Submission::default()
    };
    let ops = Submission {
        deletes: vec![Pos(1); LIMITS.ops + 1],
        ..Submission::default()
    };
    for over in [value, bytes, ops] {
        assert_eq!(writer.submit(over).await, Err(Error::TooLarge));
    }
    let most = Submission {
        appends: vec![(Bytes::new(), large); 7],
        ..Submission::default()
    };
    assert_eq!(writer.submit(most).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_full_disk_refuses_a_submission_and_takes_the_next_when_there_is_room() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    let large = || Submission {
        appends: vec![(text("m"), Bytes::from(vec![7; 1_000_000])); 3],
        ..Submission::default()
    };
    disk.set_room(Some(disk.used()));
    assert_eq!(writer.submit(large()).await, Err(Error::Full));
    disk.set_room(None);
    let positions = writer.submit(large()).await.unwrap();
    assert_eq!(writer.scan(None, 10).await.unwrap().items.len(), 3);
    assert_eq!(positions.len(), 3);
}

#[tokio::test]
async fn deletions_are_not_refused_with_what_does_not_fit() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    let positions = writer.submit(append("old")).await.unwrap();
    disk.set_room(Some(disk.used()));
    let large = || Submission {
        appends: vec![(text("m"), Bytes::from(vec![7; 1_000_000])); 3],
        ..Submission::default()
    };
    assert_eq!(writer.submit(large()).await, Err(Error::Full));
    let delete = Submission {
        deletes: positions,
        ..Submission::default()
    };
    let (sent, deleted, again) = tokio::join!(
        writer.submit(large()),
        writer.submit(delete),
        writer.submit(large())
    );
    assert_eq!(
        (sent, deleted, again),
        (Err(Error::Full), Ok(vec![]), Err(Error::Full))
    );
}

#[tokio::test]
async fn after_a_failed_sync_the_outcome_is_unknown_and_the_writer_is_dead() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    writer.submit(append("safe")).await.unwrap();
    disk.fail_sync_after(0);
    assert_eq!(writer.submit(append("perhaps")).await, Err(Error::Unknown));
    assert_eq!(writer.submit(append("never")).await, Err(Error::Poisoned));
    assert_eq!(writer.note(Pos(1), text("n")), Err(Error::Poisoned));
    assert_eq!(writer.confirm().await, Err(Error::Poisoned));
    assert_eq!(
        writer.bodies(vec![Pos(1)]).await.unwrap(),
        [Some(text("safe"))],
        "what is durable can be read"
    );
}

#[tokio::test]
async fn a_note_rides_with_what_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open_embedded(folder.path(), &TokioTasks).unwrap();
    let first = writer(&*stores.log).await;
    let positions = first.submit(append("a")).await.unwrap();
    first.note(positions[0], text("held")).unwrap();
    first.submit(append("b")).await.unwrap();
    let page = first.scan(None, 10).await.unwrap();
    assert_eq!(page.items[0].note, Some(text("held")));
}

#[tokio::test]
async fn the_directory_keeps_what_was_committed_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let put = |key: &str, value: &str| Change::Put(text(key), text(value));
    let released = {
        let stores = open_embedded(folder.path(), &TokioTasks).unwrap();
        let directory = DirectoryWriter::open(&*stores.directory, "node", &TokioTasks)
            .await
            .unwrap();
        let partition = directory.partition_of(b"111122223333");
        let absent = vec![Expect {
            key: text("queue/orders"),
            absent: true,
        }];
        directory
            .commit(partition, absent.clone(), vec![put("queue/orders", "1")])
            .await
            .unwrap();
        let again = directory
            .commit(partition, absent, vec![put("queue/orders", "2")])
            .await;
        assert_eq!(again, Err(Error::Conflict { index: 0 }));
        directory
            .commit(PartitionId(0), vec![], vec![put("key/a", "k")])
            .await
            .unwrap();
        directory.confirm(partition).await.unwrap();
        stores.released.clone()
    };
    // The tasks of the first opening end by themselves.
    released.wait().await;
    let stores = open_embedded(folder.path(), &TokioTasks).unwrap();
    let directory = DirectoryWriter::open(&*stores.directory, "node", &TokioTasks)
        .await
        .unwrap();
    let queues = directory.scan_all(text("queue/")).await.unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!((&queues[0].1, &queues[0].2), (&text("queue/orders"), &text("1")));
    assert_eq!(directory.scan_all(Bytes::new()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_folder_is_for_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open_embedded(folder.path(), &TokioTasks).unwrap();
    let refused = open_embedded(folder.path(), &TokioTasks).err().unwrap();
    assert!(matches!(refused, OpenError::InUse { .. }));
    assert!(refused.to_string().contains("locked by another process"));
    drop(stores);
    open_embedded(folder.path(), &TokioTasks).unwrap();
}

#[tokio::test]
async fn data_is_removed_only_when_nobody_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open_embedded(folder.path(), &TokioTasks).unwrap();
    let mut owner = stores.directory.open(PARTITION, "node").await.unwrap().owner;
    owner
        .commit(1, vec![], vec![Change::Put(text("a"), text("b"))])
        .await
        .unwrap();
    assert!(matches!(
        remove_embedded(folder.path()),
        Err(OpenError::InUse { .. })
    ));
    drop((owner, stores));
    remove_embedded(folder.path()).unwrap();
    let stores = open_embedded(folder.path(), &TokioTasks).unwrap();
    let page = stores
        .directory
        .scan(PARTITION, Bytes::new(), None, 10)
        .await
        .unwrap();
    assert_eq!(page.items, []);
}

#[tokio::test]
async fn files_are_readable_by_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let stores = open_embedded(&data, &TokioTasks).unwrap();
    let directory = DirectoryWriter::open(&*stores.directory, "node", &TokioTasks)
        .await
        .unwrap();
    directory
        .commit(PartitionId(0), vec![], vec![Change::Put(text("a"), text("b"))])
        .await
        .unwrap();
    let mut files = 0;
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o700,
            "{}",
            folder.display()
        );
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            // A file made in advance may be renamed meanwhile.
            let Ok(metadata) = path.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files >= 5, "lock, format, three of SQLite, a log file");
}

#[tokio::test]
async fn a_folder_of_another_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_embedded(folder.path(), &TokioTasks).unwrap());
    let format = folder.path().join("format");
    std::fs::write(&format, "bulla-data 2\n").unwrap();
    assert!(matches!(
        open_embedded(folder.path(), &TokioTasks),
        Err(OpenError::Layout(_))
    ));
    std::fs::remove_file(&format).unwrap();
    assert!(matches!(
        open_embedded(folder.path(), &TokioTasks),
        Err(OpenError::Layout(_))
    ));
}

#[tokio::test]
async fn a_damaged_directory_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_embedded(folder.path(), &TokioTasks).unwrap());
    std::fs::write(folder.path().join("directory.sqlite"), [0x55; 8_192]).unwrap();
    assert!(matches!(
        open_embedded(folder.path(), &TokioTasks),
        Err(OpenError::Corrupt(_))
    ));
}

/// Sends, reads and deletes; answers what is left.
async fn send_read_delete(writer: LogWriter, task: u64, rounds: u64) -> Vec<(Pos, Bytes)> {
    let mut mine: Vec<(Pos, Bytes)> = Vec::new();
    for round in 0..rounds {
        let body =
            text(format!("task {task} round {round} ").repeat(1 + usize::try_from(round % 40).unwrap()));
        let deletes = mine
            .iter()
            .step_by(2)
            .take(3)
            .map(|(pos, _)| *pos)
            .collect::<Vec<_>>();
        mine.retain(|(pos, _)| !deletes.contains(pos));
        let gone = deletes.clone();
        let appends = vec![(text("m"), body.clone()), (text("m"), Bytes::new())];
        let submission = Submission {
            appends,
            deletes,
            ..Submission::default()
        };
        let positions = writer.submit(submission).await.unwrap();
        mine.push((positions[0], body));
        mine.push((positions[1], Bytes::new()));
        let read = writer
            .bodies(mine.iter().map(|(pos, _)| *pos).collect())
            .await
            .unwrap();
        assert!(
            read.iter()
                .zip(&mine)
                .all(|(read, (_, body))| read.as_ref() == Some(body))
        );
        assert!(writer.bodies(gone).await.unwrap().iter().all(Option::is_none));
    }
    mine
}

/// Tasks that send, read and delete while small files are made, removed and rewritten under them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_returns_while_files_come_and_go() {
    const TASKS: u64 = 8;
    const ROUNDS: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let open = |keep: &Arc<()>| {
        let disk = RealDisk::new(folder.path()).unwrap();
        let keep: Arc<dyn Any + Send + Sync> = Arc::<()>::clone(keep);
        let options = Options {
            partitions: 4,
            segment_bytes: 16 << 10,
            keep: Some(keep),
        };
        SegmentLog::open(Arc::new(disk), options, &TokioTasks).unwrap()
    };
    let in_use = Arc::new(());
    let log = open(&in_use);
    let writer = LogWriter::open(&log, PARTITION, "node", &TokioTasks)
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(send_read_delete(writer.clone(), task, ROUNDS));
    }
    let mut expected: Vec<(Pos, Bytes)> = tasks.join_all().await.into_iter().flatten().collect();
    expected.sort_unstable();
    drop((writer, log));
    // The log lets go of its files when its committing task has ended.
    while Arc::strong_count(&in_use) > 1 {
        tokio::task::yield_now().await;
    }
    let log = open(&in_use);
    let writer = LogWriter::open(&log, PARTITION, "node", &TokioTasks)
        .await
        .unwrap();
    let found = writer.scan(None, LIMITS.page).await.unwrap().items;
    let positions: Vec<Pos> = found.iter().map(|record| record.pos).collect();
    assert_eq!(
        positions,
        expected.iter().map(|(pos, _)| *pos).collect::<Vec<_>>()
    );
    let bodies = writer.bodies(positions).await.unwrap();
    assert!(
        bodies
            .iter()
            .zip(&expected)
            .all(|(read, (_, body))| read.as_ref() == Some(body))
    );
}
