//! What clients can do: wait, draw lots, and ask the server over a network that loses and delays.

use crate::executor::Owner;
use crate::model::Model;
use crate::options::{Mutation, Options};
use crate::time::Time;
use bulla_gate::{Gate, Transport};
use bulla_storage::testing::disk::Random;
use bytes::Bytes;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

/// Lines that are kept of a traced run.
const TRACE_LINES_MAX: usize = 400;

/// A point in a history: the time, and the number of steps before, which tells apart what has one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Stamp {
    pub(crate) order: u64,
    pub(crate) at: u64,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Ok(Value),
    /// 4xx, or nobody was there: nothing was done.
    Refused(String),
    /// 5xx: it may have been done.
    Failed(String),
    /// The server died or the client stopped waiting: it may have been done.
    Lost,
}

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// What was written stays, synced or not.
    Process,
    /// What was not synced may be gone, in part.
    Power,
}

type Job = (Owner, Pin<Box<dyn Future<Output = ()>>>);

/// See the module.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) time: Time,
    pub(crate) model: RefCell<Model>,
    random: RefCell<Random>,
    gate: RefCell<Option<Arc<Gate>>>,
    /// Steps so far.
    steps: Arc<AtomicU64>,
    jobs: RefCell<Vec<Job>>,
    trace: RefCell<VecDeque<String>>,
    /// Clients that still work, not counting the last look.
    pub(crate) busy: Cell<u64>,
    /// Whether the server may be crashed now.
    pub(crate) faults: Cell<bool>,
    /// Somebody saw that the server needs a restart.
    pub(crate) restart_wanted: Cell<bool>,
    /// The server is to die now.
    pub(crate) crash_wanted: Cell<Option<Crash>>,
}

impl World {
    pub(crate) fn new(options: Options, time: Time) -> Self {
        let random = Random::new(options.seed ^ 0x0077_6f72_6b6c_6f61);
        Self {
            options,
            time,
            model: RefCell::default(),
            random: RefCell::new(random),
            gate: RefCell::default(),
            steps: Arc::default(),
            jobs: RefCell::default(),
            trace: RefCell::default(),
            busy: Cell::new(0),
            faults: Cell::new(false),
            restart_wanted: Cell::new(false),
            crash_wanted: Cell::new(None),
        }
    }

    pub(crate) fn now(&self) -> Stamp {
        stamp(&self.steps, &self.time)
    }

