//! Random histories against a model: appends, deletes, notes, collections, backups, full disks, errors of any call,
//! kills, power cuts in the middle of anything. After every opening the stored commit number says which state of the
//! model must be there, exactly; a backup is compared at once.
//!
//! `BULLA_SEED` replays one history, `BULLA_SEEDS` runs as many from there (200 unless told).

use super::super::file::parse_segment_name;
use super::super::files::FileList;
use super::{Bench, PARTITIONS, body};
use crate::contract::{Append, Error, Group, Pos, Token};
use crate::testing::disk::{Random, SimulatedDisk};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

#[derive(Clone, Default)]
struct State {
    n: u64,
    last_pos: u64,
    /// Live records: bytes of the body.
    live: BTreeMap<u64, usize>,
}

#[derive(Default)]
struct Partition {
    token: Token,
    acknowledged: State,
    /// The state if the commit whose outcome is not known did land.
    perhaps: Option<State>,
    notes: BTreeMap<u64, BTreeSet<u64>>,
    next_note: u64,
}

struct History {
    random: Random,
    disk: SimulatedDisk,
    bench: Option<Bench>,
    partitions: Vec<Partition>,
}

fn note(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

impl History {
    fn new(seed: u64) -> Self {
        let partitions = (0..PARTITIONS).map(|_| Partition::default()).collect();
        Self {
            random: Random::new(seed),
            disk: SimulatedDisk::default(),
            bench: None,
            partitions,
        }
    }

    /// Opens, perhaps interrupted by a power cut or two, and compares.
    fn reopen(&mut self) {
        loop {
            if self.random.one_in(4) {
                self.disk.cut_power_after(self.random.below(12));
            }
            match Bench::open(&self.disk) {
                Ok(bench) => {
                    self.bench = Some(bench);
                    if self.check() {
                        return;
                    }
                }
                Err(crate::OpenError::Io { .. }) => {}
                Err(other) => panic!("does not open: {other}"),
            }
            self.disk = self.disk.after_power_cut(&mut self.random);
        }
    }

    /// Claims and compares everything; false when the power went.
    fn check(&mut self) -> bool {
        let Some(bench) = &mut self.bench else {
            return false;
        };
        self.disk.work_again();
        for (number, partition) in (0..).zip(&mut self.partitions) {
            let Ok(state) = bench.claim(number) else {
                return false;
            };
            assert!(state.token > partition.token, "tokens rise");
            partition.token = state.token;
            let landed = partition
                .perhaps
                .take()
                .filter(|perhaps| perhaps.n == state.last_commit.1);
            if let Some(landed) = landed {
                partition.acknowledged = landed;
            }
            let expected = &partition.acknowledged;
            assert_eq!(state.last_commit.1, expected.n, "commit number");
            assert_eq!(state.last_pos.0, expected.last_pos, "last position");
            compare(bench, number, partition);
        }
        true
    }

    fn step(&mut self) {
        let Some(bench) = &mut self.bench else {
            return self.reopen();
        };
        if self.random.one_in(50) {
            let how = [ErrorKind::Other, ErrorKind::StorageFull][usize::from(self.random.one_in(2))];
            self.disk.fail_call_after(self.random.below(40), how);
        }
        match self.random.below(20) {
            0 if self.random.one_in(3) => {
                self.disk = self.disk.after_kill();
                self.bench = None;
            }
            0 if self.random.one_in(2) => {
                self.disk = self.disk.after_power_cut(&mut self.random);
                self.bench = None;
            }
            0 => self.disk.cut_power_after(self.random.below(30)),
            1..=3 => {
                if bench.collector.collect().is_err() {
                    self.crash();
                }
            }
            4 if self.random.one_in(3) => {
                let room = self.disk.used() + self.random.below(6_000);
                self.disk.set_room(Some(room).filter(|_| self.random.one_in(2)));
            }
            4 if self.random.one_in(4) => self.snapshot(),
            4 => bench.collector.prepare(),
            5..=7 => self.note_some(),
            _ => self.commit_some(),
        }
    }

    /// Copies what a backup copies, and compares the copy.
    fn snapshot(&mut self) {
        let Some(bench) = &mut self.bench else { return };
        match bench.snapshot() {
            Ok(files) => {
                self.disk.work_again();
                let copy = SimulatedDisk::default();
                for file in &files {
                    let mut bytes = Vec::new();
                    file.verify().unwrap();
                    file.read(|chunk| {
                        bytes.extend_from_slice(chunk);
                        Ok(())
                    })
                    .unwrap();
                    copy.set_content(file.name(), bytes);
                }
                let ranges = files.iter().map(|file| parse_segment_name(file.name()).unwrap());
                drop(FileList::create(&copy, ranges.collect()).unwrap());
                let copied = Bench::open(&copy).unwrap();
                for (number, partition) in (0..).zip(&self.partitions) {
                    compare(&copied, number, partition);
                }
            }
            Err(Error::Full) => {}
            Err(_) => self.crash(),
        }
    }

    fn crash(&mut self) {
        self.bench = None;
        self.disk = if self.random.one_in(2) {
            self.disk.after_kill()
        } else {
            self.disk.after_power_cut(&mut self.random)
        };
    }

    fn note_some(&mut self) {
        let (Some(bench), number) = (&mut self.bench, self.random.below(u64::from(PARTITIONS))) else {
            return;
        };
        let partition = &mut self.partitions[usize::try_from(number).unwrap()];
        let Some(pos) = pick(&mut self.random, &partition.acknowledged) else {
            return;
        };
        partition.next_note += 1;
        partition
            .notes
            .entry(pos)
            .or_default()
            .insert(partition.next_note);
        let number = u32::try_from(number).unwrap();
        bench.note(
            number,
            partition.token,
            vec![(Pos(pos), note(partition.next_note))],
        );
    }

    fn commit_some(&mut self) {
        let (Some(bench), number) = (&mut self.bench, self.random.below(u64::from(PARTITIONS))) else {
            return;
        };
        let partition = &mut self.partitions[usize::try_from(number).unwrap()];
        let mut next = partition.acknowledged.clone();
        next.n += 1;
        let mut group = Group::default();
        let (appends, deletes) = (self.random.below(4), self.random.below(5));
        for _ in 0..appends {
            next.last_pos += 1 + self.random.below(3);
            let bytes = usize::try_from(self.random.below(900)).unwrap();
            next.live.insert(next.last_pos, bytes);
            let pos = next.last_pos;
            group.append.push(Append {
                pos: Pos(pos),
                meta: meta(pos),
                body: body(pos, bytes),
            });
        }
        for _ in 0..deletes {
            // Old ones more often than new ones, as queues do, but stragglers remain.
            if let Some(pos) =
                pick(&mut self.random, &next).filter(|pos| pos % 13 != 0 || self.random.one_in(9))
            {
                next.live.remove(&pos);
                group.delete.push(Pos(pos));
            }
        }
        let number = u32::try_from(number).unwrap();
        match bench.commit(number, partition.token, next.n, group) {
            Ok(()) => partition.acknowledged = next,
            Err(Error::Unknown) => {
                partition.perhaps = Some(next);
                self.crash();
            }
            Err(Error::Full) => {}
            Err(Error::Poisoned) => self.crash(),
            Err(other) => panic!("commit: {other}"),
        }
    }
}

fn meta(pos: u64) -> Bytes {
    // Some longer than what a scan expects.
    Bytes::from(vec![
        u8::try_from(pos % 251).unwrap();
        if pos.is_multiple_of(17) { 1_500 } else { 20 }
    ])
}

fn pick(random: &mut Random, state: &State) -> Option<u64> {
    let count = state.live.len() as u64;
    let at = if count == 0 {
        return None;
    } else {
        random.below(count).min(random.below(count))
    };
    state.live.keys().nth(usize::try_from(at).unwrap()).copied()
}

fn compare(bench: &Bench, number: u32, partition: &Partition) {
    let expected = &partition.acknowledged.live;
    let records = bench.records(number).unwrap();
    let found: Vec<u64> = records.iter().map(|record| record.pos.0).collect();
    assert_eq!(
        found,
        expected.keys().copied().collect::<Vec<_>>(),
        "live records of partition {number}"
    );
    for record in &records {
        assert_eq!(record.meta, meta(record.pos.0));
        if let Some(found) = &record.note {
            let known = partition.notes.get(&record.pos.0);
            assert!(
                known.is_some_and(|known| known.iter().any(|number| note(*number) == found)),
                "a note that was"
            );
        }
    }
    let positions: Vec<Pos> = expected.keys().copied().map(Pos).collect();
    for ((pos, bytes), read) in expected.iter().zip(bench.bodies(number, &positions).unwrap()) {
        assert_eq!(read, Some(body(*pos, *bytes)), "body of {pos}");
    }
}

#[test]
fn what_was_acknowledged_is_there_and_what_was_deleted_is_not_whenever_the_power_goes() {
    let setting = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let first = setting("BULLA_SEED").unwrap_or(1);
    let count = setting("BULLA_SEEDS").unwrap_or(if setting("BULLA_SEED").is_some() { 1 } else { 200 });
    for seed in first..first + count {
        let outcome = std::panic::catch_unwind(|| {
            let mut history = History::new(seed);
            for _ in 0..300 {
                history.step();
            }
        });
        assert!(outcome.is_ok(), "fails with BULLA_SEED={seed}");
    }
}
