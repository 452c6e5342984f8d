//! Fuzzing for a short while: `cargo xtask test --only fuzz`.
//!
//! The targets are a workspace of their own in `crates/fuzz`, built into a folder of their own, because the flags that
//! make coverage must not reach any other build. They need no nightly compiler and no further tool, only a C++
//! compiler for libFuzzer. What a run learns stays in the target folder; what fails is written there, and
//! `target/fuzz/<triple>/debug/<target> <file>` replays it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::project;
use crate::run::{self, Count, Outcome};

const TARGETS: &[&str] = &["log_recovery", "policy", "sigv4", "wire_json", "wire_query"];
const SECONDS: u32 = 10;
/// Targets that run at the same time.
const TOGETHER: usize = 2;

/// What `-Z sanitizer` would pass for coverage alone; these flags are stable.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

pub(crate) fn run() -> Result<Outcome, String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !run::present(&compiler, &["--version"]) {
        println!("skipped: no C++ compiler (`{compiler}`), which libFuzzer needs; nothing was fuzzed");
        return Ok(passed(1));
    }
    let triple = host()?;
    let folder = project::target().join("fuzz");
    run::check(
        run::cargo()
            .args([
                "build",
                "--manifest-path",
                "crates/fuzz/Cargo.toml",
                "--locked",
                "--bins",
                "--target",
            ])
            .arg(&triple)
            .arg("--target-dir")
            .arg(&folder)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", COVERAGE),
    )?;
    let programs = folder.join(triple).join("debug");
    let mut failed = 0;
    for together in TARGETS.chunks(TOGETHER) {
        let running = together
            .iter()
            .map(|name| start(name, &programs, &folder).map(|child| (*name, child)))
            .collect::<Result<Vec<_>, String>>()?;
        for (name, child) in running {
            failed += u64::from(!finish(name, child)?);
        }
    }
    let count = Count {
        passed: TARGETS.len() as u64 - failed,
        failed,
    };
    Ok(Outcome {
        success: failed == 0,
        count,
    })
}

fn passed(passed: u64) -> Outcome {
    Outcome {
        success: true,
        count: Count { passed, failed: 0 },
    }
}

/// The triple of this machine: with one, the flags do not reach build scripts and macros.
fn host() -> Result<String, String> {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("-vV")
        .output()
        .map_err(|error| format!("cannot run `rustc`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

fn start(name: &str, programs: &Path, folder: &Path) -> Result<Child, String> {
    let learnt: PathBuf = folder.join("corpus").join(name);
    std::fs::create_dir_all(&learnt)
        .map_err(|error| format!("cannot make `{}`: {error}", learnt.display()))?;
    run::command(programs.join(name))
        .arg(learnt)
        .arg(
            project::root()
                .join("crates")
                .join("fuzz")
                .join("corpus")
                .join(name),
        )
        .arg(format!("-artifact_prefix={}/{name}-", folder.display()))
        .args([
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-max_len=4096",
            "-print_final_stats=1",
        ])
        .arg(format!("-max_total_time={SECONDS}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run the fuzz target `{name}`: {error}"))
}

/// Waits for a target and says how it went.
fn finish(name: &str, child: Child) -> Result<bool, String> {
    let output = child
        .wait_with_output()
        .map_err(|error| format!("cannot wait for the fuzz target `{name}`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        let runs = text
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        println!("{name}: {} runs, nothing found", runs.unwrap_or("?").trim());
        return Ok(true);
    }
    println!("{text}\n{name}: FAILED");
    Ok(false)
}