    /// One more step of the scheduler.
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.random.borrow_mut().below(end)
    }

    pub(crate) fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Clone>(&self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }

    /// Keeps a line for people; `line` is not made when nobody reads it.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if !self.options.trace {
            return;
        }
        let Stamp { order, at } = self.now();
        let mut trace = self.trace.borrow_mut();
        if trace.len() == TRACE_LINES_MAX {
            trace.pop_front();
        }
        let seconds = at / 1000;
        trace.push_back(format!("{order:>7} {seconds:>7}.{:03} {}", at % 1000, line()));
    }

    /// The last lines.
    pub(crate) fn traced(&self) -> Vec<String> {
        self.trace.borrow().iter().cloned().collect()
    }

    pub(crate) fn open_door(&self, gate: Arc<Gate>) {
        *self.gate.borrow_mut() = Some(gate);
    }

    pub(crate) fn close_door(&self) {
        *self.gate.borrow_mut() = None;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.gate.borrow().is_some()
    }

    /// What was asked to be started since the last call.
    pub(crate) fn take_jobs(&self) -> Vec<Job> {
        std::mem::take(&mut self.jobs.borrow_mut())
    }

    /// Starts something.
    pub(crate) fn begin(&self, owner: Owner, future: Pin<Box<dyn Future<Output = ()>>>) {
        self.jobs.borrow_mut().push((owner, future));
    }

    /// The way of a request or of an answer.
    pub(crate) async fn travel(&self) {
        let milliseconds = self.below(self.options.network_ms + 1);
        self.time.sleep(milliseconds).await;
    }

    /// Waits until the server is up.
    pub(crate) async fn until_open(&self) {
        while !self.is_open() {
            self.time.sleep(100).await;
        }
    }

    /// Hands a request to the server, here and now; answers when the server did, and with what.
    pub(crate) async fn exchange(&self, who: &str, name: &str, input: Value) -> (Answer, Stamp) {
        let Some(gate) = self.gate.borrow().clone() else {
            return (Answer::Refused("unreachable".into()), self.now());
        };
        let (name, input) = match self.mutated(name, input) {
            Ok(asked) => asked,
            Err(answer) => return (Answer::Ok(answer), self.now()),
        };
        let request = request(who, &name, &input);
        let (mut sender, receiver) = oneshot::channel();
        let (steps, time) = (Arc::clone(&self.steps), self.time.clone());
        let connection = async move {
            let transport = Transport {
                secure: true,
                source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
                endpoint: None,
            };
            let (parts, body) = request.into_parts();
            let response = tokio::select! {
                biased;
                response = gate.handle(parts, body, transport) => response,
                () = sender.closed() => return,
            };
            // Whoever gave up does not want to know.
            drop(sender.send((response, stamp(&steps, &time))));
        };
        self.begin(Owner::Server, Box::pin(connection));
        let patience = match self.options.give_up_every {
            0 => u64::MAX / 4,
            _ if !self.faults.get() => u64::MAX / 4,
            times if self.one_in(times) => self.below(25_000),
            _ => u64::MAX / 4,
        };
        let answered = tokio::select! {
            biased;
            answered = receiver => answered.ok(),
            () = self.time.sleep(patience) => None,
        };
        let Some((response, served)) = answered else {
            return (Answer::Lost, self.now());
        };
        let answer = self.spoilt(&name, answer(&response));
        (answer, served)
    }

    /// The request as a broken server would take it, or what it answers without doing anything.
    fn mutated(&self, name: &str, mut input: Value) -> Result<(String, Value), Value> {
        match (self.options.mutation, name) {
            (Some(Mutation::DropsDeletes), "DeleteMessage") if self.one_in(4) => return Err(json!({})),
            (Some(Mutation::DropsPurges), "PurgeQueue") => return Err(json!({})),
            (Some(Mutation::DropsSends), "SendMessage") if self.one_in(16) => {
                return Err(
                    json!({"MessageId": "11111111-1111-4111-8111-111111111111", "MD5OfMessageBody": "0"}),
                );
            }
            (Some(Mutation::IgnoresVisibility), "ReceiveMessage") => input["VisibilityTimeout"] = json!(0),
            (Some(Mutation::IgnoresDelays), "SendMessage") => input["DelaySeconds"] = json!(0),
            (Some(Mutation::ForgetsDeduplication), "SendMessage")
                if !input["MessageDeduplicationId"].is_null() =>
            {
                input["MessageDeduplicationId"] = self.below(u64::MAX).to_string().into();
            }
            (Some(Mutation::ForgetsGroups), "SendMessage") if !input["MessageDeduplicationId"].is_null() => {
                input["MessageGroupId"] =
                    format!("{}{}", input["MessageGroupId"], self.below(u64::MAX)).into();
            }
            _ => {}
        }
        Ok((name.to_owned(), input))
    }

    /// The answer as a broken server would give it.
    fn spoilt(&self, name: &str, answer: Answer) -> Answer {
        let Answer::Ok(mut value) = answer else {
            return answer;
        };
        if name == "ReceiveMessage"
            && let Some(messages) = value["Messages"].as_array_mut()
        {
            match self.options.mutation {
                Some(Mutation::AltersBodies) if self.one_in(16) => {
                    let body = messages[0]["Body"].as_str().unwrap().to_owned();
                    messages[0]["Body"] = format!("{body}x").into();
                }
                Some(Mutation::DeliversTwice) if self.one_in(8) => {
                    let twice = messages[0].clone();
                    messages.push(twice);
                }
                Some(Mutation::ShufflesGroups) => messages.reverse(),
                Some(Mutation::ForgetsGroups) => forget_groups(messages),
                Some(Mutation::Miscounts) => miscount(messages),
                Some(Mutation::MissesMessages) if self.one_in(8) => messages.clear(),
                Some(_) | None => {}
            }
        }
        Answer::Ok(value)
    }
}

/// Counts one receive more of each.
fn miscount(messages: &mut [Value]) {
    for message in messages {
        let count = &mut message["Attributes"]["ApproximateReceiveCount"];
        let more = count
            .as_str()
            .and_then(|count| count.parse::<u32>().ok())
            .unwrap_or(0)
            + 1;
        *count = more.to_string().into();
    }
}

/// Gives the messages the groups back that they were sent with.
fn forget_groups(messages: &mut [Value]) {
    for message in messages {
        let attributes = &mut message["Attributes"];
        let group = attributes["MessageGroupId"]
            .as_str()
            .map(|group| group.replace('"', ""));
        if let Some(group) = group {
            attributes["MessageGroupId"] = group.chars().take(2).collect::<String>().into();
        }
    }
}

fn stamp(steps: &AtomicU64, time: &Time) -> Stamp {
    Stamp {
        order: steps.load(Ordering::Relaxed),
        at: time.now(),
    }
}

fn request(who: &str, name: &str, input: &Value) -> http::Request<Bytes> {
    let (prefix, service) = match name {
        "CreateKey" => ("TrentService", "kms"),
        _ => ("AmazonSQS", "sqs"),
    };
    let signature = "0".repeat(64);
    http::Request::builder()
        .method("POST")
        .uri("/")
        .header("host", "localhost:4566")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("x-amz-target", format!("{prefix}.{name}"))
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={who}/20260101/us-east-1/{service}/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}"
            ),
        )
        .body(Bytes::from(serde_json::to_vec(input).unwrap()))
        .unwrap()
}

fn answer(response: &http::Response<Bytes>) -> Answer {
    let json: Value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    if response.status().is_success() {
        return Answer::Ok(json);
    }
    let code = json["__type"].as_str().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    if response.status().is_server_error() {
        Answer::Failed(code)
    } else {
        let message = json["message"].as_str().or(json["Message"].as_str());
        Answer::Refused(format!("{code}: {}", message.unwrap_or_default()))
    }
}
