//! What opening makes of every way a file can end or be damaged.

use super::super::file::segment_name;
use super::{Bench, SEGMENT_BYTES, group};
use crate::contract::{Pos, Token};
use crate::open_error::OpenError;
use crate::testing::disk::SimulatedDisk;

/// A log with three commits and a note, all in one file; where each commit ends.
fn written() -> (SimulatedDisk, Vec<usize>) {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    let mut ends = Vec::new();
    let mut end = |bench: &Bench| ends.push(usize::try_from(bench.committer.active_end()).unwrap());
    bench.commit(0, token, 1, group([(1, 40), (2, 0)], [])).unwrap();
    end(&bench);
    bench.commit(0, token, 2, group([(3, 30)], [1])).unwrap();
    end(&bench);
    bench.commit(0, token, 3, group([(4, 50)], [2])).unwrap();
    end(&bench);
    (disk, ends)
}

fn open_with(bytes: Vec<u8>) -> Result<Bench, OpenError> {
    Bench::open(&disk_with(bytes))
}

/// A disk as it is after the first file was made, with other content in it.
fn disk_with(bytes: Vec<u8>) -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    drop(Bench::open(&disk).unwrap());
    disk.set_content(&segment_name(1, 1), bytes);
    disk
}

fn live(bench: &Bench) -> Vec<u64> {
    bench
        .records(0)
        .unwrap()
        .into_iter()
        .map(|record| record.pos.0)
        .collect()
}

#[test]
fn a_file_cut_anywhere_in_its_last_frame_opens_without_that_frame() {
    let (disk, ends) = written();
    let whole = disk.content(&segment_name(1, 1));
    for length in ends[1]..ends[2] {
        let mut bench = open_with(whole[..length].to_vec()).unwrap();
        assert_eq!(live(&bench), [2, 3], "cut at {length}");
        let state = bench.claim(0).unwrap();
        assert_eq!((state.last_commit, state.last_pos), ((Token(1), 2), Pos(3)));
        bench.commit(0, state.token, 3, group([(9, 10)], [])).unwrap();
        let reopened = Bench::open(&bench.disk.after_kill()).unwrap();
        assert_eq!(live(&reopened), [2, 3, 9], "goes on after a cut at {length}");
    }
    assert_eq!(live(&open_with(whole[..ends[2]].to_vec()).unwrap()), [3, 4]);
}

#[test]
fn a_file_whose_end_is_zeros_from_anywhere_in_its_last_frame_opens_without_that_frame() {
    let (disk, ends) = written();
    let whole = disk.content(&segment_name(1, 1));
    for from in ends[1]..ends[2] {
        let mut bytes = whole.clone();
        bytes[from..].fill(0);
        let expected: &[u64] = if whole[from..ends[2]].iter().all(|byte| *byte == 0) {
            &[3, 4]
        } else {
            &[2, 3]
        };
        assert_eq!(live(&open_with(bytes).unwrap()), expected, "zeros from {from}");
    }
}

#[test]
fn a_changed_byte_in_the_last_frame_opens_without_that_frame() {
    let (disk, ends) = written();
    let whole = disk.content(&segment_name(1, 1));
    for at in ends[1]..ends[2] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        assert_eq!(live(&open_with(bytes).unwrap()), [2, 3], "changed at {at}");
    }
}

#[test]
fn a_changed_byte_before_the_last_frame_is_reported_and_never_skipped() {
    let (disk, ends) = written();
    let whole = disk.content(&segment_name(1, 1));
    for at in 0..ends[1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        match open_with(bytes.clone()) {
            Err(OpenError::Corrupt(what)) => {
                assert!(what.contains("offset") && what.contains(&segment_name(1, 1)));
            }
            Err(other) => panic!("changed at {at}: {other}"),
            Ok(bench) => {
                // Only bodies are not looked at when opening; then the read says it.
                let damaged: Vec<_> = [1, 2, 3, 4]
                    .into_iter()
                    .filter(|pos| bench.bodies(0, &[Pos(*pos)]).is_err())
                    .collect();
                let in_first_body = damaged.is_empty() && (ends[0] - 64..ends[0] - 16).contains(&at);
                assert!(damaged == [3] || in_first_body, "changed at {at}: {damaged:?}");
            }
        }
        let name = segment_name(1, 1);
        let disk = disk_with(bytes.clone());
        drop(Bench::open(&disk));
        if Bench::open(&disk).is_err() {
            assert_eq!(disk.content(&name), bytes, "a damaged file is left as it is");
        }
    }
}

