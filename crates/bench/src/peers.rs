//! Other servers that speak the protocol, measured with the same requests in the same run.
//!
//! They are programs from the Python package index, installed by whoever runs this; ratios to them mean something only
//! within one run. They check no signatures, keep everything in memory and do not encrypt.

use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::Failure;
use crate::arguments::Arguments;
use crate::connection::{self, Call, Keys, Route};
use crate::process::Server;
use crate::report::Under;
use crate::scenario::Load;
use crate::setting::answered;
use crate::suites::Findings;
use crate::work::Work;

/// They are slow: this many of the messages of a scenario are enough.
const PART: usize = 20;

struct Peer {
    name: &'static str,
    module: &'static str,
    arguments: &'static [&'static str],
    /// The environment variable that holds the port, if it is not the argument after these.
    port_variable: Option<&'static str>,
    port: u16,
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "moto",
        module: "moto.server",
        arguments: &["-H", "127.0.0.1", "-p"],
        port_variable: None,
        port: 45_661,
    },
    Peer {
        name: "ministack",
        module: "ministack",
        arguments: &[],
        port_variable: Some("GATEWAY_PORT"),
        port: 45_662,
    },
];

/// Measures those that are installed for this Python.
pub(crate) async fn measure(arguments: &Arguments, findings: &mut Findings) -> Result<(), Failure> {
    let Some(python) = &arguments.python else {
        return Err(
            "the peers need `--python`: an interpreter that has `moto[server]` or `ministack`".into(),
        );
    };
    for peer in &PEERS {
        if let Err(reason) = measure_one(peer, python, arguments, findings).await {
            eprintln!("{} is not measured: {reason}", peer.name);
        }
    }
    Ok(())
}

async fn measure_one(
    peer: &Peer,
    python: &Path,
    arguments: &Arguments,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let mut command = Command::new(python);
    command.args(["-m", peer.module]).args(peer.arguments);
    match peer.port_variable {
        Some(name) => command.env(name, peer.port.to_string()),
        None => command.arg(peer.port.to_string()),
    };
    let server = Server::other(&mut command, format!("127.0.0.1:{}", peer.port)).await?;
    let keys = Keys {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "peer".to_owned(),
    };
    let messages = (arguments.messages / PART).max(20);
    for batch in [1, 10] {
        let route = Route::plain(&server.address);
        let queues = connection::with(&route, &keys, "sqs", async |sqs| {
            let mut urls = Vec::new();
            for number in 0..arguments.queues {
                let body = json!({
                    "QueueName": format!("peer-{batch}-{number}"), "Attributes": { "VisibilityTimeout": "3600" },
                });
                let made = sqs
                    .expect(Call::sqs("AmazonSQS.CreateQueue"), body.to_string().into())
                    .await?;
                urls.push(answered(&made, "/QueueUrl")?);
            }
            Ok(urls)
        })
        .await?;
        let load = Load {
            arguments,
            server: &server,
            keys: &keys,
            queues: &queues,
            under: Under {
                server: peer.name.to_owned(),
                encryption: "none",
                transport: route.transport.to_string(),
                batch,
                body_bytes: arguments.body_bytes,
                statements: 0,
                note: "in memory, unsigned",
            },
            route,
            groups: None,
            messages,
            numbers: messages,
        };
        let sent = load.run(Work::Send, Vec::new()).await?.row;
        let drain = load.of(sent.messages).run(Work::Drain, Vec::new()).await?.row;
        findings.rows.extend([sent, drain]);
        findings
            .rows
            .push(load.run(Work::RoundTrip, Vec::new()).await?.row);
    }
    server.stop().await
}
