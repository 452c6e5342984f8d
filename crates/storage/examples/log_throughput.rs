//! What a message costs in the log: appended, read, deleted; and what a deep backlog costs in memory and at start.
//!
//! ```text
//! cargo run --release -p bulla-storage --example log_throughput -- [folder] [messages] [senders] [batch] [backlog]
//! ```
//!
//! Bodies have 1,100 bytes, metas 24. Each sender submits one batch at a time to one of 4 partitions; then all are
//! read and deleted by tens. After that a backlog of `backlog` messages is written, the log is opened anew and its
//! metas are read by pages.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement, not the product"
)]

use bulla_runtime::TokioTasks;
use bulla_storage::{LIMITS, LogWriter, PartitionId, Pos, Stores, Submission, open_embedded};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const QUEUES: u32 = 4;
const BODY_BYTES: usize = 1_100;
const META_BYTES: usize = 24;
const BACKLOG_BATCH: u64 = 100;

/// User and system time of this process so far.
fn cpu() -> (Duration, Duration) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        let ticks = fields.get(at).and_then(|field| field.parse::<u64>().ok());
        Duration::from_millis(ticks.unwrap_or(0) * 10)
    };
    (ticks(11), ticks(12))
}

/// Resident memory in MiB that is not backed by files, and its peak.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1_024
    };
    (field("RssAnon:"), field("VmHWM:"))
}

struct Since {
    wall: Instant,
    cpu: (Duration, Duration),
}

impl Since {
    fn now() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu(),
        }
    }

    fn report(&self, what: &str, messages: u64) {
        let (user, system) = cpu();
        let wall = self.wall.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate to read")]
        let count = messages as f64;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / count;
        println!(
            "{what:>8}: {:>9.0} messages/s, {:>6.2} µs user + {:>6.2} µs system each, {wall:.2} s",
            count / wall,
            each(user.saturating_sub(self.cpu.0)),
            each(system.saturating_sub(self.cpu.1)),
        );
    }
}

async fn open(folder: &Path) -> (Stores, Vec<LogWriter>) {
    let stores = open_embedded(folder, &TokioTasks).unwrap();
    let mut writers = Vec::new();
    for partition in 0..QUEUES {
        let log = &*stores.log;
        let writer = LogWriter::open(log, PartitionId(partition), "bench", &TokioTasks);
        writers.push(writer.await.unwrap());
    }
    (stores, writers)
}

fn batch(size: u64, number: u64) -> Submission {
    let meta = || {
        let mut meta = [0x5A; META_BYTES];
        meta.iter_mut()
            .zip(number.to_le_bytes())
            .for_each(|(to, from)| *to = from);
        Bytes::copy_from_slice(&meta)
    };
    let body = Bytes::from(vec![0xA5; BODY_BYTES]);
    Submission {
        appends: (0..size).map(|_| (meta(), body.clone())).collect(),
        ..Submission::default()
    }
}

async fn send(writers: &[LogWriter], messages: u64, senders: u64, size: u64) -> Vec<(LogWriter, Vec<Pos>)> {
    let mut tasks = JoinSet::new();
    for (sender, writer) in (0..senders).zip(writers.iter().cycle()) {
        let writer = writer.clone();
        tasks.spawn(async move {
            let mut positions = Vec::new();
            for number in 0..messages / senders / size {
                let sent = writer.submit(batch(size, sender + number)).await;
                positions.extend(sent.unwrap());
            }
            (writer, positions)
        });
    }
    tasks.join_all().await
}

async fn read(sent: Vec<(LogWriter, Vec<Pos>)>, note: bool) -> Vec<(LogWriter, Vec<Pos>)> {
    let mut tasks = JoinSet::new();
    for (writer, positions) in sent {
        tasks.spawn(async move {
            for batch in positions.chunks(10) {
                let bodies = writer.bodies(batch.to_vec()).await.unwrap();
                let whole = |body: &Option<Bytes>| body.as_ref().is_some_and(|body| body.len() == BODY_BYTES);
                assert!(bodies.iter().all(whole));
                for pos in batch.iter().filter(|_| note) {
                    writer.note(*pos, Bytes::from_static(&[7; 24])).unwrap();
                }
            }
            (writer, positions)
        });
    }
    tasks.join_all().await
}

async fn delete(read: Vec<(LogWriter, Vec<Pos>)>) {
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
}

async fn round(writers: &[LogWriter], messages: u64, senders: u64, size: u64) {
    let since = Since::now();
    let sent = send(writers, messages, senders, size).await;
    since.report("send", messages);
    let since = Since::now();
    let sent = read(sent, false).await;
    since.report("read", messages);
    let since = Since::now();
    let sent = read(sent, true).await;
    since.report("and note", messages);
    let since = Since::now();
    delete(sent).await;
    since.report("delete", messages);
}

async fn backlog(folder: &Path, stores: Stores, writers: Vec<LogWriter>, messages: u64) {
    let (before, _) = memory();
    let since = Since::now();
    drop(send(&writers, messages, 32, BACKLOG_BATCH).await);
    since.report("backlog", messages);
    println!("anonymous memory {} MiB, before {before} MiB", memory().0);
    let released = stores.released.clone();
    drop((stores, writers));
    released.wait().await;
    restart(folder).await;
}

/// Opens what is there and reads all metas.
async fn restart(folder: &Path) {
    println!("closed: anonymous memory {} MiB", memory().0);
    let since = Since::now();
    let (stores, writers) = open(folder).await;
    since.report("open", 1);
    println!("anonymous memory, peak of all: {:?} MiB", memory());
    let since = Since::now();
    let mut found = 0;
    let mut first = Vec::new();
    for writer in &writers {
        let mut cursor = None;
        loop {
            let page = writer.scan(cursor, LIMITS.page).await.unwrap();
            found += page.items.len() as u64;
            if first.len() < 200_000 {
                first.extend(page.items.iter().map(|record| (writer.clone(), record.pos)));
            }
            assert!(page.items.iter().all(|record| record.meta.len() == META_BYTES));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    since.report("scan", found);
    println!(
        "{found} records; anonymous memory, peak of all: {:?} MiB",
        memory()
    );
    let since = Since::now();
    let messages = first.len() as u64;
    let drain: Vec<_> = first
        .chunks(10_000)
        .filter_map(|some| {
            Some((
                some.first()?.0.clone(),
                some.iter().map(|(_, pos)| *pos).collect(),
            ))
        })
        .collect();
    delete(read(drain, true).await).await;
    since.report("drain", messages);
    drop(stores);
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(
        || std::env::temp_dir().join("bulla-log-throughput"),
        PathBuf::from,
    );
    let mut number = |default: u64| {
        let given = arguments.next().and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let (messages, senders, size, deep) = (number(200_000), number(32), number(10), number(0));
    if messages == 0 {
        return restart(&folder).await;
    }
    let (stores, writers) = open(&folder).await;
    println!("open: anonymous memory {} MiB", memory().0);
    round(&writers, messages, senders, size).await;
    if deep > 0 {
        backlog(&folder, stores, writers, deep).await;
    }
}
