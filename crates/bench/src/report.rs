//! What was measured, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::arguments::Arguments;

/// Latencies of calls, microseconds.
#[derive(Clone, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, more: Vec<u32>) {
        self.0.extend(more);
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        self
    }

    /// The latency that this many per mille of the calls stay under; of a sorted list.
    pub(crate) fn per_mille(&self, share: usize) -> u32 {
        let place = (self.0.len() * share).div_ceil(1000).saturating_sub(1);
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// What [`Under::transport`] is of what is measured without a server.
pub(crate) const NO_TRANSPORT: &str = "-";

/// What a row was measured under.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Under {
    /// Which server.
    pub(crate) server: String,
    pub(crate) encryption: &'static str,
    pub(crate) transport: String,
    /// Messages per call.
    pub(crate) batch: usize,
    pub(crate) body_bytes: usize,
    /// Statements of the queue's policy.
    pub(crate) statements: usize,
    /// What else is special, in a word.
    pub(crate) note: &'static str,
}

/// One scenario's result.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) under: Under,
    pub(crate) messages: usize,
    pub(crate) seconds: f64,
    /// CPU time that the server used.
    pub(crate) cpu_seconds: Option<f64>,
    /// The server's memory at the end.
    pub(crate) resident_mib: Option<f64>,
    pub(crate) latencies: Latencies,
    pub(crate) wrong: usize,
    pub(crate) duplicates: usize,
    pub(crate) disordered: usize,
    pub(crate) missing: usize,
}

impl Row {
    /// Every message that was sent came once, unchanged, and a group's in order. A standard queue may deliver twice,
    /// so that alone is no fault, but it is shown.
    pub(crate) fn is_sound(&self) -> bool {
        self.wrong == 0 && self.missing == 0 && self.disordered == 0 && self.messages > 0
    }

    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.messages).unwrap_or(u32::MAX))
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.seconds.max(1e-9)
    }

    pub(crate) fn cpu_micros(&self) -> Option<f64> {
        Some(self.cpu_seconds? * 1e6 / self.count().max(1.0))
    }
}

/// Of several measurements of the same, the one with the median CPU time, in the order of first appearance.
pub(crate) fn medians(rows: Vec<Row>) -> Vec<Row> {
    let mut kinds: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let same = kinds.iter_mut().find(|kind| {
            kind.first()
                .is_some_and(|first| first.scenario == row.scenario && first.under == row.under)
        });
        match same {
            Some(kind) => kind.push(row),
            None => kinds.push(vec![row]),
        }
    }
    kinds
        .into_iter()
        .filter_map(|mut kind| {
            let cost = |row: &Row| row.cpu_micros().unwrap_or_else(|| row.per_second().recip());
            kind.sort_by(|one, other| cost(one).total_cmp(&cost(other)));
            let sound = kind.iter().all(Row::is_sound);
            let middle = kind.len() / 2;
            let unsound = kind.iter().position(|row| !row.is_sound());
            let place = if sound { middle } else { unsound.unwrap_or(middle) };
            (place < kind.len()).then(|| kind.swap_remove(place))
        })
        .collect()
}

/// Messages per CPU second as a share of what the yardstick reaches with the same number of messages per call; nothing of what is
/// measured without a server.
pub(crate) fn share(rows: &[Row], row: &Row) -> Option<f64> {
    if row.under.transport == NO_TRANSPORT {
        return None;
    }
    let batch = if row.scenario == "empty receive" {
        1
    } else {
        row.under.batch
    };
    let yardstick = rows
        .iter()
        .find(|yardstick| yardstick.scenario == "yardstick" && yardstick.under.batch == batch)?;
    Some(yardstick.cpu_micros()? / row.cpu_micros()?.max(1e-9))
}

/// A line for each scenario.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:<14} {:<10} {:<8} {:<12} {:>5} {:>6} {:>6} {:>9} {:>10} {:>11} {:>6} {:>8} {:>8} {:>8} {:>8}  check",
        "scenario",
        "server",
        "under",
        "over",
        "batch",
        "bytes",
        "policy",
        "messages",
        "per second",
        "CPU µs/msg",
        "share",
        "p50 ms",
        "p99 ms",
        "max ms",
        "RSS MiB"
    );
    for row in rows {
        let shown = |value: Option<f64>, digits| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let millis = |share| format!("{:.2}", f64::from(row.latencies.per_mille(share)) / 1000.0);
        let under = &row.under;
        let _ = writeln!(
            text,
            "{:<14} {:<10} {:<8} {:<12} {:>5} {:>6} {:>6} {:>9} {:>10.0} {:>11} {:>6} {:>8} {:>8} {:>8} {:>8}  {}{}",
            row.scenario,
            under.server,
            under.encryption,
            under.transport,
            under.batch,
            under.body_bytes,
            under.statements,
            row.messages,
            row.per_second(),
            shown(row.cpu_micros(), 1),
            shown(share(rows, row), 2),
            millis(500),
            millis(990),
            millis(1000),
            shown(row.resident_mib, 1),
            verdict(row),
            if under.note.is_empty() {
                String::new()
            } else {
                format!(" ({})", under.note)
            },
        );
    }
    text
}

