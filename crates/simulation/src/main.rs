//! Runs seeds. `BULLA_SEED=n` replays one and prints its end; otherwise `BULLA_ROUNDS` seeds from 1 on, in parallel.

use bulla_simulation::{Options, Report, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Seeds that are run unless `BULLA_ROUNDS` says otherwise.
const ROUNDS: u64 = 2_000;
/// One seed in so many is run twice, to see that it repeats.
const REPEAT_EVERY: u64 = 50;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() -> ExitCode {
    if let Some(seed) = number("BULLA_SEED") {
        return replay(seed);
    }
    let rounds = number("BULLA_ROUNDS").unwrap_or(ROUNDS);
    let first = number("BULLA_FIRST").unwrap_or(1);
    let (next, stop) = (AtomicU64::new(first), AtomicBool::new(false));
    let failed = Mutex::new(Vec::new());
    let sums = [const { AtomicU64::new(0) }; 2];
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first.saturating_add(rounds) {
                break;
            }
            let report = once(&Options::of(seed));
            sums[0].fetch_add(report.messages as u64, Ordering::Relaxed);
            sums[1].fetch_add(report.crashes, Ordering::Relaxed);
            let mut broken = report.broken;
            if broken.is_none() && seed.is_multiple_of(REPEAT_EVERY) {
                let again = once(&Options::of(seed));
                if again.fingerprint != report.fingerprint {
                    broken = Some("the seed does not repeat: something is not under its control".into());
                }
            }
            if let Some(broken) = broken {
                stop.store(number("BULLA_KEEP_GOING").is_none(), Ordering::Relaxed);
                failed
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push((seed, broken));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap_or_default();
    failed.sort();
    let [messages, crashes] = sums.map(AtomicU64::into_inner);
    println!(
        "{rounds} seeds from {first}, {messages} messages, {crashes} crashes, {} failures",
        failed.len()
    );
    for (seed, broken) in failed.iter().skip(1) {
        println!("seed {seed}: {broken}");
    }
    match failed.first() {
        None => ExitCode::SUCCESS,
        Some((seed, _)) => replay(*seed),
    }
}

/// One run; a panic of the server counts as a broken promise.
fn once(options: &Options) -> Report {
    catch_unwind(AssertUnwindSafe(|| run(options))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Report {
            broken: Some(format!("panic: {}", said.unwrap_or_default())),
            messages: 0,
            crashes: 0,
            fingerprint: 0,
            trace: Vec::new(),
        }
    })
}

/// Runs a seed again with a trace, and as short as it still fails.
fn replay(seed: u64) -> ExitCode {
    let mut options = Options::of(seed);
    if let Some(operations) = number("BULLA_OPERATIONS") {
        options.operations = operations;
    } else if let Some(broken) = once(&options).broken {
        let kind = |broken: &str| broken.replace(|letter: char| letter.is_ascii_digit(), "");
        let shorter = (1..options.operations).find(|operations| {
            let mut options = options.clone();
            options.operations = *operations;
            once(&options)
                .broken
                .is_some_and(|other| kind(&other) == kind(&broken))
        });
        options.operations = shorter.unwrap_or(options.operations);
    }
    options.trace = true;
    let report = once(&options);
    for line in &report.trace {
        println!("{line}");
    }
    println!("{options:?}");
    let Some(broken) = report.broken else {
        println!(
            "seed {seed}: all promises kept; fingerprint {:016x}",
            report.fingerprint
        );
        return ExitCode::SUCCESS;
    };
    println!("seed {seed}: {broken}");
    println!(
        "replay: BULLA_SEED={seed} BULLA_OPERATIONS={} cargo run -p bulla-simulation",
        options.operations
    );
    ExitCode::FAILURE
}
