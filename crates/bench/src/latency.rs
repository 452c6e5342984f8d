//! How long one client waits on a server that nobody else uses.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::connection::{self, Call};
use crate::messages::body;
use crate::picture::{Curve, distribution};
use crate::report::Latencies;
use crate::setting::{Case, Setting};
use crate::suites::Findings;
use crate::transport::Http;
use crate::work::Work;
use crate::{Failure, clock};

/// Bytes that are written and synced to see what the device can do: a group with one message.
const SYNCED_BYTES: usize = 4096;
const SAMPLES_MAX: usize = 1000;
const WAKES_MAX: usize = 200;

/// Sends one at a time against syncs of the same device, and the time from a send's answer to a waiting receive's.
pub(crate) async fn measure(arguments: &Arguments, findings: &mut Findings) -> Result<(), Failure> {
    let samples = arguments.messages.min(SAMPLES_MAX);
    let alone = Arguments {
        connections: 1,
        queues: 1,
        ..arguments.clone()
    };
    let setting = Setting::new(&alone, "latency").await?;
    let folder = setting.server.folder().ok_or("the server has no folder")?;
    let before = syncs(folder, samples)?;
    let case = Case {
        messages: samples,
        note: "one client",
        ..Case::of(&alone, 1)
    };
    let rows = setting
        .run(&case, &[Work::Send, Work::Receive, Work::Delete])
        .await?;
    let after = syncs(folder, samples)?;
    let wakes = wakes(&setting, samples.min(WAKES_MAX)).await?;
    let mut fact = |name: &str, latencies: &Latencies| {
        let value = json!({
            "p50": latencies.per_mille(500), "p99": latencies.per_mille(990), "max": latencies.per_mille(1000),
        });
        findings.facts.push((name.to_owned(), value));
    };
    fact("device_sync_before_micros", &before);
    fact("device_sync_after_micros", &after);
    fact("long_poll_after_send_micros", &wakes);
    let mut curves = vec![
        Curve::of("device sync", &before),
        Curve::of("long poll after send", &wakes),
    ];
    for row in &rows {
        curves.push(Curve::of(&row.scenario, &row.latencies));
    }
    findings.pictures.push((
        "latency.svg".to_owned(),
        distribution("Latency of one client, 1 KiB messages", &curves),
    ));
    findings.rows.extend(rows);
    setting.server.stop().await
}

/// Writes and syncs a file again and again.
fn syncs(folder: &Path, count: usize) -> Result<Latencies, Failure> {
    let path = folder.join("sync-probe");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&vec![0; SYNCED_BYTES * 16])?;
    file.sync_all()?;
    let mut latencies = Vec::with_capacity(count);
    for number in 0..count {
        let started = clock::now();
        file.seek(SeekFrom::Start(
            u64::try_from(number % 16)? * u64::try_from(SYNCED_BYTES)?,
        ))?;
        file.write_all(&[u8::try_from(number % 251)?; SYNCED_BYTES])?;
        file.sync_data()?;
        latencies.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    std::fs::remove_file(path)?;
    let mut all = Latencies::default();
    all.add(latencies);
    Ok(all.sorted())
}

/// From the answer of a send to the answer of the receive that was waiting for it.
async fn wakes(setting: &Setting<'_>, count: usize) -> Result<Latencies, Failure> {
    let queues = setting.queues(&Case::of(setting.arguments, 1)).await?;
    let queue = queues.first().ok_or("there is no queue")?;
    let route = setting.route(Http::One, false)?;
    let latencies = connection::with(&route, &setting.keys, "sqs", async |sending| {
        let mut latencies = Vec::with_capacity(count);
        for number in 0..count {
            let message = json!({ "QueueUrl": queue, "MessageBody": body(number, 1024) }).to_string();
            let one_send = async {
                // Time for the receive to arrive and wait.
                clock::pause(std::time::Duration::from_millis(5)).await;
                sending
                    .expect(Call::sqs("AmazonSQS.SendMessage"), message.into())
                    .await?;
                Ok::<_, Failure>(clock::now())
            };
            let one_receive = connection::with(&route, &setting.keys, "sqs", async |receiver| {
                let ask = json!({ "QueueUrl": queue, "WaitTimeSeconds": 20 }).to_string();
                let answer = receiver
                    .expect(Call::sqs("AmazonSQS.ReceiveMessage"), ask.into())
                    .await?;
                let received = clock::now();
                let answer: Value = serde_json::from_slice(&answer)?;
                answer
                    .pointer("/Messages/0/ReceiptHandle")
                    .ok_or("a long poll ended without the message")?;
                Ok(received)
            });
            let (acknowledged, received) = tokio::try_join!(one_send, one_receive)?;
            let took = received.saturating_duration_since(acknowledged);
            latencies.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
        Ok(latencies)
    })
    .await?;
    let mut all = Latencies::default();
    all.add(latencies);
    Ok(all.sorted())
}
