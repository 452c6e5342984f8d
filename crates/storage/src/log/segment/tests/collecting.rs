//! Files come and go, records do not.

use super::super::file::segment_name;
use super::super::files::Listing;
use super::super::rewrite::rewrite;
use super::{Bench, body, group};
use crate::contract::{Group, Pos, Token};
use crate::testing::disk::SimulatedDisk;
use bytes::Bytes;
use std::cell::RefCell;

fn live(bench: &Bench) -> Vec<u64> {
    bench
        .records(0)
        .unwrap()
        .into_iter()
        .map(|record| record.pos.0)
        .collect()
}

/// A log of one partition with this many records of 1,000 bytes, a commit each.
fn filled(records: u64) -> (Bench, Token) {
    let mut bench = Bench::open(&SimulatedDisk::default()).unwrap();
    let token = bench.claim(0).unwrap().token;
    for n in 1..=records {
        bench.commit(0, token, n, group([(n, 1_000)], [])).unwrap();
    }
    (bench, token)
}

fn assert_intact(bench: &Bench, expected: &[u64]) {
    assert_eq!(live(bench), expected);
    let positions: Vec<Pos> = expected.iter().copied().map(Pos).collect();
    let bodies = bench.bodies(0, &positions).unwrap();
    for (pos, read) in expected.iter().zip(bodies) {
        assert_eq!(read, Some(body(*pos, 1_000)));
    }
}

#[test]
fn a_file_without_live_records_is_removed() {
    let (mut bench, token) = filled(40);
    let before = bench.files().len();
    bench.commit(0, token, 41, group([], 1..=38)).unwrap();
    bench.collector.collect().unwrap();
    assert!(bench.files().len() < before / 3, "{:?}", bench.files());
    assert_intact(&bench, &[39, 40]);
    assert_intact(&Bench::open(&bench.disk.after_kill()).unwrap(), &[39, 40]);
}

#[test]
fn a_queue_that_drains_keeps_the_folder_small_however_long_it_runs() {
    let (mut bench, token) = filled(3);
    for n in 4..2_000 {
        bench.commit(0, token, n, group([(n, 1_000)], [n - 3])).unwrap();
        bench.collector.collect().unwrap();
        assert!(bench.files().len() <= 5, "{:?}", bench.files());
    }
    assert_intact(&bench, &[1_997, 1_998, 1_999]);
    let mut reopened = Bench::open(&bench.disk.after_kill()).unwrap();
    assert_intact(&reopened, &[1_997, 1_998, 1_999]);
    assert_eq!(reopened.claim(0).unwrap().last_pos, Pos(1_999));
}

#[test]
fn a_few_old_records_do_not_keep_many_files() {
    let (mut bench, token) = filled(600);
    let keep: Vec<u64> = (1..=600).filter(|pos| pos % 20 == 0).collect();
    for (n, chunk) in (601..).zip(
        (1..=600)
            .filter(|pos| pos % 20 != 0)
            .collect::<Vec<u64>>()
            .chunks(100),
    ) {
        bench
            .commit(0, token, n, group([], chunk.iter().copied()))
            .unwrap();
    }
    let before = bench.files().len();
    bench.collector.collect().unwrap();
    assert!(
        bench.files().len() < before / 4,
        "{} of {before}",
        bench.files().len()
    );
    assert_intact(&bench, &keep);
    assert_intact(&Bench::open(&bench.disk.after_kill()).unwrap(), &keep);
}

