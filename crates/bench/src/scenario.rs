//! The scenarios: what each connection does until the messages or the time have run out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::connection::{self, Call, Connection, Keys};
use crate::messages::{Seen, body};
use crate::process::Server;
use crate::report::{Latencies, Row};
use crate::{Failure, clock};

/// Receives that find nothing, one after the other on one connection, after which its queue counts as drained.
const EMPTY_RECEIVES_MAX: usize = 5;

/// What the connections do.
pub(crate) enum Scenario {
    /// Sends messages; `read` says whether the answers are those of a queue.
    Send { read: bool },
    /// Receives this many messages and keeps their handles.
    Receive { count: usize },
    /// Deletes by these handles, a list for each queue.
    Delete { handles: Vec<Vec<String>> },
    /// Receives from drained queues.
    Empty { calls: usize },
}

/// Where and with what the scenario runs.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) server: &'a Server,
    pub(crate) keys: &'a Keys,
    pub(crate) queues: &'a [String],
    /// Messages per call, 1 or 10.
    pub(crate) batch: usize,
}

/// A measured scenario, and what the next one needs of it.
pub(crate) struct Measured {
    pub(crate) row: Row,
    /// Receipt handles, a list for each queue.
    pub(crate) handles: Vec<Vec<String>>,
}

/// What all connections of a scenario share.
struct Shared {
    address: String,
    keys: Keys,
    queues: Vec<String>,
    batch: usize,
    body_bytes: usize,
    ends: Instant,
    /// Number of the next message or call.
    next: AtomicUsize,
    limit: usize,
    done: AtomicUsize,
    seen: Mutex<Seen>,
    handles: Vec<Mutex<Vec<String>>>,
}

impl Load<'_> {
    /// Runs the scenario on all connections at once and measures it.
    pub(crate) async fn run(self, scenario: Scenario, encryption: &'static str) -> Result<Measured, Failure> {
        let limit = match &scenario {
            Scenario::Send { .. } => self.arguments.messages,
            Scenario::Receive { count } => *count,
            Scenario::Delete { handles } => handles.iter().map(Vec::len).sum(),
            Scenario::Empty { calls } => (*calls).max(1),
        };
        let work = Work::of(&scenario);
        let mut handles = match scenario {
            Scenario::Delete { handles } => handles,
            Scenario::Send { .. } | Scenario::Receive { .. } | Scenario::Empty { .. } => Vec::new(),
        };
        handles.resize_with(self.queues.len(), Vec::new);
        let started = clock::now();
        let seconds = u64::try_from(self.arguments.seconds)?;
        let shared = Arc::new(Shared {
            address: self.server.address.clone(),
            keys: self.keys.clone(),
            queues: self.queues.to_vec(),
            batch: self.batch,
            body_bytes: self.arguments.body_bytes,
            ends: started + Duration::from_secs(seconds),
            next: AtomicUsize::new(0),
            limit,
            done: AtomicUsize::new(0),
            seen: Mutex::new(Seen::new(limit, self.arguments.body_bytes)),
            handles: handles.into_iter().map(Mutex::new).collect(),
        });
        let cpu_before = self.server.cpu_seconds();
        let mut connections = JoinSet::new();
        for number in 0..self.arguments.connections {
            connections.spawn(one(Arc::clone(&shared), work, number));
        }
        let mut latencies = Latencies::default();
        while let Some(ended) = connections.join_next().await {
            latencies.add(ended??);
        }
        let took = started.elapsed();
        let cpu = cpu_before
            .zip(self.server.cpu_seconds())
            .map(|(before, after)| after - before);
        let seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = shared.done.load(Ordering::Relaxed);
        let row = Row {
            scenario: work.name().to_owned(),
            encryption,
            batch: if work == Work::Empty { 1 } else { self.batch },
            messages,
            seconds: took.as_secs_f64(),
            cpu_seconds: cpu,
            resident_mib: self.server.resident_mib(),
            latencies: latencies.sorted(),
            wrong: seen.wrong,
            duplicates: seen.duplicates,
            missing: if work == Work::Receive {
                limit.saturating_sub(seen.distinct())
            } else {
                0
            },
        };
        drop(seen);
        let handles = shared
            .handles
            .iter()
            .map(|list| std::mem::take(&mut *lock(list)))
            .collect();
        Ok(Measured { row, handles })
    }
}

/// The scenario without its data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Delete,
    Empty,
    Receive,
    Send,
    SendUnread,
}

