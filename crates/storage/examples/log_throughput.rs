//! How fast the log takes, hands out and forgets messages.
//!
//! ```text
//! cargo run --release -p bulla-storage --example log_throughput -- [folder] [messages] [senders]
//! ```
//!
//! Messages have 1 KiB. Each sender submits one message at a time; then all are read and deleted by tens.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement, not the product"
)]

use bulla_runtime::TokioTasks;
use bulla_storage::{LogWriter, PartitionId, Pos, Submission, open_embedded};
use bytes::Bytes;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PARTITIONS: u32 = 16;

/// CPU time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn report(what: &str, messages: u64, since: (Instant, Duration)) {
    let (wall, cpu) = (
        since.0.elapsed().as_secs_f64(),
        cpu().saturating_sub(since.1).as_secs_f64(),
    );
    #[expect(clippy::cast_precision_loss, reason = "a rate to read")]
    let messages = messages as f64;
    println!(
        "{what:>8}: {:>9.0} messages/s, {:>6.1} µs CPU each",
        messages / wall,
        cpu * 1e6 / messages
    );
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(
        || std::env::temp_dir().join("bulla-log-throughput"),
        PathBuf::from,
    );
    let mut number = |default: u64| {
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (messages, senders) = (number(200_000), number(256));
    let stores = open_embedded(&folder, &TokioTasks).unwrap();
    let mut writers = Vec::new();
    for partition in 0..PARTITIONS {
        let log = &*stores.log;
        writers.push(
            LogWriter::open(log, PartitionId(partition), "bench", &TokioTasks)
                .await
                .unwrap(),
        );
    }

    let body = Bytes::from(vec![0xA5; 1_024]);
    let meta = Bytes::from(vec![0x5A; 100]);
    let since = (Instant::now(), cpu());
    let mut tasks = JoinSet::new();
    for sender in 0..usize::try_from(senders).unwrap() {
        let writer = writers.iter().cycle().nth(sender).unwrap().clone();
        let (body, meta) = (body.clone(), meta.clone());
        tasks.spawn(async move {
            let mut positions = Vec::new();
            for _ in 0..messages / senders {
                let appends = vec![(meta.clone(), body.clone())];
                let submission = Submission {
                    appends,
                    ..Submission::default()
                };
                positions.extend(writer.submit(submission).await.unwrap());
            }
            (writer, positions)
        });
    }
    let sent: Vec<(LogWriter, Vec<Pos>)> = tasks.join_all().await;
    report("send", messages, since);

    read_and_delete(sent, messages).await;
}

async fn read_and_delete(sent: Vec<(LogWriter, Vec<Pos>)>, messages: u64) {
    let since = (Instant::now(), cpu());
    let mut tasks = JoinSet::new();
    for (writer, positions) in sent {
        tasks.spawn(async move {
            for batch in positions.chunks(10) {
                let bodies = writer.bodies(batch.to_vec()).await.unwrap();
                assert!(
                    bodies
                        .iter()
                        .all(|body| body.as_ref().is_some_and(|body| body.len() == 1_024))
                );
            }
            (writer, positions)
        });
    }
    let read: Vec<(LogWriter, Vec<Pos>)> = tasks.join_all().await;
    report("read", messages, since);

    let since = (Instant::now(), cpu());
    let mut tasks = JoinSet::new();
    for (writer, positions) in read {
        tasks.spawn(async move {
            for batch in positions.chunks(10) {
                let submission = Submission {
                    deletes: batch.to_vec(),
                    ..Submission::default()
                };
                writer.submit(submission).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    report("delete", messages, since);
}
