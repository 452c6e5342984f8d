//! Every fault at every place: one script, and in each run another call of the file layer fails, another write is torn,
//! another byte is changed, another file is gone.

use super::super::file::TEMPORARY;
use super::{Bench, body, group};
use crate::contract::{Error, Group, Pos, Token};
use crate::open_error::OpenError;
use crate::testing::disk::{Call, Random, SimulatedDisk};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

/// Commits of the script; enough to seal, drop and rewrite files.
const COMMITS: u64 = 24;

/// Live positions and the bytes of their bodies.
type Live = BTreeMap<u64, usize>;

/// What is known while the script runs.
#[derive(Clone, Default)]
struct Known {
    token: Token,
    n: u64,
    live: Live,
    /// The collector failed; its thread would have ended.
    uncollected: bool,
    /// What is live if the commit whose outcome is not known did land.
    perhaps: Option<Live>,
}

fn positions(n: u64) -> [u64; 2] {
    [2 * n - 1, 2 * n]
}

/// The group of a commit, and what is live after it.
fn step(n: u64, live: &Live) -> (Group, Live) {
    let appends = positions(n).map(|pos| (pos, usize::try_from(100 + pos * 37 % 500).unwrap()));
    let mut after = live.clone();
    after.extend(appends);
    // All of some files, and most of others.
    let deletes: Vec<u64> = live
        .keys()
        .copied()
        .filter(|pos| pos + 6 < 2 * n && pos % 9 != 0)
        .collect();
    after.retain(|pos, _| !deletes.contains(pos));
    (group(appends, deletes), after)
}

fn claim(bench: &mut Bench, known: &mut Known) -> Result<(), Error> {
    let state = bench.claim(0)?;
    known.token = state.token;
    known.n = state.last_commit.1;
    Ok(())
}

/// One commit, and what collecting follows it.
fn advance(bench: &mut Bench, known: &mut Known) -> Result<(), Error> {
    let n = known.n + 1;
    let (group, after) = step(n, &known.live);
    match bench.commit(0, known.token, n, group) {
        Ok(()) => {
            known.n = n;
            known.live = after;
        }
        Err(error) => {
            known.perhaps = (error == Error::Unknown).then_some(after);
            return Err(error);
        }
    }
    bench.collector.prepare();
    if n.is_multiple_of(3) && !known.uncollected {
        known.uncollected = bench.collector.collect().is_err();
    }
    Ok(())
}

fn live(bench: &Bench) -> Live {
    let records = bench.records(0).unwrap();
    let at: Vec<Pos> = records.iter().map(|record| record.pos).collect();
    let bodies = bench.bodies(0, &at).unwrap();
    let both = at.iter().zip(bodies);
    both.map(|(pos, read)| {
        let read = read.unwrap();
        assert_eq!(read, body(pos.0, read.len()));
        (pos.0, read.len())
    })
    .collect()
}

/// Opens it and compares with what is known.
fn assert_kept(disk: &SimulatedDisk, known: &Known, what: &str) {
    let bench = Bench::open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = live(&bench);
    assert!(
        found == known.live || Some(&found) == known.perhaps.as_ref(),
        "{what}"
    );
}

/// The whole script without a fault.
fn script() -> (SimulatedDisk, Bench, Known) {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let mut known = Known::default();
    claim(&mut bench, &mut known).unwrap();
    for _ in 0..COMMITS {
        advance(&mut bench, &mut known).unwrap();
    }
    (disk, bench, known)
}

