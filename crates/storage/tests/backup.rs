//! Backups of stores in use, and folders restored from them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use bulla_runtime::TokioTasks;
use bulla_storage::{
    BackupError, Change, DirectoryWriter, Error, LogWriter, OpenError, PARTITIONS, PartitionId, Pos, Stores,
    Submission, is_backup, open_embedded, open_memory, restore, verify_backup,
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn log_writer(stores: &Stores, partition: u32) -> LogWriter {
    LogWriter::open(&*stores.log, PartitionId(partition), "node", &TokioTasks)
        .await
        .unwrap()
}

async fn directory_writer(stores: &Stores) -> DirectoryWriter {
    DirectoryWriter::open(&*stores.directory, "node", &TokioTasks)
        .await
        .unwrap()
}

async fn back_up(stores: &Stores, into: &Path) -> bulla_storage::BackupReport {
    let backups = stores.backups.clone().unwrap();
    backups.take(into, &[], &TokioTasks).await.unwrap()
}

async fn close(stores: Stores) {
    let released = stores.released.clone();
    drop(stores);
    released.wait().await;
}

fn append(texts: &[&str]) -> Submission {
    Submission {
        appends: texts.iter().map(|text| (bytes(text), bytes(text))).collect(),
        ..Submission::default()
    }
}

/// Metas of a partition with their positions; every body is read and compared.
async fn records(writer: &LogWriter) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let mut cursor = None;
    loop {
        let page = writer.scan(cursor, 500).await.unwrap();
        let positions: Vec<Pos> = page.items.iter().map(|record| record.pos).collect();
        let bodies = writer.bodies(positions).await.unwrap();
        for (record, body) in page.items.into_iter().zip(bodies) {
            assert_eq!(body, Some(record.meta.clone()));
            found.insert(record.pos.0, String::from_utf8(record.meta.to_vec()).unwrap());
        }
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// A folder with a record in log and directory, closed, and a backup of it.
async fn small_backup(folder: &Path) -> PathBuf {
    let stores = open_embedded(&folder.join("data"), &TokioTasks).unwrap();
    let log = log_writer(&stores, 0).await;
    log.submit(append(&["a", "b"])).await.unwrap();
    let directory = directory_writer(&stores).await;
    let put = Change::Put(bytes("key"), bytes("value"));
    directory.commit(PartitionId(3), vec![], vec![put]).await.unwrap();
    let into = folder.join("backup");
    assert!(!is_backup(&into));
    let report = back_up(&stores, &into).await;
    assert!(is_backup(&into) && report.damaged.is_empty());
    assert_eq!(verify_backup(&into).unwrap(), report);
    drop((log, directory));
    close(stores).await;
    into
}

#[tokio::test]
async fn what_was_stored_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let backup = small_backup(folder.path()).await;
    let to = folder.path().join("restored");
    assert_eq!(restore(&backup, &to).unwrap(), verify_backup(&backup).unwrap());
    let stores = open_embedded(&to, &TokioTasks).unwrap();
    let log = log_writer(&stores, 0).await;
    let found: Vec<String> = records(&log).await.into_values().collect();
    assert_eq!(found, ["a", "b"]);
    let all = directory_writer(&stores)
        .await
        .scan_all(Bytes::new())
        .await
        .unwrap();
    assert_eq!(all, [(PartitionId(3), bytes("key"), bytes("value"))]);
}

#[tokio::test]
async fn a_log_without_records_is_backed_up_although_its_files_are_removed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open_embedded(&folder.path().join("data"), &TokioTasks).unwrap();
    // The files go in a thread of their own: once in a few times before a backup could ask for them.
    for number in 0..20 {
        let into = folder.path().join(format!("backup-{number}"));
        back_up(&stores, &into).await;
        let to = folder.path().join(format!("restored-{number}"));
        restore(&into, &to).unwrap();
    }
    close(stores).await;
    let restored = open_embedded(&folder.path().join("restored-19"), &TokioTasks).unwrap();
    let writer = log_writer(&restored, 1).await;
    assert!(records(&writer).await.is_empty());
    drop(writer);
    close(restored).await;
}

#[tokio::test]
async fn a_restored_log_gives_no_position_that_the_original_gave_after_the_backup() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let backup = small_backup(folder.path()).await;
    let stores = open_embedded(&data, &TokioTasks).unwrap();
    let original = log_writer(&stores, 0).await;
    let mut given = BTreeSet::new();
    for _ in 0..10 {
        given.extend(original.submit(append(&["later"; 20])).await.unwrap());
    }
    let to = folder.path().join("restored");
    restore(&backup, &to).unwrap();
    for _ in 0..2 {
        let restored = open_embedded(&to, &TokioTasks).unwrap();
        let log = log_writer(&restored, 0).await;
        assert!(log.token() > original.token());
        let new = log.submit(append(&["new"; 300])).await.unwrap();
        assert!(new.iter().all(|pos| !given.contains(pos)));
        given.extend(new);
        drop(log);
        close(restored).await;
    }
    let restored = open_embedded(&to, &TokioTasks).unwrap();
    assert_eq!(records(&log_writer(&restored, 0).await).await.len(), 602);
}

