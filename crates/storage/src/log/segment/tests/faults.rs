//! Full disks, failed writes, failed syncs.

use super::{Bench, SEGMENT_BYTES, group};
use crate::contract::{Error, Pos};
use crate::testing::disk::{Random, SimulatedDisk};
use bytes::Bytes;

fn live(bench: &Bench) -> Vec<u64> {
    bench
        .records(0)
        .unwrap()
        .into_iter()
        .map(|record| record.pos.0)
        .collect()
}

#[test]
fn a_full_disk_says_so_and_the_log_goes_on_when_there_is_room() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    bench.commit(0, token, 1, group([(1, 100)], [])).unwrap();
    for room in [0, 10, 500, 5_000] {
        disk.set_room(Some(disk.used() + room));
        // Larger than what is reserved, so that the write itself runs out of room.
        assert_eq!(
            bench.commit(0, token, 2, group([(2, 10_000)], [])),
            Err(Error::Full),
            "room for {room}"
        );
        assert_eq!(live(&bench), [1]);
        assert_eq!(live(&Bench::open(&disk.after_kill()).unwrap()), [1]);
    }
    disk.set_room(None);
    bench.commit(0, token, 2, group([(3, 10_000)], [])).unwrap();
    let mut random = Random::new(1);
    assert_eq!(
        live(&Bench::open(&disk.after_power_cut(&mut random)).unwrap()),
        [1, 3]
    );
}

#[test]
fn what_is_reserved_can_be_written_on_a_full_disk() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    disk.set_room(Some(disk.used()));
    let mut n = 0;
    let result = loop {
        n += 1;
        let result = bench.commit(0, token, n, group([(n, 500)], []));
        if result.is_err() {
            break result;
        }
    };
    assert_eq!(result, Err(Error::Full));
    assert!(n > SEGMENT_BYTES / 1_000);
    disk.set_room(None);
    bench.commit(0, token, n, group([(n + 1, 500)], [])).unwrap();
}

#[test]
fn after_a_failed_sync_nothing_is_written_and_no_sync_is_tried_again() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    bench.commit(0, token, 1, group([(1, 100)], [])).unwrap();
    disk.fail_sync_after(0);
    assert_eq!(
        bench.commit(0, token, 2, group([(2, 100)], [])),
        Err(Error::Unknown)
    );
    let changes = disk.changes();
    assert_eq!(
        bench.commit(0, token, 2, group([(2, 100)], [])),
        Err(Error::Poisoned)
    );
    assert_eq!(bench.claim(1).map(|_| ()), Err(Error::Poisoned));
    assert_eq!(disk.changes(), changes, "nothing was tried");
    assert_eq!(live(&bench), [1], "what is not durable is not shown");
}

#[test]
fn what_reopening_shows_after_a_failed_sync_is_durable() {
    for seed in 0..50 {
        let disk = SimulatedDisk::default();
        let mut bench = Bench::open(&disk).unwrap();
        let token = bench.claim(0).unwrap().token;
        bench.commit(0, token, 1, group([(1, 100)], [])).unwrap();
        disk.fail_sync_after(0);
        assert_eq!(
            bench.commit(0, token, 2, group([(2, 700)], [])),
            Err(Error::Unknown)
        );
        // The process is started again; what the failed sync left is still in the page cache.
        let disk = disk.after_kill();
        let shown = live(&Bench::open(&disk).unwrap());
        assert_eq!(shown, [1, 2]);
        let mut random = Random::new(seed);
        assert_eq!(
            live(&Bench::open(&disk.after_power_cut(&mut random)).unwrap()),
            shown,
            "seed {seed}"
        );
    }
}

#[test]
fn a_failed_write_poisons() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    disk.cut_power_after(0);
    assert_eq!(
        bench.commit(0, token, 1, group([(1, 100)], [])),
        Err(Error::Unknown)
    );
    assert_eq!(
        bench.commit(0, token, 1, group([(1, 100)], [])),
        Err(Error::Poisoned)
    );
}

#[test]
fn notes_alone_are_written_without_a_sync_and_survive_the_process() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    bench.commit(0, token, 1, group([(1, 100)], [])).unwrap();
    let changes = disk.changes();
    bench.note(0, token, vec![(Pos(1), Bytes::from_static(b"held"))]);
    assert_eq!(disk.changes(), changes + 1, "one write and nothing else");
    let reopened = Bench::open(&disk.after_kill()).unwrap();
    assert_eq!(
        reopened.records(0).unwrap()[0].note,
        Some(Bytes::from_static(b"held"))
    );
}

#[test]
fn a_full_disk_can_be_emptied() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    bench.collector.prepare();
    let mut n = 0;
    let mut commit = |bench: &mut Bench, group| {
        let result = bench.commit(0, token, n + 1, group);
        n += u64::from(result.is_ok());
        result
    };
    for pos in 1..=50 {
        commit(&mut bench, group([(pos, 500)], [])).unwrap();
    }
    disk.set_room(Some(disk.used()));
    let mut pos = 50;
    loop {
        pos += 1;
        if commit(&mut bench, group([(pos, 500)], [])) == Err(Error::Full) {
            break;
        }
    }
    for delete in 1..pos {
        commit(&mut bench, group([], [delete])).unwrap();
        if delete % 5 == 0 {
            bench.collector.collect().unwrap();
            bench.collector.prepare();
        }
    }
    bench.collector.collect().unwrap();
    commit(&mut bench, group([(pos + 1, 500)], [])).unwrap();
    assert_eq!(live(&bench), [pos + 1]);
    assert_eq!(live(&Bench::open(&disk.after_kill()).unwrap()), [pos + 1]);
}