/// Runs the script with a fault until it ends or cannot go on; answers what is known, and whether it reached the end.
fn run(disk: &SimulatedDisk) -> (Known, bool) {
    let mut known = Known::default();
    let Ok(mut bench) = Bench::open(disk) else {
        return (known, false);
    };
    if claim(&mut bench, &mut known).is_err() {
        let again = claim(&mut bench, &mut known);
        if again.is_err() {
            return (known, false);
        }
    }
    while known.n < COMMITS {
        match advance(&mut bench, &mut known) {
            // There is room again, as the fault comes once.
            Ok(()) | Err(Error::Full) => {}
            Err(Error::Unknown | Error::Poisoned) => {
                let changes = disk.changes();
                assert_eq!(bench.claim(1).map(|_| ()), Err(Error::Poisoned));
                assert_eq!(disk.changes(), changes, "nothing is tried after a failure");
                return (known, false);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(live(&bench), known.live);
    (known, true)
}

/// Lets every call of the script fail in turn; answers which calls failed, and of these which stopped the log.
fn fail_each(how: ErrorKind) -> (BTreeSet<String>, BTreeSet<String>) {
    let (disk, ..) = script();
    let calls = disk.calls();
    let (mut failed, mut stopped) = (BTreeSet::new(), BTreeSet::new());
    for at in 0..calls {
        let disk = SimulatedDisk::default();
        disk.fail_call_after(at, how);
        let (known, ended) = run(&disk);
        let Some(call) = disk.failed_call() else { continue };
        let what = format!("{how:?} at call {at}, {call:?}");
        failed.insert(format!("{call:?}"));
        if !ended {
            stopped.insert(format!("{call:?}"));
        }
        assert_eq!(
            disk.syncs_after_failure(),
            0,
            "{what}: a failed sync is never tried again"
        );
        assert_kept(&disk.after_kill(), &known, &what);
        let mut random = Random::new(at);
        assert_kept(&disk.after_power_cut(&mut random), &known, &what);
    }
    (failed, stopped)
}

fn names(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| format!("{call:?}")).collect()
}

#[test]
fn an_error_of_any_call_loses_nothing_acknowledged_and_no_failed_sync_is_tried_again() {
    let (failed, _) = fail_each(ErrorKind::Other);
    let every = [
        Call::List,
        Call::Create,
        Call::Open,
        Call::Rename,
        Call::Remove,
        Call::SyncFolder,
        Call::Size,
        Call::Read,
        Call::Write,
        Call::SetSize,
        Call::Sync,
    ];
    assert_eq!(failed, names(&every), "every kind of call was reached");
}

#[test]
fn a_disk_that_is_full_at_any_call_loses_nothing_and_only_a_sync_stops_the_log() {
    let (failed, stopped) = fail_each(ErrorKind::StorageFull);
    assert!(failed.is_superset(&names(&[Call::Create, Call::Write, Call::SetSize, Call::Rename])));
    // Calls of the opening are tried by opening again.
    let opening = names(&[
        Call::List,
        Call::Open,
        Call::Size,
        Call::Read,
        Call::Create,
        Call::Write,
        Call::SetSize,
    ]);
    let allowed: BTreeSet<String> = &opening | &names(&[Call::Sync, Call::SyncFolder, Call::Rename]);
    assert!(stopped.is_subset(&allowed), "{stopped:?}");
}

#[test]
fn a_running_log_outlives_a_full_disk_at_every_call_but_syncs() {
    let (disk, ..) = script();
    let calls = disk.calls();
    let opening = {
        let disk = SimulatedDisk::default();
        drop(Bench::open(&disk).unwrap());
        disk.calls()
    };
    for at in opening..calls {
        let disk = SimulatedDisk::default();
        disk.fail_call_after(at, ErrorKind::StorageFull);
        let (_, ended) = run(&disk);
        let call = disk.failed_call();
        let may_stop = matches!(call, Some(Call::Sync | Call::SyncFolder));
        assert!(ended || may_stop, "stopped at call {at}, {call:?}");
    }
}

#[test]
fn a_write_torn_at_any_byte_takes_back_that_commit_only() {
    let (disk, ..) = script();
    let changes = disk.changes();
    let mut tears = 0_u64;
    let mut last = 0;
    for at in 1..changes {
        let disk = SimulatedDisk::default();
        disk.cut_power_after(at);
        let (known, _) = run(&disk);
        let bytes = disk.last_write_bytes();
        let written = disk.changes();
        if bytes == 0 || written == last {
            continue;
        }
        last = written;
        for prefix in (0..bytes)
            .step_by(if bytes > 400 { 23 } else { 3 })
            .chain([bytes.saturating_sub(1)])
        {
            let torn = disk.after_torn_write(prefix);
            if disk.failed_call().is_none() && known.perhaps.is_some() {
                assert_kept(
                    &torn,
                    &known,
                    &format!("power gone after change {at}, write torn at {prefix}"),
                );
                tears += 1;
            }
        }
    }
    assert!(tears > 500, "{tears}");
}

fn keys(live: &Live) -> BTreeSet<u64> {
    live.keys().copied().collect()
}

/// How a changed byte was met.
enum Met {
    Opening,
    Reading,
    Nowhere,
}

/// Opens a log with a changed byte in a file and looks at everything. It shows what is live, or what was before the last
/// commit; of that, what the last commit deleted may be gone from the disk by then.
fn meet(changed: &SimulatedDisk, name: &str, last: &Live, before_last: &Live) -> Met {
    let bench = match Bench::open(changed) {
        Err(OpenError::Corrupt(why)) => {
            assert!(why.contains("/simulated/"), "{why}");
            return Met::Opening;
        }
        Err(other) => panic!("{other}"),
        Ok(bench) => bench,
    };
    let named = |error: Error| {
        assert!(
            matches!(&error, Error::Corrupt(why) if why.contains(name)),
            "{error}"
        );
        Met::Reading
    };
    let found: BTreeSet<u64> = match bench.records(0) {
        Ok(records) => records.iter().map(|record| record.pos.0).collect(),
        Err(error) => return named(error),
    };
    let (last, before_last) = (keys(last), keys(before_last));
    let deleted: BTreeSet<u64> = &before_last - &last;
    let cut = found.is_subset(&before_last) && (&before_last - &found).is_subset(&deleted);
    assert!(found == last || cut, "{found:?}");
    let mut met = Met::Nowhere;
    for pos in found {
        match bench.bodies(0, &[Pos(pos)]) {
            Ok(read) => assert!(
                read[0]
                    .as_ref()
                    .is_some_and(|read| *read == body(pos, read.len()))
            ),
            Err(error) => met = named(error),
        }
    }
    met
}

#[test]
fn a_changed_byte_of_any_file_is_named_or_cut_off_and_never_served() {
    let (disk, _, known) = script();
    let before_last = {
        let mut bench = Bench::open(&SimulatedDisk::default()).unwrap();
        let mut known = Known::default();
        claim(&mut bench, &mut known).unwrap();
        while known.n < COMMITS - 1 {
            advance(&mut bench, &mut known).unwrap();
        }
        known.live
    };
    let all = Bench::open(&disk.after_kill()).unwrap().files();
    let all: Vec<String> = all
        .into_iter()
        .filter(|name| !name.ends_with(TEMPORARY))
        .collect();
    assert!(all.len() >= 4, "{all:?}");
    let (mut opening, mut reading) = (0, 0);
    for name in &all {
        let whole = disk.content(name);
        for at in (0..whole.len()).step_by(11) {
            let changed = disk.after_kill();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            changed.set_content(name, bytes);
            match meet(&changed, name, &known.live, &before_last) {
                Met::Opening => opening += 1,
                Met::Reading => reading += 1,
                Met::Nowhere => {}
            }
        }
    }
    assert!(
        opening > 50 && reading > 20,
        "{opening} at the opening, {reading} when read"
    );
}

#[test]
fn a_log_file_that_somebody_removed_is_missed_by_name() {
    let (disk, mut bench, known) = script();
    bench.collector.collect().unwrap();
    drop(bench);
    // Whatever the collector dropped or rewrote is not missed.
    assert_kept(&disk.after_kill(), &known, "untouched");
    let names = Bench::open(&disk.after_kill()).unwrap().files();
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| !name.ends_with(TEMPORARY))
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in &names {
        let without = disk.after_kill();
        without.lose(name);
        match Bench::open(&without).map(|_| ()) {
            Err(OpenError::Corrupt(why)) => {
                assert!(why.contains(name.as_str()) && why.contains("missing"), "{why}");
            }
            other => panic!("without {name}: {other:?}"),
        }
    }
}