impl Work {
    fn of(scenario: &Scenario) -> Self {
        match scenario {
            Scenario::Send { read: true } => Self::Send,
            Scenario::Send { read: false } => Self::SendUnread,
            Scenario::Receive { .. } => Self::Receive,
            Scenario::Delete { .. } => Self::Delete,
            Scenario::Empty { .. } => Self::Empty,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Empty => "empty receive",
            Self::Receive => "receive",
            Self::Send | Self::SendUnread => "send",
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection's part. Returns the latency of each call, microseconds.
async fn one(shared: Arc<Shared>, work: Work, number: usize) -> Result<Vec<u32>, Failure> {
    let place = number % shared.queues.len();
    let queue = shared.queues.get(place).ok_or("there is no queue")?;
    let work = async |connection: &mut Connection<'_>| {
        let mut latencies = Vec::new();
        let mut empty = 0;
        while clock::now() < shared.ends && empty < EMPTY_RECEIVES_MAX {
            let Some((target, body, count)) = shared.request(work, place, queue) else {
                break;
            };
            let started = clock::now();
            let call = Call::Json {
                target,
                version: "1.0",
            };
            let answer = connection.expect(call, body).await?;
            latencies.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
            let done = shared.note(work, place, &answer, count)?;
            empty = if done == 0 { empty + 1 } else { 0 };
            shared.done.fetch_add(done, Ordering::Relaxed);
        }
        Ok(latencies)
    };
    connection::with(&shared.address, &shared.keys, "sqs", work).await
}

impl Shared {
    /// The next call: its target, its body and its number of messages. `None` when there is nothing left to do.
    fn request(&self, work: Work, place: usize, queue: &str) -> Option<(&'static str, Vec<u8>, usize)> {
        match work {
            Work::Send | Work::SendUnread => {
                let first = self.next.fetch_add(self.batch, Ordering::Relaxed);
                let last = (first + self.batch).min(self.limit);
                (first < last).then(|| self.send(queue, first, last))
            }
            Work::Receive => {
                let open = self.done.load(Ordering::Relaxed) < self.limit;
                let body = json!({ "QueueUrl": queue, "MaxNumberOfMessages": self.batch });
                open.then(|| ("AmazonSQS.ReceiveMessage", body.to_string().into(), self.batch))
            }
            Work::Empty => {
                let open = self.next.fetch_add(1, Ordering::Relaxed) < self.limit;
                let body = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10 });
                open.then(|| ("AmazonSQS.ReceiveMessage", body.to_string().into(), 1))
            }
            Work::Delete => {
                let mut list = self.handles.get(place).map(lock)?;
                let rest = list.len().saturating_sub(self.batch);
                let handles = list.split_off(rest);
                drop(list);
                (!handles.is_empty()).then(|| delete(queue, &handles))
            }
        }
    }

    fn send(&self, queue: &str, first: usize, last: usize) -> (&'static str, Vec<u8>, usize) {
        let text = |number| body(number, self.body_bytes);
        if self.batch == 1 {
            let body = json!({ "QueueUrl": queue, "MessageBody": text(first) });
            return ("AmazonSQS.SendMessage", body.to_string().into(), 1);
        }
        let entry = |number: usize| json!({ "Id": number.to_string(), "MessageBody": text(number) });
        let entries: Vec<Value> = (first..last).map(entry).collect();
        let body = json!({ "QueueUrl": queue, "Entries": entries });
        (
            "AmazonSQS.SendMessageBatch",
            body.to_string().into(),
            last - first,
        )
    }

    /// Checks the answer; returns how many messages it is about.
    fn note(&self, work: Work, place: usize, answer: &[u8], count: usize) -> Result<usize, Failure> {
        match work {
            Work::SendUnread => return Ok(count),
            Work::Delete if self.batch == 1 => return Ok(1),
            Work::Delete | Work::Empty | Work::Receive | Work::Send => {}
        }
        let answer: Value = serde_json::from_slice(answer)?;
        let list = |name: &str| {
            answer
                .get(name)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        match work {
            Work::Receive => {
                let mut seen = lock(&self.seen);
                for message in list("Messages") {
                    seen.note(message.get("Body").and_then(Value::as_str).unwrap_or_default());
                }
                drop(seen);
                let handles = list("Messages")
                    .iter()
                    .filter_map(|message| message.get("ReceiptHandle")?.as_str());
                let mut known = self.handles.get(place).map(lock).ok_or("there is no queue")?;
                known.extend(handles.map(str::to_owned));
                Ok(list("Messages").len())
            }
            Work::Empty if list("Messages").is_empty() => Ok(1),
            Work::Empty => Err("a drained queue still had messages".into()),
            Work::Send if self.batch == 1 => {
                answer
                    .get("MessageId")
                    .and_then(Value::as_str)
                    .ok_or("no message id in the answer")?;
                Ok(1)
            }
            Work::Send | Work::SendUnread | Work::Delete => match list("Failed") {
                [] if list("Successful").len() == count => Ok(count),
                failed => Err(format!("a batch failed in part: {failed:?}").into()),
            },
        }
    }
}

fn delete(queue: &str, handles: &[String]) -> (&'static str, Vec<u8>, usize) {
    if let [handle] = handles {
        let body = json!({ "QueueUrl": queue, "ReceiptHandle": handle });
        return ("AmazonSQS.DeleteMessage", body.to_string().into(), 1);
    }
    let entry =
        |(number, handle): (usize, &String)| json!({ "Id": number.to_string(), "ReceiptHandle": handle });
    let entries: Vec<Value> = handles.iter().enumerate().map(entry).collect();
    let body = json!({ "QueueUrl": queue, "Entries": entries });
    (
        "AmazonSQS.DeleteMessageBatch",
        body.to_string().into(),
        handles.len(),
    )
}