#[test]
fn a_changed_byte_in_a_sealed_file_is_reported_and_never_served() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    for n in 1..=4 {
        bench.commit(0, token, n, group([(n, 1_500)], [])).unwrap();
    }
    let name = segment_name(1, 1);
    let whole = disk.content(&name);
    assert!(disk.content(&segment_name(2, 2)).len() as u64 >= SEGMENT_BYTES);
    let mut served = 0;
    for at in (0..whole.len()).step_by(7) {
        let changed = disk.after_kill();
        let mut bytes = whole.clone();
        bytes[at] ^= 0x80;
        changed.set_content(&name, bytes);
        match Bench::open(&changed) {
            Err(OpenError::Corrupt(what)) => assert!(what.contains(&name)),
            Err(other) => panic!("changed at {at}: {other}"),
            Ok(bench) => {
                let bodies = [1, 2, 3, 4].map(|pos| bench.bodies(0, &[Pos(pos)]));
                for (pos, read) in (1..).zip(bodies) {
                    assert!(
                        read.is_err() || read == Ok(vec![Some(super::body(pos, 1_500))]),
                        "changed at {at}"
                    );
                    served += 1;
                }
            }
        }
    }
    assert!(served > 0, "some changes are in bodies");
}

#[test]
fn a_missing_start_of_a_file_in_use_is_reported() {
    let (disk, ends) = written();
    let mut bytes = disk.content(&segment_name(1, 1));
    bytes[..ends[0]].fill(0);
    assert!(matches!(open_with(bytes), Err(OpenError::Corrupt(_))));
}

#[test]
fn another_number_of_partitions_is_refused() {
    let (disk, _) = written();
    assert!(matches!(
        super::recover(&disk, 3, SEGMENT_BYTES),
        Err(OpenError::Layout(_))
    ));
}

#[test]
fn a_log_of_another_version_is_refused_and_left_as_it_is() {
    let (disk, _) = written();
    let name = segment_name(1, 1);
    let mut bytes = disk.content(&name);
    bytes[4] = 1;
    let crc = crc32c::crc32c(&bytes[..44]).to_le_bytes();
    bytes[44..48].copy_from_slice(&crc);
    let disk = SimulatedDisk::default();
    disk.set_content(&name, bytes.clone());
    match Bench::open(&disk) {
        Err(OpenError::Layout(why)) => {
            assert!(why.contains("version 1") && why.contains("version 2"), "{why}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened"),
    }
    assert_eq!(disk.content(&name), bytes);
}

#[test]
fn a_seal_that_is_not_whole_is_made_anew() {
    let disk = SimulatedDisk::default();
    let mut bench = Bench::open(&disk).unwrap();
    let token = bench.claim(0).unwrap().token;
    for n in 1..=4 {
        bench.commit(0, token, n, group([(n, 1_500)], [])).unwrap();
    }
    // As if the power had gone while the first file was sealed: nothing of the second is there.
    let name = segment_name(1, 1);
    let whole = disk.content(&name);
    let expected = live(&{ Bench::open(&disk_with(whole.clone())).unwrap() });
    let seal = whole
        .windows(6)
        .rposition(|window| *window == *b"meta 1")
        .unwrap();
    for at in seal..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        let disk = disk_with(bytes);
        let mut bench = Bench::open(&disk).unwrap();
        assert_eq!(live(&bench), expected, "changed at {at}");
        let token = bench.claim(0).unwrap().token;
        for n in 10..14 {
            let last = bench.shared.index().unwrap().state(0).unwrap().last_commit.1;
            bench.commit(0, token, last + 1, group([(n, 1_500)], [])).unwrap();
        }
        assert_eq!(
            live(&Bench::open(&disk.after_kill()).unwrap()).len(),
            expected.len() + 4
        );
    }
}
