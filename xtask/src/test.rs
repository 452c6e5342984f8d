//! `cargo xtask test`: everything that CI checks, step by step, with the time each took.
//!
//! Every step uses the development profile and the same set of features, so that nothing is compiled twice. A failing
//! step does not stop the others; the last line says how many tests (or steps, where a step is one test) failed.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::fuzz;
use crate::project;
use crate::run::{self, Count, Outcome};
use crate::setup;
use crate::tidy;

const PYTHON: &str = "crates/conformance/python";

/// A part of the test run.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<Outcome, String>,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "cargo fmt --check",
        run: fmt,
    },
    Step {
        name: "tidy",
        about: "directions between crates, lengths, documents",
        run: tidy_step,
    },
    Step {
        name: "setup",
        about: "clients and models into .dev/",
        run: setup_step,
    },
    Step {
        name: "build",
        about: "every crate with its tests, and the Rust SDK client",
        run: build,
    },
    Step {
        name: "unit",
        about: "tests of every crate, shapes against the AWS models",
        run: unit,
    },
    Step {
        name: "simulation",
        about: "thousands of seeds of the queue service under simulated time, disk and crashes",
        run: simulation,
    },
    Step {
        name: "clippy",
        about: "lints, warnings are errors",
        run: clippy,
    },
    Step {
        name: "doc",
        about: "documentation, warnings are errors, and its examples",
        run: doc,
    },
    Step {
        name: "deny",
        about: "licences, bans and sources of dependencies",
        run: deny,
    },
    Step {
        name: "blackbox",
        about: "pytest against the server binary",
        run: blackbox,
    },
    Step {
        name: "clients",
        about: "boto3, AWS CLI, Encryption SDK, JavaScript and Rust round trips over TLS",
        run: clients,
    },
    Step {
        name: "kill9",
        about: "the server is killed under load and loses nothing",
        run: kill9,
    },
    Step {
        name: "fuzz",
        about: "every target of crates/fuzz for ten seconds",
        run: fuzz::run,
    },
    Step {
        name: "examples",
        about: "every examples/*/run.sh",
        run: examples,
    },
    Step {
        name: "bench",
        about: "a short run of the benchmark, for its correctness only",
        run: bench_smoke,
    },
];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let Some(steps) = selected(arguments)? else {
        return Ok(());
    };
    let mut total = Count::default();
    let mut table = Vec::new();
    for step in steps {
        println!("\n==> {}: {}", step.name, step.about);
        let started = now();
        let outcome = (step.run)().unwrap_or_else(|reason| {
            eprintln!("error: {reason}");
            Outcome {
                success: false,
                count: Count::default(),
            }
        });
        let count = settle(&outcome);
        total.passed += count.passed;
        total.failed += count.failed;
        table.push((step.name, outcome.success, started.elapsed(), count));
    }
    println!(
        "\n{:<10} {:>6} {:>8} {:>7} {:>7}",
        "step", "", "seconds", "passed", "failed"
    );
    for (name, success, took, count) in table {
        let verdict = if success { "ok" } else { "FAILED" };
        println!(
            "{name:<10} {verdict:>6} {:>8} {:>7} {:>7}",
            seconds(took),
            count.passed,
            count.failed
        );
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        Ok(())
    } else {
        Err("some checks failed".to_owned())
    }
}

/// A step that reports no tests is one test itself; one that fails has at least one failure.
fn settle(outcome: &Outcome) -> Count {
    let Count { passed, failed } = outcome.count;
    if outcome.success {
        Count {
            passed: passed.max(1),
            failed,
        }
    } else {
        Count {
            passed,
            failed: failed.max(1),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time a step takes is the time of this machine"
)]
fn now() -> Instant {
    Instant::now()
}

fn seconds(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}

/// The steps that the arguments ask for, in the order of the table; `None` when only the list was wanted.
fn selected(arguments: &[String]) -> Result<Option<Vec<&'static Step>>, String> {
    let mut only: Option<Vec<&str>> = None;
    let mut skip: Vec<&str> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = || format!("`{argument}` needs a list of steps, such as `unit,blackbox`");
        match argument.as_str() {
            "--list" => {
                for step in STEPS {
                    println!("{:<10} {}", step.name, step.about);
                }
                return Ok(None);
            }
            "--only" => only = Some(rest.next().ok_or_else(value)?.split(',').collect()),
            "--skip" => skip = rest.next().ok_or_else(value)?.split(',').collect(),
            other => return Err(format!("unknown argument `{other}` of `cargo xtask test`")),
        }
    }
    for name in only.iter().flatten().chain(&skip) {
        if !STEPS.iter().any(|step| step.name == *name) {
            return Err(format!(
                "unknown step `{name}`; `cargo xtask test --list` prints them"
            ));
        }
    }
    let wanted = |step: &&Step| {
        only.as_ref().is_none_or(|only| only.contains(&step.name)) && !skip.contains(&step.name)
    };
    Ok(Some(STEPS.iter().filter(wanted).collect()))
}

