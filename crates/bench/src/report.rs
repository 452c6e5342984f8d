//! What was measured, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::arguments::Arguments;

/// Latencies of calls, microseconds.
#[derive(Default)]
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

/// One scenario's result.
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) encryption: &'static str,
    pub(crate) batch: usize,
    pub(crate) messages: usize,
    pub(crate) seconds: f64,
    /// CPU time that the server used.
    pub(crate) cpu_seconds: Option<f64>,
    /// The server's memory at the end.
    pub(crate) resident_mib: Option<f64>,
    pub(crate) latencies: Latencies,
    pub(crate) wrong: usize,
    pub(crate) duplicates: usize,
    pub(crate) missing: usize,
}

impl Row {
    /// Every message that was sent came once and unchanged. A standard queue may deliver twice, so that alone is no
    /// fault, but it is shown.
    pub(crate) fn is_sound(&self) -> bool {
        self.wrong == 0 && self.missing == 0 && self.messages > 0
    }

    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.messages).unwrap_or(u32::MAX))
    }

    fn per_second(&self) -> f64 {
        self.count() / self.seconds.max(1e-9)
    }

    fn cpu_micros(&self) -> Option<f64> {
        Some(self.cpu_seconds? * 1e6 / self.count().max(1.0))
    }
}

/// A line for each scenario.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:<14} {:<8} {:>5} {:>9} {:>11} {:>11} {:>9} {:>9} {:>9} {:>9}  check",
        "scenario",
        "under",
        "batch",
        "messages",
        "per second",
        "CPU µs/msg",
        "p50 ms",
        "p99 ms",
        "max ms",
        "RSS MiB"
    );
    for row in rows {
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        let millis = |share| format!("{:.2}", f64::from(row.latencies.per_mille(share)) / 1000.0);
        let _ = writeln!(
            text,
            "{:<14} {:<8} {:>5} {:>9} {:>11.0} {:>11} {:>9} {:>9} {:>9} {:>9}  {}",
            row.scenario,
            row.encryption,
            row.batch,
            row.messages,
            row.per_second(),
            shown(row.cpu_micros()),
            millis(500),
            millis(990),
            millis(1000),
            shown(row.resident_mib),
            verdict(row),
        );
    }
    text
}

fn verdict(row: &Row) -> String {
    if row.is_sound() && row.duplicates == 0 {
        "ok".to_owned()
    } else {
        format!(
            "{} wrong, {} missing, {} twice",
            row.wrong, row.missing, row.duplicates
        )
    }
}

/// The same on one line, with the settings of the run.
pub(crate) fn json(rows: &[Row], arguments: &Arguments) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "scenario": row.scenario, "encryption": row.encryption, "batch": row.batch,
                "messages": row.messages, "seconds": row.seconds, "messages_per_second": row.per_second(),
                "server_cpu_micros_per_message": row.cpu_micros(), "resident_mib": row.resident_mib,
                "latency_micros": {
                    "p50": row.latencies.per_mille(500), "p99": row.latencies.per_mille(990),
                    "max": row.latencies.per_mille(1000),
                },
                "wrong": row.wrong, "missing": row.missing, "duplicates": row.duplicates,
            })
        })
        .collect();
    json!({
        "settings": {
            "connections": arguments.connections, "queues": arguments.queues, "body_bytes": arguments.body_bytes,
            "threads": arguments.threads, "debug_build": cfg!(debug_assertions),
        },
        "rows": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::Latencies;

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
}
