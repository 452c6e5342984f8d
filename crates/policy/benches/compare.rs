//! The same requests and policies of 20 statements decided here and by the npm package `@cloud-copilot/iam-simulate`, in
//! one run. It is not a dependency and not a part of the tests: install it somewhere, then name the folder.
//!
//! ```console
//! $ npm install --prefix .dev/iam-simulate @cloud-copilot/iam-simulate
//! $ cargo bench -p bulla-policy --bench compare -- "$PWD/.dev/iam-simulate"
//! ```
//!
//! The package reads the policies anew for each decision; Bulla compiles them when they are stored. `checked` is the
//! package's usual function, `unchecked` the one that leaves out the checks of its input.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark whose policies do not parse has nothing to measure"
)]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod common;

use bulla_policy::{
    IdentityOwner, Layers, Policy, PolicyKind, Principal, Request, ResourcePolicy, Vendor, decide,
};
use common::{ACCOUNT, ACTION, CONTEXT, RESOURCE, USER};
use serde_json::{Value, json};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const STATEMENTS: usize = 20;

/// One request, for both.
struct Case {
    name: &'static str,
    identity: Option<String>,
    resource: Option<String>,
}

impl Case {
    fn as_json(&self) -> Value {
        let parsed = |text: &String| serde_json::from_str::<Value>(text).unwrap();
        json!({
            "name": self.name,
            "request": {
                "principal": USER, "action": ACTION, "resource": RESOURCE, "account": ACCOUNT,
                "context": CONTEXT.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            },
            "identity": self.identity.iter().map(parsed).collect::<Vec<_>>(),
            "resource": self.resource.as_ref().map(parsed),
        })
    }

    /// Nanoseconds for one decision.
    fn measure(&self) -> f64 {
        let parse = |text: &String, kind| Policy::parse(text, kind).unwrap();
        let managed = PolicyKind::Identity(IdentityOwner::Managed);
        let identity: Vec<_> = self
            .identity
            .iter()
            .map(|text| Arc::new(parse(text, managed)))
            .collect();
        let queue = self
            .resource
            .as_ref()
            .map(|text| parse(text, PolicyKind::Resource(Vendor::Sqs)));
        let context = common::context();
        let request = Request {
            principal: Principal::User {
                account: ACCOUNT,
                arn: USER,
            },
            action: ACTION,
            resource: RESOURCE,
            resource_account: ACCOUNT,
            context: &context,
            same_account_only: false,
        };
        let layers = Layers {
            identity: &identity,
            resource: ResourcePolicy::Ordinary(queue.as_ref()),
            ..Layers::default()
        };
        let best = common::measure(|| assert!(decide(black_box(&request), black_box(&layers)).is_allowed()));
        best.as_secs_f64() * 1e9
    }
}

/// What the package answers to the cases, a line for each.
fn simulated(folder: &Path, cases: &[Case]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/iam_simulate.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js is needed");
    let mut input = node.stdin.take().unwrap();
    for case in cases {
        writeln!(input, "{}", case.as_json()).unwrap();
    }
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the package did not decide the cases");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn main() {
    let folder = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let Some(folder) = folder.and_then(|folder| std::fs::canonicalize(folder).ok()) else {
        println!("skipped: name the folder in which @cloud-copilot/iam-simulate is installed");
        return;
    };
    let cases = [
        Case {
            name: "a queue policy of 20 statements",
            identity: None,
            resource: Some(common::queue_policy(STATEMENTS)),
        },
        Case {
            name: "an identity policy of 20 statements, three conditions each",
            identity: Some(common::identity_policy(STATEMENTS)),
            resource: None,
        },
    ];
    let answers = simulated(&folder, &cases);
    println!("decisions per second");
    for (case, answer) in cases.iter().zip(&answers) {
        let decisions = answer["decisions"].as_array().unwrap();
        assert!(decisions.iter().all(|decision| decision == "Allowed"), "{answer}");
        let own = case.measure();
        println!("{}", case.name);
        println!("  {:<24} {:>12.0}", "bulla", 1e9 / own);
        for words in ["checked", "unchecked"] {
            let Some(other) = answer[words].as_f64() else {
                continue;
            };
            let (name, rate, ratio) = (format!("iam-simulate, {words}"), 1e9 / other, other / own);
            println!("  {name:<24} {rate:>12.0}, {ratio:.0} times fewer");
        }
    }
}
