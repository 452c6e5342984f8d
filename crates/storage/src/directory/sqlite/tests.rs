//! Damage, full disks and what is deleted, from inside, where the thread's work is done by hand.

use super::thread::{Claimed, Request, Worker, read_states};
use super::{back_up, connect};
use crate::contract::{Change, Error, Expect, PartitionId, Pos, Token};
use crate::directory::feed::Recent;
use crate::open_error::OpenError;
use crate::testing::disk::Random;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

const PARTITIONS: u32 = 2;

fn open(path: &Path) -> Result<Worker, OpenError> {
    let connection = connect(path)?;
    let (states, _) = read_states(&connection, PARTITIONS).unwrap();
    let recent = states.iter().map(|state| Recent::after(state.last_pos)).collect();
    Ok(Worker {
        connection,
        states,
        recent,
        path: path.display().to_string(),
        poisoned: false,
    })
}

fn claim(worker: &mut Worker, partition: u32) -> Claimed {
    let (reply, mut answer) = oneshot::channel();
    worker.write(vec![Request::Claim {
        partition: PartitionId(partition),
        node: "node".into(),
        reply,
    }]);
    answer.try_recv().unwrap().unwrap()
}

type Answer = oneshot::Receiver<Result<Pos, Error>>;

fn request(partition: u32, token: Token, n: u64, changes: Vec<Change>) -> (Request, Answer) {
    let (reply, answer) = oneshot::channel();
    let request = Request::Commit {
        partition: PartitionId(partition),
        token,
        n,
        expect: Vec::<Expect>::new(),
        changes,
        reply,
    };
    (request, answer)
}

fn commit(worker: &mut Worker, token: Token, n: u64, changes: Vec<Change>) -> Result<Pos, Error> {
    let (request, mut answer) = request(0, token, n, changes);
    worker.write(vec![request]);
    answer.try_recv().unwrap()
}

fn put(key: &str, value: impl Into<Bytes>) -> Change {
    Change::Put(Bytes::copy_from_slice(key.as_bytes()), value.into())
}

fn delete(key: &str) -> Change {
    Change::Delete(Bytes::copy_from_slice(key.as_bytes()))
}

type Records = BTreeMap<String, Bytes>;

fn records(worker: &Worker) -> Result<Records, Error> {
    let page = worker.scan(PartitionId(0), &Bytes::new(), None, 10_000)?;
    let text = |(key, value): (Bytes, Bytes)| (String::from_utf8(key.to_vec()).unwrap(), value);
    Ok(page.items.into_iter().map(text).collect())
}

fn wal_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}

/// The directory as a process that dies now leaves it, in a folder of its own.
fn killed(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("directory.sqlite");
    fs::copy(path, &to).unwrap();
    if wal_of(path).exists() {
        fs::copy(wal_of(path), wal_of(&to)).unwrap();
    }
    (folder, to)
}

/// A worker with `commits` commits after the one that made the records, and its records after each commit.
fn written(path: &Path, commits: u64) -> (Worker, Vec<Records>) {
    let mut worker = open(path).unwrap();
    let token = claim(&mut worker, 0).token;
    let first = (0..40).map(|n| put(&format!("key {n:02}"), format!("value {n} {}", "x".repeat(200))));
    commit(&mut worker, token, 1, first.collect()).unwrap();
    let mut states = vec![records(&worker).unwrap()];
    for n in 2..2 + commits {
        let changes = vec![
            put(&format!("key {n:02}"), format!("changed {n}")),
            delete(&format!("key {:02}", n + 20)),
        ];
        commit(&mut worker, token, n, changes).unwrap();
        states.push(records(&worker).unwrap());
    }
    (worker, states)
}

/// What opening makes of it: the records, or nothing when damage was named.
fn opened(path: &Path, what: &str) -> Option<Records> {
    match open(path) {
        Ok(worker) => match records(&worker) {
            Ok(records) => Some(records),
            Err(Error::Corrupt(why)) => {
                assert!(why.contains("directory.sqlite"), "{what}: {why}");
                None
            }
            Err(other) => panic!("{what}: {other}"),
        },
        Err(error) => {
            assert!(error.to_string().contains("directory.sqlite"), "{what}: {error}");
            None
        }
    }
}

