//! One connection's part in a scenario: the calls it makes and what it checks of the answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use crate::connection::{self, Call, Connection, Keys, Route};
use crate::messages::{Seen, body};
use crate::{Failure, clock};

/// Receives that find nothing, one after the other on one connection, after which its queue counts as drained.
const EMPTY_RECEIVES_MAX: usize = 5;

/// What the connections do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Deletes by the handles in [`Shared::handles`].
    Delete,
    /// Receives and deletes what is there.
    Drain,
    /// Receives and deletes so many of what is there.
    DrainPart,
    /// Receives from drained queues.
    Empty,
    /// Receives and keeps the handles.
    Receive,
    /// Sends, receives and deletes in turn.
    RoundTrip,
    /// Sends.
    Send,
    /// Sends to a server whose answers are not those of a queue.
    SendUnread,
}

impl Work {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Drain | Self::DrainPart => "drain",
            Self::Empty => "empty receive",
            Self::Receive => "receive",
            Self::RoundTrip => "round trip",
            Self::Send => "send",
            Self::SendUnread => "yardstick",
        }
    }

    /// Whether every message must have come when it ends.
    pub(crate) const fn reads_all(self) -> bool {
        matches!(self, Self::Drain | Self::Receive | Self::RoundTrip)
    }
}

/// What all connections of a scenario share.
pub(crate) struct Shared {
    pub(crate) route: Route,
    pub(crate) keys: Keys,
    pub(crate) queues: Vec<String>,
    pub(crate) connections: usize,
    /// Messages per call, 1 to 10.
    pub(crate) batch: usize,
    pub(crate) body_bytes: usize,
    /// Message groups of all queues together; none for standard queues.
    pub(crate) groups: Option<usize>,
    pub(crate) ends: Instant,
    /// Number of the next message or call.
    pub(crate) next: AtomicUsize,
    pub(crate) limit: usize,
    pub(crate) done: AtomicUsize,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) handles: Vec<Mutex<Vec<String>>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one connection. Returns the latency of each call, microseconds.
pub(crate) async fn one(shared: Arc<Shared>, work: Work, number: usize) -> Result<Vec<u32>, Failure> {
    let place = number % shared.queues.len();
    let queue = shared.queues.get(place).ok_or("there is no queue")?;
    let part = async |connection: &mut Connection<'_>| {
        let mut worker = Worker {
            shared: &shared,
            connection,
            queue,
            place,
            number,
            latencies: Vec::new(),
        };
        worker.run(work).await?;
        Ok(worker.latencies)
    };
    connection::with(&shared.route, &shared.keys, "sqs", part).await
}

struct Worker<'a, 'b> {
    shared: &'a Shared,
    connection: &'a mut Connection<'b>,
    queue: &'a str,
    place: usize,
    number: usize,
    latencies: Vec<u32>,
}

impl Worker<'_, '_> {
    async fn run(&mut self, work: Work) -> Result<(), Failure> {
        let mut empty = 0;
        while clock::now() < self.shared.ends && empty < EMPTY_RECEIVES_MAX {
            let done = match work {
                Work::Send => self.send(true).await?,
                Work::SendUnread => self.send(false).await?,
                Work::Receive => self.receive_and_keep().await?,
                Work::Delete => self.delete_kept().await?,
                Work::Empty => self.receive_nothing().await?,
                Work::Drain | Work::DrainPart => self.receive_and_delete().await?,
                Work::RoundTrip => {
                    self.send(true).await?;
                    self.receive_and_delete().await?
                }
            };
            let Some(done) = done else { return Ok(()) };
            empty = if done == 0 { empty + 1 } else { 0 };
            self.shared.done.fetch_add(done, Ordering::Relaxed);
        }
        Ok(())
    }

    /// One call, timed.
    async fn call(&mut self, target: &str, body: &Value) -> Result<Vec<u8>, Failure> {
        let body = body.to_string().into_bytes();
        let started = clock::now();
        let answer = self.connection.expect(Call::sqs(target), body).await?;
        let took = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.latencies.push(took);
        Ok(answer.into())
    }

    /// Sends the next messages; `None` when all are sent.
    async fn send(&mut self, read: bool) -> Result<Option<usize>, Failure> {
        let shared = self.shared;
        let first = shared.next.fetch_add(shared.batch, Ordering::Relaxed);
        let last = (first + shared.batch).min(shared.limit);
        if first >= last {
            return Ok(None);
        }
        let (target, body) = if shared.batch == 1 {
            let mut body = self.message(first);
            set(&mut body, "QueueUrl", self.queue);
            ("AmazonSQS.SendMessage", body)
        } else {
            let entries: Vec<Value> = (first..last)
                .map(|number| {
                    let mut entry = self.message(number);
                    set(&mut entry, "Id", &number.to_string());
                    entry
                })
                .collect();
            let body = json!({ "QueueUrl": self.queue, "Entries": entries });
            ("AmazonSQS.SendMessageBatch", body)
        };
        let answer = self.call(target, &body).await?;
        if !read {
            return Ok(Some(last - first));
        }
        let answer: Value = serde_json::from_slice(&answer)?;
        if shared.batch == 1 {
            answer.get("MessageId").ok_or("no message id in the answer")?;
        } else {
            check_batch(&answer, last - first)?;
        }
        Ok(Some(last - first))
    }