#[tokio::test]
async fn a_folder_that_is_not_empty_is_neither_written_to_nor_changed() {
    let folder = tempfile::tempdir().unwrap();
    let backup = small_backup(folder.path()).await;
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("x"), "mine").unwrap();
    let before = files(&taken);
    let refused = restore(&backup, &taken).unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty { .. }));
    assert!(refused.to_string().contains("fix:"));
    let stores = open_embedded(&folder.path().join("data"), &TokioTasks).unwrap();
    let backups = stores.backups.clone().unwrap();
    let refused = backups.take(&taken, &[], &TokioTasks).await;
    assert!(matches!(refused, Err(BackupError::NotEmpty { .. })));
    assert_eq!(files(&taken), before);
}

#[tokio::test]
async fn a_changed_cut_or_missing_file_of_a_backup_is_named_and_nothing_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let backup = small_backup(folder.path()).await;
    let to = folder.path().join("restored");
    for (name, content) in files(&backup) {
        let path = backup.join(&name);
        let refuse = |what: &str| {
            let refused = restore(&backup, &to).unwrap_err();
            assert!(
                matches!(refused, BackupError::Damaged(_) | BackupError::NotABackup(_)),
                "{what} {}: {refused}",
                name.display()
            );
            assert!(refused.to_string().contains(name.to_str().unwrap()));
            assert!(!to.exists());
        };
        let step = (content.len() / 23).max(1);
        for at in (0..content.len()).step_by(step) {
            let mut changed = content.clone();
            changed[at] ^= 0x10;
            fs::write(&path, changed).unwrap();
            refuse("changed");
        }
        fs::write(&path, &content[..content.len() - 1]).unwrap();
        refuse("cut");
        fs::remove_file(&path).unwrap();
        refuse("missing");
        fs::write(&path, content).unwrap();
    }
    restore(&backup, &to).unwrap();
}

#[tokio::test]
async fn a_restoration_that_was_interrupted_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let backup = small_backup(folder.path()).await;
    let to = folder.path().join("restored");
    restore(&backup, &to).unwrap();
    // The format is written last.
    fs::remove_file(to.join("format")).unwrap();
    assert!(matches!(
        open_embedded(&to, &TokioTasks),
        Err(OpenError::Layout(_))
    ));
}

#[tokio::test]
async fn other_files_come_along_when_they_are_named_and_the_root_key_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let stores = open_embedded(&data, &TokioTasks).unwrap();
    fs::create_dir_all(data.join("tls/inner")).unwrap();
    fs::write(data.join("tls/ca.pem"), "certificate").unwrap();
    fs::write(data.join("tls/inner/x"), "deep").unwrap();
    fs::write(data.join("root.key"), "secret").unwrap();
    let backups = stores.backups.clone().unwrap();
    let backup = folder.path().join("backup");
    backups
        .take(&backup, &["tls", "absent"], &TokioTasks)
        .await
        .unwrap();
    let to = folder.path().join("restored");
    restore(&backup, &to).unwrap();
    let found = files(&to);
    assert_eq!(found[Path::new("tls/ca.pem")], b"certificate");
    assert_eq!(found[Path::new("tls/inner/x")], b"deep");
    assert!(!found.values().any(|content| content == b"secret"));
}

#[tokio::test]
async fn damage_in_the_log_is_told_and_the_rest_is_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let stores = open_embedded(&data, &TokioTasks).unwrap();
    let log = log_writer(&stores, 0).await;
    let damaged = log.submit(append(&["damaged body"])).await.unwrap();
    let sound = log.submit(append(&["sound"])).await.unwrap();
    drop(log);
    back_up(&stores, &folder.path().join("first")).await;
    close(stores).await;
    let name = "0000000000000001-0000000000000001.log";
    let path = data.join("log").join(name);
    let mut content = fs::read(&path).unwrap();
    // The text is in the frame's metadata, then in its bodies, then in the index.
    let found = (0..content.len()).filter(|at| content[*at..].starts_with(b"damaged body"));
    let at = found.take(2).last().unwrap();
    content[at] ^= 1;
    fs::write(&path, content).unwrap();
    let stores = open_embedded(&data, &TokioTasks).unwrap();
    let into = folder.path().join("second");
    let report = back_up(&stores, &into).await;
    assert_eq!(report.damaged.len(), 1);
    assert!(report.damaged[0].contains(name) && report.damaged[0].contains("offset"));
    let to = folder.path().join("restored");
    restore(&into, &to).unwrap();
    let restored = open_embedded(&to, &TokioTasks).unwrap();
    let log = log_writer(&restored, 0).await;
    assert!(matches!(log.bodies(damaged).await, Err(Error::Corrupt(_))));
    assert_eq!(log.bodies(sound).await.unwrap(), [Some(bytes("sound"))]);
}