#[test]
fn a_changed_byte_of_the_closed_file_is_reported_or_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (worker, states) = written(&path, 3);
    worker.close();
    assert!(!wal_of(&path).exists());
    let whole = fs::read(&path).unwrap();
    let (_other, copy) = killed(&path);
    let (mut reported, mut served) = (0, 0);
    let step = if std::env::var_os("BULLA_EVERY_BYTE").is_some() {
        1
    } else {
        53
    };
    for at in (0..whole.len()).step_by(step).chain(0..100) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&copy, &bytes).unwrap();
        drop(fs::remove_file(wal_of(&copy)));
        match opened(&copy, &format!("byte {at}")) {
            None => {
                reported += 1;
                if !wal_of(&copy).exists() || fs::metadata(wal_of(&copy)).unwrap().len() == 0 {
                    assert_eq!(fs::read(&copy).unwrap(), bytes, "a damaged file is left as it is");
                }
            }
            Some(records) => {
                served += 1;
                assert_eq!(&records, states.last().unwrap(), "byte {at}");
            }
        }
    }
    assert!(
        reported > 100 && served > 10,
        "{reported} reported, {served} in unused places"
    );
}

#[test]
fn a_changed_byte_of_the_write_ahead_file_is_reported_or_takes_back_the_last_commit_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (worker, states) = written(&path, 4);
    let (_other, copy) = killed(&path);
    drop(worker);
    let (whole, wal) = (fs::read(&copy).unwrap(), fs::read(wal_of(&copy)).unwrap());
    let allowed = &states[states.len() - 2..];
    let mut reported = 0;
    let step = if std::env::var_os("BULLA_EVERY_BYTE").is_some() {
        1
    } else {
        131
    };
    for at in (0..wal.len()).step_by(step).chain(0..80) {
        let mut bytes = wal.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&copy, &whole).unwrap();
        fs::write(wal_of(&copy), &bytes).unwrap();
        match opened(&copy, &format!("byte {at}")) {
            None => {
                reported += 1;
                assert_eq!(
                    fs::read(wal_of(&copy)).unwrap(),
                    bytes,
                    "a damaged file is left as it is"
                );
            }
            Some(records) => assert!(allowed.contains(&records), "byte {at}"),
        }
    }
    assert!(reported > 100, "{reported}");
}

#[test]
fn a_write_ahead_file_cut_anywhere_opens_with_whole_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (worker, states) = written(&path, 4);
    let (_other, copy) = killed(&path);
    drop(worker);
    let (whole, wal) = (fs::read(&copy).unwrap(), fs::read(wal_of(&copy)).unwrap());
    let mut seen = 0;
    for length in (0..wal.len()).step_by(487) {
        fs::write(&copy, &whole).unwrap();
        fs::write(wal_of(&copy), &wal[..length]).unwrap();
        let records = opened(&copy, &format!("cut at {length}")).unwrap_or_default();
        let state = states.iter().position(|state| *state == records);
        assert!(
            state.is_some() || records.is_empty(),
            "cut at {length}: half a commit"
        );
        let now = state.map_or(0, |state| state + 1);
        assert!(now >= seen, "cut at {length}");
        seen = now;
    }
    assert!(seen >= states.len() - 1);
}

#[test]
fn sectors_lost_from_the_last_commit_take_back_that_commit_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (mut worker, mut states) = written(&path, 2);
    let durable = fs::read(wal_of(&path)).unwrap().len();
    let token = worker.states[0].token;
    let changes = (0..30)
        .map(|n| put(&format!("new {n:02}"), "y".repeat(400)))
        .collect();
    commit(&mut worker, token, 4, changes).unwrap();
    states.push(records(&worker).unwrap());
    let (_other, copy) = killed(&path);
    drop(worker);
    let (whole, wal) = (fs::read(&copy).unwrap(), fs::read(wal_of(&copy)).unwrap());
    assert!(wal.len() > durable + 4_096);
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut bytes = wal.clone();
        for sector in (durable / 512 * 512..wal.len()).step_by(512) {
            if random.one_in(3) {
                let end = (sector + 512).min(bytes.len());
                bytes[sector.max(durable)..end].fill(0);
            }
        }
        fs::write(&copy, &whole).unwrap();
        fs::write(wal_of(&copy), &bytes).unwrap();
        let records = opened(&copy, &format!("seed {seed}")).expect("a torn commit is no damage");
        assert!(states[states.len() - 2..].contains(&records), "seed {seed}");
        // It goes on, and the next crash finds what was committed then.
        let mut worker = open(&copy).unwrap();
        let claimed = claim(&mut worker, 0);
        commit(
            &mut worker,
            claimed.token,
            claimed.last_commit.1 + 1,
            vec![put("later", "z")],
        )
        .unwrap();
        let (_folder, again) = killed(&copy);
        drop(worker);
        assert!(opened(&again, "again").unwrap().contains_key("later"));
    }
}

