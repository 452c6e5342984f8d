//! Opening a log whose files are any bytes, or a sound log with changes: it opens or says what is damaged, and then
//! serves nothing whose checksum is not right. What opens once opens again with the same records.
//!
//! The first byte chooses: even, the rest is the content of the first file. Odd, the rest are changes of a sound log,
//! five bytes each: what, which file, where (two bytes), value.
#![no_main]

use bulla_storage::log::segment::disk::Disk;
use bulla_storage::log::segment::steps::Steps;
use bulla_storage::log::segment::{Options, SegmentLog};
use bulla_storage::testing::disk::SimulatedDisk;
use bulla_storage::{Append, Error, Group, Log, LogOwner, OpenError, PartitionId, Pos};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

const PARTITIONS: u32 = 2;
const FIRST_FILE: &str = "0000000000000001-0000000000000001.log";

/// Live records with their bodies, by partition and position.
type Records = BTreeMap<(u32, u64), Bytes>;

/// A sound log: its files, and its records after all commits and after all but the last.
struct Sound {
    files: Vec<(String, Vec<u8>)>,
    last: Records,
    before_last: Records,
    /// All that ever were.
    all: Records,
}

fn open(disk: &SimulatedDisk) -> Result<(SegmentLog, Steps), OpenError> {
    let options = Options {
        partitions: PARTITIONS,
        segment_bytes: 4_096,
        keep: None,
    };
    SegmentLog::open_stepped(Arc::new(disk.clone()), options)
}

/// Polls, lets the log work, and polls again.
fn done<T>(steps: &mut Steps, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        steps.commit();
    }
    panic!("not answered");
}

fn claim(
    log: &SegmentLog,
    steps: &mut Steps,
    partition: u32,
) -> Result<(Box<dyn LogOwner>, u64, u64), Error> {
    let opened = done(steps, log.open(PartitionId(partition), "fuzz"))?;
    Ok((opened.owner, opened.last_commit.1, opened.last_pos.0))
}

fn body(pos: u64) -> Bytes {
    Bytes::from(vec![u8::try_from(pos % 251).unwrap(); 400])
}

fn sound() -> Sound {
    let disk = SimulatedDisk::default();
    let (log, mut steps) = open(&disk).unwrap();
    let (mut last, mut before_last, mut all) = (Records::new(), Records::new(), Records::new());
    let mut owners: Vec<_> = (0..PARTITIONS)
        .map(|partition| claim(&log, &mut steps, partition).unwrap().0)
        .collect();
    for n in 1..=7 {
        for (partition, owner) in (0..).zip(&mut owners) {
            before_last.clone_from(&last);
            let append = [2 * n - 1, 2 * n].map(|pos| Append {
                pos: Pos(pos),
                meta: Bytes::from(pos.to_string()),
                body: body(pos),
            });
            let new = [2 * n - 1, 2 * n].map(|pos| ((partition, pos), body(pos)));
            all.extend(new.clone());
            last.extend(new);
            let delete = if n % 2 == 0 { vec![Pos(n)] } else { Vec::new() };
            delete
                .iter()
                .for_each(|pos| drop(last.remove(&(partition, pos.0))));
            let group = Group {
                append: append.into(),
                delete,
                notes: vec![(Pos(2 * n), Bytes::from_static(b"note"))],
            };
            done(&mut steps, owner.commit(n, group)).unwrap();
        }
        while steps.collect() {}
    }
    let files = disk
        .list()
        .unwrap()
        .into_iter()
        .filter(|name| !name.ends_with(".tmp"));
    let files = files.map(|name| (name.clone(), disk.content(&name))).collect();
    Sound {
        files,
        last,
        before_last,
        all,
    }
}