fn verdict(row: &Row) -> String {
    if row.is_sound() && row.duplicates == 0 {
        "ok".to_owned()
    } else {
        format!(
            "{} wrong, {} missing, {} twice, {} out of order",
            row.wrong, row.missing, row.duplicates, row.disordered
        )
    }
}

/// The same as data, with the settings of the run and whatever else was found out.
pub(crate) fn json(rows: &[Row], facts: &[(String, Value)], arguments: &Arguments) -> Value {
    let facts: serde_json::Map<String, Value> = facts.iter().cloned().collect();
    let found: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "scenario": row.scenario, "server": row.under.server, "encryption": row.under.encryption,
                "transport": row.under.transport, "batch": row.under.batch, "body_bytes": row.under.body_bytes,
                "policy_statements": row.under.statements, "note": row.under.note,
                "messages": row.messages, "seconds": row.seconds, "messages_per_second": row.per_second(),
                "server_cpu_micros_per_message": row.cpu_micros(), "share_of_yardstick": share(rows, row),
                "resident_mib": row.resident_mib,
                "latency_micros": {
                    "p50": row.latencies.per_mille(500), "p90": row.latencies.per_mille(900),
                    "p99": row.latencies.per_mille(990), "p999": row.latencies.per_mille(999),
                    "max": row.latencies.per_mille(1000),
                },
                "wrong": row.wrong, "missing": row.missing, "duplicates": row.duplicates,
                "out_of_order": row.disordered,
            })
        })
        .collect();
    json!({
        "settings": {
            "connections": arguments.connections, "queues": arguments.queues, "rounds": arguments.rounds,
            "threads": arguments.threads, "debug_build": cfg!(debug_assertions),
        },
        "rows": found,
        "facts": facts,
    })
}

#[cfg(test)]
mod tests {
    use super::{Latencies, Row, Under, medians, share};

    fn row(scenario: &str, batch: usize, cpu_seconds: f64) -> Row {
        Row {
            scenario: scenario.to_owned(),
            under: Under {
                server: "bulla".to_owned(),
                encryption: "SSE-SQS",
                transport: "http/1.1".to_owned(),
                batch,
                body_bytes: 1024,
                statements: 0,
                note: "",
            },
            messages: 1000,
            seconds: 1.0,
            cpu_seconds: Some(cpu_seconds),
            resident_mib: None,
            latencies: Latencies::default(),
            wrong: 0,
            duplicates: 0,
            disordered: 0,
            missing: 0,
        }
    }

    #[test]
    fn a_share_of_the_calls_stays_under_its_latency() {
        let mut latencies = Latencies::default();
        latencies.add((1..=100).rev().collect());
        let latencies = latencies.sorted();
        assert_eq!(
            (
                latencies.per_mille(500),
                latencies.per_mille(990),
                latencies.per_mille(1000)
            ),
            (50, 99, 100)
        );
    }

    #[test]
    fn no_calls_have_no_latency() {
        assert_eq!(Latencies::default().per_mille(500), 0);
    }

    #[test]
    fn of_three_rounds_the_middle_one_is_shown() {
        let rows = medians(vec![
            row("send", 1, 3.0),
            row("send", 1, 1.0),
            row("send", 1, 2.0),
        ]);
        let shown: Vec<_> = rows.iter().map(|row| row.cpu_seconds).collect();
        assert_eq!(shown, [Some(2.0)]);
    }

    #[test]
    fn a_round_that_lost_messages_is_not_hidden_by_the_others() {
        let mut lost = row("send", 1, 1.0);
        lost.missing = 1;
        let rows = medians(vec![lost, row("send", 1, 2.0), row("send", 1, 3.0)]);
        assert!(rows.iter().any(|row| !row.is_sound()));
    }

    #[test]
    fn the_share_compares_calls_of_the_same_size() {
        let rows = [
            row("yardstick", 1, 5.0),
            row("yardstick", 10, 1.0),
            row("send", 10, 4.0),
        ];
        assert_eq!(rows.last().and_then(|row| share(&rows, row)), Some(0.25));
    }
}
