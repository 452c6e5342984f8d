//! Whoever keeps an index over the log is told of every submission, in the order of the positions.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use bulla_runtime::TokioTasks;
use bulla_storage::log::segment::{Options, SegmentLog};
use bulla_storage::testing::disk::SimulatedDisk;
use bulla_storage::{Applied, Error, LIMITS, Log, LogWriter, PartitionId, Pos, Submission, open_memory};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

type Told = Arc<Mutex<Vec<Result<Vec<Pos>, Error>>>>;

fn simulated() -> (SimulatedDisk, SegmentLog) {
    let disk = SimulatedDisk::default();
    let options = Options {
        partitions: 1,
        segment_bytes: 1 << 20,
        keep: None,
    };
    let log = SegmentLog::open(Arc::new(disk.clone()), options, &TokioTasks).unwrap();
    (disk, log)
}

async fn writer(log: &dyn Log) -> LogWriter {
    LogWriter::open(log, PartitionId(0), "node", &TokioTasks)
        .await
        .unwrap()
}

fn tell(told: &Told) -> Applied {
    let told = Arc::clone(told);
    Box::new(move |result| told.lock().unwrap().push(result.clone()))
}

fn append(body: Bytes, told: &Told) -> Submission {
    Submission {
        appends: vec![(Bytes::from_static(b"meta"), body)],
        applied: Some(tell(told)),
        ..Submission::default()
    }
}

fn short() -> Bytes {
    Bytes::from_static(b"body")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_index_learns_of_records_in_the_order_of_their_positions() {
    let (_disk, log) = simulated();
    let writer = writer(&log).await;
    let told = Told::default();
    let mut tasks = JoinSet::new();
    for _ in 0..500 {
        let (writer, told) = (writer.clone(), Arc::clone(&told));
        tasks.spawn(async move {
            let positions = writer.submit(append(short(), &told)).await.unwrap();
            assert!(
                told.lock().unwrap().contains(&Ok(positions)),
                "told before the submitter is answered"
            );
        });
    }
    tasks.join_all().await;
    let told: Vec<Pos> = told
        .lock()
        .unwrap()
        .iter()
        .flat_map(|told| told.clone().unwrap())
        .collect();
    assert_eq!(told, (1..=500).map(Pos).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_index_learns_of_a_record_only_when_it_is_durable() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    let survivors = Arc::new(Mutex::new(None));
    let (seen, at) = (Arc::clone(&survivors), disk.clone());
    let submission = Submission {
        applied: Some(Box::new(move |_| {
            let mut random = bulla_storage::testing::disk::Random::new(7);
            *seen.lock().unwrap() = Some(at.after_power_cut(&mut random));
        })),
        ..append(short(), &Told::default())
    };
    writer.submit(submission).await.unwrap();
    let disk = survivors.lock().unwrap().take().unwrap();
    let options = Options {
        partitions: 1,
        segment_bytes: 1 << 20,
        keep: None,
    };
    let log = SegmentLog::open(Arc::new(disk), options, &TokioTasks).unwrap();
    let writer = self::writer(&log).await;
    assert_eq!(writer.bodies(vec![Pos(1)]).await.unwrap(), [Some(short())]);
}

#[tokio::test]
async fn an_index_learns_of_a_submission_whose_submitter_is_gone() {
    let (_disk, log) = simulated();
    let writer = writer(&log).await;
    let told = Told::default();
    {
        let mut left = Box::pin(writer.submit(append(short(), &told)));
        std::future::poll_fn(|context| {
            assert!(left.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
    writer.submit(append(short(), &told)).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Ok(vec![Pos(1)]), Ok(vec![Pos(2)])]);
}

#[tokio::test]
async fn an_index_learns_of_refused_and_failed_submissions() {
    let (disk, log) = simulated();
    let writer = writer(&log).await;
    let told = Told::default();
    let large = Bytes::from(vec![1; LIMITS.value + 1]);
    let refused = writer.submit(append(large, &told)).await;
    disk.set_room(Some(disk.used()));
    let full = Submission {
        appends: vec![(Bytes::new(), Bytes::from(vec![7; 1_000_000])); 3],
        applied: Some(tell(&told)),
        ..Submission::default()
    };
    let full = writer.submit(full).await;
    disk.set_room(None);
    disk.fail_sync_after(0);
    let unknown = writer.submit(append(short(), &told)).await;
    let poisoned = writer.submit(append(short(), &told)).await;
    let expected = [Error::TooLarge, Error::Full, Error::Unknown, Error::Poisoned].map(Err);
    assert_eq!([refused, full, unknown, poisoned], expected);
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn an_index_learns_that_a_submission_was_given_up_before_there_was_room() {
    let log = open_memory().log;
    let writer = writer(&*log).await;
    let told = Told::default();
    drop(writer.submit(append(short(), &told)));
    assert!(told.lock().unwrap().is_empty(), "never polled, never submitted");
    // More than may wait at once: the memory engine answers on the committing task, which cannot run meanwhile.
    let mut waiting: Vec<_> = (0..40)
        .map(|_| {
            let submission = append(Bytes::from(vec![7; LIMITS.value - 4]), &told);
            Box::pin(writer.submit(submission))
        })
        .collect();
    std::future::poll_fn(|context| {
        for waiting in &mut waiting {
            assert!(waiting.as_mut().poll(context).is_pending());
        }
        std::task::Poll::Ready(())
    })
    .await;
    drop(waiting);
    let given_up = told.lock().unwrap().clone();
    assert!(
        !given_up.is_empty()
            && given_up
                .iter()
                .all(|told| matches!(told, Err(Error::Unavailable { .. })))
    );
    writer.submit(append(short(), &told)).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 41, "each exactly once");
}