/// A disk with changed files; true when nothing but bits of one byte were changed.
fn changed(sound: &Sound, changes: &[u8]) -> (SimulatedDisk, bool) {
    let mut files = sound.files.clone();
    for change in changes.chunks_exact(5).take(64) {
        let [what, which, low, high, value] = *change else {
            unreachable!()
        };
        let which = usize::from(which) % files.len();
        let content = &mut files[which].1;
        if content.is_empty() {
            continue;
        }
        let at = usize::from(u16::from_le_bytes([low, high])) % content.len();
        let end = content.len().min(at / 512 * 512 + 512);
        match what % 6 {
            0 | 1 => content[at] ^= value,
            2 => content.truncate(at),
            3 => content[at..end].fill(value),
            4 => {
                let from = at / 512 * 512;
                let places = content.len() - (end - from) + 1;
                content.copy_within(from..end, usize::from(value) * 16 % places);
            }
            _ if files.len() > 1 => drop(files.remove(which)),
            _ => {}
        }
    }
    let single = changes.len() / 5 <= 1 && changes.first().is_none_or(|what| what % 6 <= 1);
    (with_files(&files), single)
}

fn with_files(files: &[(String, Vec<u8>)]) -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    for (name, content) in files {
        disk.set_content(name, content.clone());
    }
    disk
}

/// A disk with the list of files that a new log has, and one file.
fn raw(content: &[u8]) -> SimulatedDisk {
    static FRESH: OnceLock<Vec<u8>> = OnceLock::new();
    let list = FRESH.get_or_init(|| {
        let disk = SimulatedDisk::default();
        drop(open(&disk).unwrap());
        disk.content("files")
    });
    with_files(&[
        ("files".to_owned(), list.clone()),
        (FIRST_FILE.to_owned(), content.to_vec()),
    ])
}

/// What the log shows; bodies that it says are damaged are left out. `None` when it does not serve at all.
fn served(log: &SegmentLog, steps: &mut Steps) -> Option<(Records, usize)> {
    let (mut records, mut damaged) = (Records::new(), 0);
    for partition in 0..PARTITIONS {
        let (owner, _, last_pos) = claim(log, steps, partition).ok()?;
        let reader = owner.reader();
        let page = match done(steps, reader.scan(None, 10_000)) {
            Ok(page) => page,
            Err(Error::Corrupt(_)) => return None,
            Err(other) => panic!("{other}"),
        };
        for record in page.items {
            assert!(record.pos.0 <= last_pos);
            match done(steps, reader.bodies(vec![record.pos])) {
                Ok(bodies) => {
                    let body = bodies[0].clone().expect("a record that a scan shows is live");
                    records.insert((partition, record.pos.0), body);
                }
                Err(Error::Corrupt(_)) => damaged += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    Some((records, damaged))
}

fn check(disk: &SimulatedDisk, single: Option<&Sound>) {
    let names = disk.list().unwrap();
    let all: Vec<Vec<u8>> = names.iter().map(|name| disk.content(name)).collect();
    let (log, mut steps) = match open(disk) {
        Ok(opened) => opened,
        Err(OpenError::Corrupt(why)) => return assert!(why.contains("/simulated/"), "{why} names no file"),
        Err(OpenError::Layout(_)) => return,
        Err(other) => panic!("{other}"),
    };
    let Some((records, damaged)) = served(&log, &mut steps) else {
        return;
    };
    // What the sound log has under the same position needs no proof.
    let sound_records = &SOUND.get_or_init(sound).all;
    for (_, body) in records
        .iter()
        .filter(|(at, body)| sound_records.get(at) != Some(body))
    {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        let stored = [length, crc32c::crc32c(body).to_le_bytes()].concat();
        let known = all
            .iter()
            .any(|file| file.windows(8).any(|window| window == stored));
        assert!(known, "a body was served that no file has a checksum of");
    }
    if let Some(sound) = single {
        let agrees = |expected: &Records| {
            records.len() + damaged == expected.len()
                && records.iter().all(|(at, body)| expected.get(at) == Some(body))
        };
        assert!(
            agrees(&sound.last) || agrees(&sound.before_last),
            "one changed byte changed what is served"
        );
    }
    drop((log, steps));
    let (log, mut steps) = open(&disk.after_kill()).expect("what opened once opens again");
    let again = served(&log, &mut steps).expect("and serves");
    assert!(again == (records, damaged), "the same records");
}

static SOUND: OnceLock<Sound> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    if choice % 2 == 0 {
        return check(&raw(rest), None);
    }
    let sound = SOUND.get_or_init(sound);
    let (disk, single) = changed(sound, rest);
    check(&disk, single.then_some(sound));
});