#[test]
fn a_write_ahead_file_that_was_taken_away_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (worker, states) = written(&path, 2);
    let (_other, copy) = killed(&path);
    assert_eq!(opened(&copy, "as it was").as_ref(), states.last());
    let (_other, copy) = killed(&path);
    fs::remove_file(wal_of(&copy)).unwrap();
    let refused = open(&copy).map(|_| ()).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Corrupt(why) if why.contains("directory.sqlite-wal")),
        "{refused}"
    );
    worker.close();
    assert!(
        !wal_of(&path).exists(),
        "nothing is beside a directory that was closed in order"
    );
    assert_eq!(opened(&path, "closed").as_ref(), states.last());
}

#[test]
fn a_full_disk_refuses_a_commit_wholly_and_takes_it_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (mut worker, states) = written(&path, 2);
    let before = states.last().unwrap().clone();
    let token = worker.states[0].token;
    let pages: i64 = worker
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = |worker: &Worker, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        worker.connection.query_row(&sql, [], |_| Ok(())).unwrap();
    };
    let big = || {
        (0..50)
            .map(|n| put(&format!("big {n}"), vec![7; 3_000]))
            .collect::<Vec<_>>()
    };
    for room in [0, 1, 5, 20] {
        limit(&worker, pages + room);
        assert_eq!(
            commit(&mut worker, token, 4, big()),
            Err(Error::Full),
            "{room} pages"
        );
        assert_eq!(records(&worker).unwrap(), before);
        let (_folder, copy) = killed(&path);
        assert_eq!(opened(&copy, "after a full disk"), Some(before.clone()));
    }
    limit(&worker, 1_000_000);
    commit(&mut worker, token, 4, big()).unwrap();
    assert_eq!(records(&worker).unwrap().len(), before.len() + 50);
}

#[test]
fn what_shares_a_transaction_with_a_commit_that_does_not_fit_is_not_committed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (mut worker, _) = written(&path, 0);
    let tokens = [worker.states[0].token, claim(&mut worker, 1).token];
    let pages: i64 = worker
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {pages}");
    worker.connection.query_row(&limit, [], |_| Ok(())).unwrap();
    let before = records(&worker).unwrap();
    let (big, mut first) = request(1, tokens[1], 1, vec![put("big", vec![7; 900_000])]);
    let (small, mut second) = request(0, tokens[0], 2, vec![put("key 05", "small")]);
    worker.write(vec![big, small]);
    assert_eq!(first.try_recv().unwrap(), Err(Error::Full));
    match second.try_recv().unwrap() {
        Ok(_) => assert_ne!(records(&worker).unwrap(), before),
        Err(Error::Unavailable { .. } | Error::Full) => {
            assert_eq!(records(&worker).unwrap(), before, "surely not written");
            commit(&mut worker, tokens[0], 2, vec![put("key 05", "small")]).unwrap();
        }
        Err(other) => panic!("{other}"),
    }
    let (_folder, copy) = killed(&path);
    assert_eq!(opened(&copy, "after"), Some(records(&worker).unwrap()));
}

#[test]
fn nothing_of_a_deleted_or_replaced_record_stays_in_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (mut worker, _) = written(&path, 2);
    let token = worker.states[0].token;
    let secret = |n: usize, bytes: usize| Bytes::from(format!("wrapped-key-{n}-").repeat(bytes / 14));
    // Also one that takes pages of its own.
    let sizes = [50, 900, 20_000];
    let puts = sizes
        .iter()
        .enumerate()
        .map(|(n, bytes)| put(&format!("secret {n}"), secret(n, *bytes)));
    commit(&mut worker, token, 4, puts.collect()).unwrap();
    let everything = |path: &Path| {
        let mut all = fs::read(path).unwrap();
        all.extend(fs::read(wal_of(path)).unwrap_or_default());
        all
    };
    let finds = |path: &Path, text: &str| {
        everything(path)
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    for n in 0..sizes.len() {
        assert!(finds(&path, &format!("wrapped-key-{n}-")));
    }
    commit(
        &mut worker,
        token,
        5,
        (0..sizes.len()).map(|n| delete(&format!("secret {n}"))).collect(),
    )
    .unwrap();
    worker.forget();
    for n in 0..sizes.len() {
        assert!(!finds(&path, &format!("wrapped-key-{n}-")), "{n}");
    }
    worker.close();
    assert!(!finds(&path, "wrapped-key-"));
}

#[test]
fn a_copy_is_whole_closed_and_as_new_as_the_last_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sqlite");
    let (worker, states) = written(&path, 3);
    let copy = folder.path().join("copy.sqlite");
    back_up(&path, &copy).unwrap();
    assert!(!wal_of(&copy).exists());
    let other = folder.path().join("directory.sqlite-copy");
    fs::rename(&copy, &other).unwrap();
    assert_eq!(opened(&other, "copy").as_ref(), states.last());
    drop(worker);
}
