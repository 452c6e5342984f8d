//! The suites: which cases are measured beside each other.
//!
//! Machines are noisy: what is compared runs in turn, round by round, and the median round is shown.

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::report::{Row, medians};
use crate::setting::{Case, Encryption, Setting};
use crate::transport::Http;
use crate::work::Work;
use crate::{Failure, backlog, keys, latency, peers, yardstick};

/// What a run found.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) rows: Vec<Row>,
    /// What is not a row: times of restarts, latencies of single events.
    pub(crate) facts: Vec<(String, Value)>,
    /// Pictures, by file name.
    pub(crate) pictures: Vec<(String, String)>,
}

/// A kind of measurement, chosen by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Suite {
    Core,
    RoundTrip,
    Fifo,
    Bodies,
    Policies,
    Transports,
    Durability,
    Latency,
    Backlog,
    Keys,
    Peers,
}

impl Suite {
    /// All, in the order in which they run.
    pub(crate) const ALL: [Self; 11] = [
        Self::Core,
        Self::RoundTrip,
        Self::Fifo,
        Self::Bodies,
        Self::Policies,
        Self::Transports,
        Self::Durability,
        Self::Latency,
        Self::Backlog,
        Self::Keys,
        Self::Peers,
    ];

    /// What runs unless asked otherwise: what needs neither much time nor other servers.
    pub(crate) const USUAL: [Self; 9] = [
        Self::Core,
        Self::RoundTrip,
        Self::Fifo,
        Self::Bodies,
        Self::Policies,
        Self::Transports,
        Self::Durability,
        Self::Latency,
        Self::Keys,
    ];

    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::RoundTrip => "round-trip",
            Self::Fifo => "fifo",
            Self::Bodies => "bodies",
            Self::Policies => "policies",
            Self::Transports => "transports",
            Self::Durability => "durability",
            Self::Latency => "latency",
            Self::Backlog => "backlog",
            Self::Keys => "keys",
            Self::Peers => "peers",
        }
    }
}

/// Runs the suites that were asked for.
pub(crate) async fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    for _ in 0..arguments.rounds {
        findings.rows.extend(yardstick::measure(arguments).await?);
    }
    for suite in Suite::ALL {
        if arguments.suites.contains(&suite) {
            eprintln!("measuring: {}", suite.name());
            run_one(suite, arguments, &mut findings).await?;
        }
    }
    findings.rows = medians(findings.rows);
    Ok(findings)
}

async fn run_one(suite: Suite, arguments: &Arguments, findings: &mut Findings) -> Result<(), Failure> {
    match suite {
        Suite::Durability => return durability(arguments, findings).await,
        Suite::Latency => return latency::measure(arguments, findings).await,
        Suite::Backlog => return backlog::measure(arguments, findings).await,
        Suite::Keys => return keys::measure(arguments, findings).await,
        Suite::Peers => return peers::measure(arguments, findings).await,
        Suite::Core
        | Suite::RoundTrip
        | Suite::Fifo
        | Suite::Bodies
        | Suite::Policies
        | Suite::Transports => {}
    }
    let setting = Setting::new(arguments, suite.name()).await?;
    let idle = setting.server.resident_mib();
    for _ in 0..arguments.rounds {
        for (case, works) in cases(suite, arguments) {
            findings.rows.extend(setting.run(&case, &works).await?);
        }
    }
    if suite == Suite::Core {
        findings
            .facts
            .push(("resident_mib_before_the_first_message".to_owned(), json!(idle)));
    }
    setting.server.stop().await
}

const SEND_RECEIVE_DELETE: [Work; 3] = [Work::Send, Work::Receive, Work::Delete];

const BATCHES_UNDER: [(usize, Encryption); 4] = [
    (1, Encryption::SseSqs),
    (1, Encryption::SseKms),
    (10, Encryption::SseSqs),
    (10, Encryption::SseKms),
];

const TRANSPORTS: [(Http, bool); 4] = [
    (Http::One, false),
    (Http::Two, false),
    (Http::One, true),
    (Http::Two, true),
];

fn cases(suite: Suite, arguments: &Arguments) -> Vec<(Case, Vec<Work>)> {
    let base = |batch| Case::of(arguments, batch);
    let mut cases = Vec::new();
    match suite {
        Suite::Core => {
            for (batch, encryption) in BATCHES_UNDER {
                let case = Case {
                    encryption,
                    ..base(batch)
                };
                let mut works = SEND_RECEIVE_DELETE.to_vec();
                works.extend((batch == 10).then_some(Work::Empty));
                cases.push((case, works));
            }
        }
        Suite::RoundTrip => {
            for batch in [1, 10] {
                cases.push((base(batch), vec![Work::RoundTrip]));
                cases.push((base(batch), vec![Work::Send, Work::Drain]));
            }
        }
        Suite::Fifo => {
            for batch in [1, 10] {
                let case = Case {
                    groups: Some(64),
                    note: "FIFO, 64 groups",
                    ..base(batch)
                };
                cases.push((case, vec![Work::Send, Work::Drain]));
            }
        }
        Suite::Bodies => {
            for (body_bytes, part) in [(256, 1), (1024, 1), (65_536, 16)] {
                for batch in [1, 10] {
                    let case = Case {
                        body_bytes,
                        messages: (arguments.messages / part).max(100),
                        ..base(batch)
                    };
                    cases.push((case, SEND_RECEIVE_DELETE.to_vec()));
                }
            }
        }
        Suite::Policies => {
            for statements in [0, 10, 20] {
                for batch in [1, 10] {
                    let case = Case {
                        statements,
                        ..base(batch)
                    };
                    cases.push((case, SEND_RECEIVE_DELETE.to_vec()));
                }
            }
        }
        Suite::Transports => {
            for (http, tls) in TRANSPORTS {
                for batch in [1, 10] {
                    let case = Case {
                        tls,
                        http,
                        ..base(batch)
                    };
                    cases.push((case, SEND_RECEIVE_DELETE.to_vec()));
                }
            }
        }
        Suite::Durability | Suite::Latency | Suite::Backlog | Suite::Keys | Suite::Peers => {}
    }
    cases
}

/// What durability costs: the same on a folder in memory, where a sync does nothing.
async fn durability(arguments: &Arguments, findings: &mut Findings) -> Result<(), Failure> {
    let memory = std::path::Path::new("/dev/shm");
    if !memory.is_dir() {
        eprintln!("durability is not measured: there is no /dev/shm");
        return Ok(());
    }
    let in_memory = Arguments {
        folder: Some(memory.join("bulla-bench")),
        ..arguments.clone()
    };
    let durable = Setting::new(arguments, "durable").await?;
    let volatile = Setting::new(&in_memory, "volatile").await?;
    for _ in 0..arguments.rounds {
        for (setting, note) in [(&durable, "durable"), (&volatile, "in memory, never syncs")] {
            let case = Case {
                note,
                ..Case::of(arguments, 10)
            };
            findings
                .rows
                .extend(setting.run(&case, &SEND_RECEIVE_DELETE).await?);
        }
    }
    durable.server.stop().await?;
    volatile.server.stop().await?;
    // The folder is empty now; if somebody else measures too, it is not, and stays.
    drop(std::fs::remove_dir(memory.join("bulla-bench")));
    Ok(())
}
