//! A deep backlog: what it costs in memory, how fast it is drained, and how long a restart takes with it.

use serde_json::json;

use crate::Failure;
use crate::arguments::Arguments;
use crate::picture::throughput;
use crate::report::Row;
use crate::setting::{Case, Setting};
use crate::suites::Findings;
use crate::work::Work;

/// Points of the curve of throughput over backlog.
const STEPS: usize = 8;

/// Drains a shallow queue, fills a deep one, kills and restarts the server, drains from the top of the backlog.
pub(crate) async fn measure(arguments: &Arguments, findings: &mut Findings) -> Result<(), Failure> {
    let patient = Arguments {
        seconds: 3600,
        ..arguments.clone()
    };
    let mut setting = Setting::new(&patient, "backlog").await?;
    let part = arguments.messages.min(arguments.backlog);
    let shallow = Case {
        messages: part,
        note: "shallow queue",
        ..Case::of(&patient, 10)
    };
    for _ in 0..arguments.rounds {
        findings
            .rows
            .extend(setting.run(&shallow, &[Work::Send, Work::Drain]).await?);
    }
    let deep = Case {
        note: "filling the backlog",
        ..shallow.clone()
    };
    let queues = setting.queues(&deep).await?;
    let mut curve = Vec::new();
    let mut filled = 0;
    let step = arguments.backlog.div_ceil(STEPS);
    while filled < arguments.backlog {
        let case = Case {
            messages: step.min(arguments.backlog - filled),
            ..deep.clone()
        };
        let rows = setting.run_on(&case, &[Work::Send], &queues).await?;
        filled += case.messages;
        curve.extend(rows.iter().map(|row| (filled, row.per_second())));
        findings.rows.extend(rows);
    }
    let resident = setting.server.resident_mib();
    let (server, took) = setting.server.restart().await?;
    setting.server = server;
    let restarted = setting.server.resident_mib();
    let mut drains = Vec::new();
    for _ in 0..arguments.rounds {
        // What is received now was sent in the first step, whose bodies are numbered from 0 as those of any other.
        let row = drain(&setting, part / arguments.rounds.max(1), step, &queues).await?;
        drains.push((filled, row.per_second()));
        findings.rows.push(row);
    }
    findings.facts.push((
        "backlog".to_owned(),
        json!({
            "messages": filled, "resident_mib": resident, "restart_seconds": took.as_secs_f64(),
            "resident_mib_after_restart": restarted,
        }),
    ));
    findings.pictures.push((
        "backlog.svg".to_owned(),
        throughput("Messages per second over backlog", &curve, &drains),
    ));
    setting.server.stop().await
}

async fn drain(
    setting: &Setting<'_>,
    messages: usize,
    numbers: usize,
    queues: &[String],
) -> Result<Row, Failure> {
    let case = Case {
        messages,
        numbers: Some(numbers),
        note: "deep backlog",
        ..Case::of(setting.arguments, 10)
    };
    let rows = setting.run_on(&case, &[Work::DrainPart], queues).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| "nothing was measured".into())
}