#[tokio::test]
async fn stores_in_memory_have_no_backups() {
    assert!(open_memory().backups.is_none());
}

/// What a writer of one partition knows: records by number, and which of them are deleted.
#[derive(Clone, Default)]
struct Known {
    /// Numbers of records whose commit was acknowledged, by commit.
    appended: BTreeSet<u64>,
    deleted: BTreeSet<u64>,
    /// The deletion was begun, acknowledged or not.
    deleting: BTreeSet<u64>,
}

const PAIR: u64 = 3;

/// Appends records in commits of three and deletes older ones, until it is told to stop.
async fn keep_writing(writer: LogWriter, known: Arc<Mutex<Known>>, stop: Arc<AtomicBool>) {
    let mut positions: BTreeMap<u64, Pos> = BTreeMap::new();
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let numbers: Vec<u64> = (next..next + PAIR).collect();
        next += PAIR;
        let dying: Vec<u64> = positions
            .keys()
            .copied()
            .filter(|number| number % 5 != 0)
            .take(3)
            .collect();
        known.lock().unwrap().deleting.extend(&dying);
        let texts: Vec<String> = numbers.iter().map(|number| format!("{number:0>300}")).collect();
        let submission = Submission {
            deletes: dying
                .iter()
                .filter_map(|number| positions.remove(number))
                .collect(),
            ..append(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let at = writer.submit(submission).await.unwrap();
        positions.extend(numbers.iter().copied().zip(at));
        let mut known = known.lock().unwrap();
        known.appended.extend(numbers);
        known.deleted.extend(dying);
    }
}

/// Counts up in two records of one commit, until it is told to stop.
async fn keep_changing(directory: DirectoryWriter, acknowledged: Arc<Mutex<u64>>, stop: Arc<AtomicBool>) {
    let mut n = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        let value = Bytes::from(n.to_string());
        let changes = ["first", "second"].map(|key| Change::Put(bytes(key), value.clone()));
        directory
            .commit(PartitionId(1), vec![], changes.to_vec())
            .await
            .unwrap();
        *acknowledged.lock().unwrap() = n;
    }
}

async fn check_restored(to: &Path, before: &[Known], after: &[Known], counted: u64) {
    let stores = open_embedded(to, &TokioTasks).unwrap();
    for (partition, (before, after)) in (0..).zip(before.iter().zip(after)) {
        let found: BTreeSet<u64> = records(&log_writer(&stores, partition).await)
            .await
            .into_values()
            .map(|text| text.parse().unwrap())
            .collect();
        for number in &before.appended {
            assert!(
                found.contains(number) || after.deleting.contains(number),
                "{number} is lost"
            );
        }
        assert!(
            found.is_disjoint(&before.deleted),
            "what was deleted before has returned"
        );
        for number in &found {
            let whole = number / PAIR * PAIR..(number / PAIR + 1) * PAIR;
            for other in whole {
                assert!(
                    found.contains(&other) || after.deleting.contains(&other),
                    "half a commit"
                );
            }
        }
    }
    let directory = directory_writer(&stores).await;
    let all = directory.scan_all(Bytes::new()).await.unwrap();
    let values: Vec<u64> = all
        .iter()
        .map(|(_, _, value)| std::str::from_utf8(value).unwrap().parse().unwrap())
        .collect();
    assert!(
        values.len() == 2 && values[0] == values[1] && values[0] >= counted,
        "{values:?} after {counted}"
    );
    drop(directory);
    close(stores).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_all_that_was_acknowledged_before_it_and_no_half_commit() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open_embedded(&folder.path().join("data"), &TokioTasks).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let all: Vec<Arc<Mutex<Known>>> = (0..3).map(|_| Arc::default()).collect();
    let counted = Arc::new(Mutex::new(0));
    let mut writers = tokio::task::JoinSet::new();
    assert!(all.len() < PARTITIONS as usize);
    for (partition, known) in (0..).zip(&all) {
        let writer = log_writer(&stores, partition).await;
        writers.spawn(keep_writing(writer, Arc::clone(known), Arc::clone(&stop)));
    }
    let directory = directory_writer(&stores).await;
    writers.spawn(keep_changing(directory, Arc::clone(&counted), Arc::clone(&stop)));
    let copies = || -> Vec<Known> { all.iter().map(|known| known.lock().unwrap().clone()).collect() };
    while *counted.lock().unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let mut taken = Vec::new();
    for number in 0..6 {
        let (before, counted) = (copies(), *counted.lock().unwrap());
        let into = folder.path().join(format!("backup-{number}"));
        let report = back_up(&stores, &into).await;
        assert_eq!(report.damaged, Vec::<String>::new());
        taken.push((into, before, copies(), counted));
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    for (number, (into, before, after, counted)) in taken.into_iter().enumerate() {
        let to = folder.path().join(format!("restored-{number}"));
        restore(&into, &to).unwrap();
        check_restored(&to, &before, &after, counted).await;
    }
    close(stores).await;
}