fn once(result: Result<(), String>) -> Result<Outcome, String> {
    result.map(|()| Outcome {
        success: true,
        count: Count { passed: 1, failed: 0 },
    })
}

/// Runs each, also after one has failed, and adds up.
fn all(commands: &mut [Command]) -> Result<Outcome, String> {
    let mut sum = Outcome {
        success: true,
        count: Count::default(),
    };
    for command in commands {
        let outcome = run::counted(command)?;
        sum.success &= outcome.success;
        sum.count.passed += outcome.count.passed;
        sum.count.failed += outcome.count.failed;
    }
    Ok(sum)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = run::cargo();
    cargo.args(arguments);
    cargo
}

fn fmt() -> Result<Outcome, String> {
    run::counted(&mut cargo(&["fmt", "--all", "--check"]))
}

fn tidy_step() -> Result<Outcome, String> {
    once(tidy::run())
}

fn setup_step() -> Result<Outcome, String> {
    once(setup::run())
}

fn build() -> Result<Outcome, String> {
    let mut sdk = cargo(&[
        "build",
        "--manifest-path",
        "crates/conformance/rust-sdk/Cargo.toml",
        "--locked",
    ]);
    sdk.arg("--target-dir").arg(project::target().join("rust-sdk"));
    // All targets, also those of the next step: without them some dependencies would be built with fewer features first.
    all(&mut [cargo(&["build", "--workspace", "--all-targets"]), sdk])
}

fn unit() -> Result<Outcome, String> {
    let tests = if run::present("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--all-targets", "--no-fail-fast"])
    };
    all(&mut [tests])
}

fn simulation() -> Result<Outcome, String> {
    once(run::check(&mut run::command(
        project::target().join("debug").join("bulla-simulation"),
    )))
}

fn clippy() -> Result<Outcome, String> {
    run::counted(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn doc() -> Result<Outcome, String> {
    let mut pages = cargo(&["doc", "--no-deps", "--workspace"]);
    pages.env("RUSTDOCFLAGS", "-D warnings");
    all(&mut [pages, cargo(&["test", "--workspace", "--doc"])])
}

fn deny() -> Result<Outcome, String> {
    if run::present("cargo", &["deny", "--version"]) {
        return run::counted(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]));
    }
    println!("skipped: cargo-deny is not installed (`cargo install cargo-deny`); deny.toml was not checked");
    once(Ok(()))
}

/// A test that hangs fails with the stacks of its threads, and the next one runs. The longest takes some 60 s.
const PYTEST_TIMEOUT: &str = "--timeout=300";

fn pytest(arguments: &[&str]) -> Result<Outcome, String> {
    let bin = project::target().join("debug");
    let mut pytest = run::command(project::venv("python"));
    pytest
        .args([
            "-m",
            "pytest",
            "--color=no",
            "-p",
            "no:cacheprovider",
            "--durations=5",
            PYTEST_TIMEOUT,
        ])
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BULLA_BIN", bin.join("bulla"))
        .env(
            "BULLA_RUST_SDK",
            project::target()
                .join("rust-sdk")
                .join("debug")
                .join("bulla-rust-sdk"),
        )
        .env("BULLA_NODE", setup::node()?)
        .env("BULLA_DEV", project::dev());
    run::counted(&mut pytest)
}

fn blackbox() -> Result<Outcome, String> {
    pytest(&[
        PYTHON,
        "--ignore=crates/conformance/python/test_clients.py",
        "--ignore=crates/conformance/python/test_encryption_sdk.py",
        "--ignore=crates/conformance/python/test_kill9.py",
    ])
}

fn clients() -> Result<Outcome, String> {
    pytest(&[
        "crates/conformance/python/test_clients.py",
        "crates/conformance/python/test_encryption_sdk.py",
    ])
}

fn kill9() -> Result<Outcome, String> {
    pytest(&["-s", "crates/conformance/python/test_kill9.py"])
}

fn examples() -> Result<Outcome, String> {
    let folder = project::root().join("examples");
    let listed = std::fs::read_dir(&folder).map_err(|error| format!("cannot list `examples/`: {error}"))?;
    let mut scripts: Vec<_> = listed
        .flatten()
        .map(|entry| entry.path().join("run.sh"))
        .collect();
    scripts.retain(|script| script.is_file());
    scripts.sort();
    let mut sum = Outcome {
        success: true,
        count: Count::default(),
    };
    for script in scripts {
        println!("--> {}", script.display());
        let outcome = run::counted(
            run::command(&script).env("BULLA_BIN", project::target().join("debug").join("bulla")),
        )?;
        let count = settle(&outcome);
        sum.success &= outcome.success;
        sum.count.passed += count.passed;
        sum.count.failed += count.failed;
    }
    Ok(sum)
}

fn bench_smoke() -> Result<Outcome, String> {
    let bin = project::target().join("debug");
    run::counted(
        run::command(bin.join("bulla-bench"))
            .arg("--server")
            .arg(bin.join("bulla"))
            .arg("--smoke"),
    )
}