    fn message(&self, number: usize) -> Value {
        let mut message = json!({ "MessageBody": body(number, self.shared.body_bytes) });
        if let Some(groups) = self.shared.groups {
            // Each connection has groups of its own, so that the numbers in a group rise.
            let own = (groups / self.shared.connections).max(1);
            let group = self.number + self.shared.connections * (number % own);
            set(&mut message, "MessageGroupId", &group.to_string());
            set(&mut message, "MessageDeduplicationId", &number.to_string());
        }
        message
    }

    /// Receives and checks; `None` when all messages have come. Answers handles.
    async fn receive(&mut self) -> Result<Option<Vec<String>>, Failure> {
        let shared = self.shared;
        if shared.done.load(Ordering::Relaxed) >= shared.limit {
            return Ok(None);
        }
        let mut body = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": shared.batch });
        if shared.groups.is_some()
            && let Some(body) = body.as_object_mut()
        {
            body.insert(
                "MessageSystemAttributeNames".to_owned(),
                json!(["MessageGroupId"]),
            );
        }
        let answer = self.call("AmazonSQS.ReceiveMessage", &body).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let messages = list(&answer, "Messages");
        let mut seen = lock(&shared.seen);
        for message in messages {
            let body = message.get("Body").and_then(Value::as_str).unwrap_or_default();
            let group = message
                .pointer("/Attributes/MessageGroupId")
                .and_then(Value::as_str);
            seen.note(body, group.map(|group| (self.place, group)));
        }
        drop(seen);
        let handles = messages
            .iter()
            .filter_map(|message| message.get("ReceiptHandle")?.as_str());
        Ok(Some(handles.map(str::to_owned).collect()))
    }

    async fn receive_and_keep(&mut self) -> Result<Option<usize>, Failure> {
        let Some(handles) = self.receive().await? else {
            return Ok(None);
        };
        let count = handles.len();
        let mut known = self
            .shared
            .handles
            .get(self.place)
            .map(lock)
            .ok_or("there is no queue")?;
        known.extend(handles);
        Ok(Some(count))
    }

    async fn receive_and_delete(&mut self) -> Result<Option<usize>, Failure> {
        match self.receive().await? {
            None => Ok(None),
            Some(handles) if handles.is_empty() => Ok(Some(0)),
            Some(handles) => self.delete(&handles).await.map(Some),
        }
    }

    async fn receive_nothing(&mut self) -> Result<Option<usize>, Failure> {
        if self.shared.next.fetch_add(1, Ordering::Relaxed) >= self.shared.limit {
            return Ok(None);
        }
        let body = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10 });
        let answer = self.call("AmazonSQS.ReceiveMessage", &body).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        if list(&answer, "Messages").is_empty() {
            Ok(Some(1))
        } else {
            Err("a drained queue still had messages".into())
        }
    }

    async fn delete_kept(&mut self) -> Result<Option<usize>, Failure> {
        let handles = {
            let kept = self.shared.handles.get(self.place).map(lock);
            let mut kept = kept.ok_or("there is no queue")?;
            let rest = kept.len().saturating_sub(self.shared.batch);
            kept.split_off(rest)
        };
        if handles.is_empty() {
            return Ok(None);
        }
        self.delete(&handles).await.map(Some)
    }

    async fn delete(&mut self, handles: &[String]) -> Result<usize, Failure> {
        if let ([handle], 1) = (handles, self.shared.batch) {
            let body = json!({ "QueueUrl": self.queue, "ReceiptHandle": handle });
            self.call("AmazonSQS.DeleteMessage", &body).await?;
            return Ok(1);
        }
        let entry =
            |(number, handle): (usize, &String)| json!({ "Id": number.to_string(), "ReceiptHandle": handle });
        let entries: Vec<Value> = handles.iter().enumerate().map(entry).collect();
        let body = json!({ "QueueUrl": self.queue, "Entries": entries });
        let answer = self.call("AmazonSQS.DeleteMessageBatch", &body).await?;
        check_batch(&serde_json::from_slice(&answer)?, handles.len())?;
        Ok(handles.len())
    }
}

fn set(object: &mut Value, name: &str, value: &str) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn check_batch(answer: &Value, count: usize) -> Result<(), Failure> {
    match list(answer, "Failed") {
        [] if list(answer, "Successful").len() == count => Ok(()),
        failed => Err(format!("a batch failed in part: {failed:?}").into()),
    }
}