#[test]
fn one_old_record_in_each_file_does_not_keep_the_files_however_long_it_goes_on() {
    let mut bench = Bench::open_sized(&SimulatedDisk::default(), 16 << 10).unwrap();
    let token = bench.claim(0).unwrap().token;
    bench.commit(0, token, 1, group([(1, 1_000)], [])).unwrap();
    let mut n = 1;
    let mut most = 0;
    // A file holds some 15 records. Of every 20 one stays until 60 more have come; all others go at once.
    for pos in 2..=6_000_u64 {
        let mut deletes = Vec::new();
        if (pos - 1) % 20 != 0 {
            deletes.push(pos - 1);
        } else if pos > 1_200 {
            deletes.push(pos - 1 - 1_200);
        }
        n += 1;
        bench.commit(0, token, n, group([(pos, 1_000)], deletes)).unwrap();
        if pos % 10 == 0 {
            bench.collector.collect().unwrap();
            most = most.max(bench.files().len());
        }
    }
    // 60 old records fill 4 files if nothing else is in them; at most four times as much is kept, and some small ones.
    assert!(most <= 24, "{most} files");
    let expected: Vec<u64> = (4_800..6_000)
        .filter(|pos| pos % 20 == 0)
        .chain([6_000])
        .collect();
    assert_intact(&bench, &expected);
    assert_intact(&Bench::open(&bench.disk.after_kill()).unwrap(), &expected);
}

#[test]
fn notes_that_are_renewed_for_ever_do_not_keep_files() {
    let (mut bench, token) = filled(2);
    for round in 0..3_000_u64 {
        let note = Bytes::copy_from_slice(&[u8::try_from(round % 251).unwrap(); 100]);
        bench.note(0, token, vec![(Pos(1 + round % 2), note)]);
        if round % 20 == 0 {
            bench.collector.collect().unwrap();
            assert!(bench.files().len() <= 12, "{:?}", bench.files());
        }
    }
    assert_intact(&Bench::open(&bench.disk.after_kill()).unwrap(), &[1, 2]);
}

#[test]
fn what_is_deleted_and_noted_during_a_rewriting_stays_so() {
    let (mut bench, token) = filled(40);
    bench
        .commit(0, token, 41, group([], (1..=40).filter(|pos| pos % 5 != 0)))
        .unwrap();
    let sources: Vec<u64> = bench
        .shared
        .index()
        .unwrap()
        .segments
        .keys()
        .copied()
        .take(6)
        .collect();
    let shared = std::sync::Arc::clone(&bench.shared);
    let raced = RefCell::new(&mut bench);
    let n = RefCell::new(41);
    let during = || {
        let mut bench = raced.borrow_mut();
        *n.borrow_mut() += 1;
        if *n.borrow() == 42 {
            let notes = vec![(Pos(5), Bytes::from_static(b"held"))];
            let group = Group {
                delete: vec![Pos(10)],
                notes,
                ..Group::default()
            };
            bench.commit(0, token, 42, group).unwrap();
        }
        false
    };
    rewrite(&shared, &sources, "x.tmp", &during, &mut Listing::default()).unwrap();
    assert!(
        bench
            .files()
            .iter()
            .any(|name| name.starts_with(&segment_name(1, 6)[..20])),
        "{:?}",
        bench.files()
    );
    let expected = [5, 15, 20, 25, 30, 35, 40];
    let check = |bench: &Bench| {
        assert_intact(bench, &expected);
        assert_eq!(
            bench.records(0).unwrap()[0].note,
            Some(Bytes::from_static(b"held"))
        );
    };
    check(&bench);
    check(&Bench::open(&bench.disk.after_kill()).unwrap());
    // The file with the tombstone must not go while the rewritten file holds what it deleted.
    bench.collector.collect().unwrap();
    check(&bench);
    check(&Bench::open(&bench.disk.after_kill()).unwrap());
}

#[test]
fn a_damaged_file_is_neither_rewritten_nor_removed() {
    let (bench, token) = filled(40);
    let name = segment_name(1, 1);
    let mut bytes = bench.disk.content(&name);
    let in_body = bytes
        .windows(64)
        .position(|window| *window == body(2, 64))
        .unwrap();
    bytes[in_body + 10] ^= 1;
    bench.disk.set_content(&name, bytes);
    let mut bench = Bench::open(&bench.disk.after_kill()).unwrap();
    let state = bench.claim(0).unwrap();
    assert!(token < state.token);
    bench
        .commit(0, state.token, 41, group([], [1, 3, 4, 5, 6]))
        .unwrap();
    bench.collector.collect().unwrap();
    assert!(bench.files().contains(&name));
    assert!(bench.bodies(0, &[Pos(2)]).is_err());
}
