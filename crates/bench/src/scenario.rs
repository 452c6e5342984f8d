//! A scenario: all connections at work at once until the messages or the time have run out, measured.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::connection::{Keys, Route};
use crate::messages::Seen;
use crate::process::Server;
use crate::report::{Latencies, Row, Under};
use crate::work::{self, Shared, Work, lock};
use crate::{Failure, clock};

/// Where and with what scenarios run.
#[derive(Clone)]
pub(crate) struct Load<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) server: &'a Server,
    pub(crate) keys: &'a Keys,
    pub(crate) route: Route,
    pub(crate) queues: &'a [String],
    pub(crate) under: Under,
    /// Message groups; none for standard queues.
    pub(crate) groups: Option<usize>,
    /// Messages or calls in all.
    pub(crate) messages: usize,
    /// Bodies are numbered below this.
    pub(crate) numbers: usize,
}

/// A measured scenario, and what the next one needs of it.
pub(crate) struct Measured {
    pub(crate) row: Row,
    /// Receipt handles, a list for each queue.
    pub(crate) handles: Vec<Vec<String>>,
}

impl Load<'_> {
    /// The same with so many messages.
    pub(crate) fn of(&self, messages: usize) -> Self {
        let mut load = self.clone();
        load.messages = messages;
        load
    }

    /// Runs the scenario on all connections at once and measures it. `handles` are for [`Work::Delete`].
    pub(crate) async fn run(&self, work: Work, mut handles: Vec<Vec<String>>) -> Result<Measured, Failure> {
        handles.resize_with(self.queues.len(), Vec::new);
        let started = clock::now();
        let seconds = u64::try_from(self.arguments.seconds)?;
        let shared = Arc::new(Shared {
            route: self.route.clone(),
            keys: self.keys.clone(),
            queues: self.queues.to_vec(),
            connections: self.arguments.connections,
            batch: self.under.batch,
            body_bytes: self.under.body_bytes,
            groups: self.groups,
            ends: started + Duration::from_secs(seconds),
            next: AtomicUsize::new(0),
            limit: self.messages.max(1),
            done: AtomicUsize::new(0),
            seen: Mutex::new(Seen::new(self.numbers, self.under.body_bytes)),
            handles: handles.into_iter().map(Mutex::new).collect(),
        });
        let cpu_before = self.server.cpu_seconds();
        let mut connections = JoinSet::new();
        for number in 0..self.arguments.connections {
            connections.spawn(work::one(Arc::clone(&shared), work, number));
        }
        let mut latencies = Latencies::default();
        while let Some(ended) = connections.join_next().await {
            latencies.add(ended??);
        }
        let took = started.elapsed();
        let cpu = cpu_before
            .zip(self.server.cpu_seconds())
            .map(|(before, after)| after - before);
        let seen = lock(&shared.seen);
        let row = Row {
            scenario: work.name().to_owned(),
            under: self.under.clone(),
            messages: shared.done.load(Ordering::Relaxed),
            seconds: took.as_secs_f64(),
            cpu_seconds: cpu,
            resident_mib: self.server.resident_mib(),
            latencies: latencies.sorted(),
            wrong: seen.wrong,
            duplicates: seen.duplicates,
            disordered: seen.disordered,
            missing: if work.reads_all() {
                self.messages.saturating_sub(seen.distinct())
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
