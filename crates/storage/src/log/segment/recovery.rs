//! Opening a log that was closed, killed, or cut off from power.
//!
//! Sealed files are known by the index at their end. The newest file is read by the headers and metadata of
//! its frames; bodies are read only of those frames that no later frame confirms to have been durable. What is
//! damaged there is a torn write: it is cut off and said so. Any other damage stops the opening.
//!
//! What stays of the unconfirmed frames is written once more and synced: it may have come from a page cache
//! whose sync had failed.

use super::catalog::{Catalog, Part};
use super::disk::{Disk, DiskFile, read_exact};
use super::file::{
    Active, Sealed, SealedBytes, TEMPORARY, other_version, parse_segment_name, read_catalog, segment_name,
    start_segment,
};
use super::files::{FILES, FileList, Ranges, is_covered};
use super::format::{Start, VERSION};
use super::index::{FileRef, Index};
use super::scan::{ScannedFile, scan_file};
use super::shared::{FIRST_FILE_BYTES, Prepared};
use crate::open_error::OpenError;
use std::io;
use std::sync::Arc;

/// What recovery hands to the threads.
pub(super) struct Recovered {
    pub(super) index: Index,
    pub(super) active: Active,
}

/// A file of the log, by its name.
#[derive(Clone)]
struct Named {
    first: u64,
    last: u64,
    name: String,
}

/// Reads the folder.
pub(super) fn recover(disk: &dyn Disk, partitions: u32, segment_bytes: u64) -> Result<Recovered, OpenError> {
    let (files, covered) = list(disk)?;
    check_version(disk, &files)?;
    let listed = check_listed(disk, &files)?;
    let mut index = Index::new(partitions);
    let mut active = None;
    let mut last_sealed = None;
    let newest = files.len().saturating_sub(1);
    for (at, named) in files.iter().enumerate() {
        let path = disk.path(&named.name);
        let file = disk
            .open(&named.name)
            .map_err(OpenError::io(format!("cannot open `{path}`")))?;
        let sealed = read_catalog(&file, named.last, at == newest)
            .map_err(OpenError::io(format!("cannot read `{path}`")))?;
        match sealed {
            Sealed::Catalog(catalog, bytes) => {
                load_sealed(&mut index, named, &path, Arc::clone(&file), *catalog, bytes.size)?;
                last_sealed = Some((file, bytes, path));
            }
            Sealed::No(why) if at < newest => return Err(corrupt(&path, &why)),
            Sealed::No(_) => {
                let listed = listed.contains(&(named.first, named.last));
                active = load_newest(disk, &mut index, named, &path, &file, listed, segment_bytes)?;
            }
        }
    }
    for name in covered {
        remove(disk, &name)?;
    }
    disk.sync_folder()
        .map_err(OpenError::io("cannot sync the log's folder"))?;
    let active = if let Some(active) = active {
        if active.end < active.room && active.at.file.reserve(active.room).is_err() {
            tracing::warn!(file = %disk.path(&active.at.name), "no room to reserve for the log");
        }
        active
    } else {
        if let Some((file, bytes, path)) = last_sealed {
            repair_sealed(&file, bytes, &path)?;
        }
        begin(disk, &mut index, segment_bytes)?
    };
    Ok(Recovered { index, active })
}

/// Refuses files that another release wrote, before anything is made of what they lack or hold.
fn check_version(disk: &dyn Disk, files: &[Named]) -> Result<(), OpenError> {
    for named in files.first().into_iter().chain(files.last()) {
        let path = disk.path(&named.name);
        let version = disk.open(&named.name).and_then(|file| other_version(&file));
        if let Some(version) = version.map_err(OpenError::io(format!("cannot read `{path}`")))? {
            return Err(OpenError::Layout(format!(
                "`{path}` has version {version} of the log's layout, this release reads version {VERSION}"
            )));
        }
    }
    Ok(())
}

fn corrupt(path: &str, why: &str) -> OpenError {
    OpenError::Corrupt(format!("`{path}`: {why}"))
}

fn remove(disk: &dyn Disk, name: &str) -> Result<(), OpenError> {
    disk.remove(name)
        .map_err(OpenError::io(format!("cannot remove `{}`", disk.path(name))))
}

/// The files that count, oldest first, and those that a rewritten file stands for. Removes temporary ones.
fn list(disk: &dyn Disk) -> Result<(Vec<Named>, Vec<String>), OpenError> {
    let mut named = Vec::new();
    for name in disk
        .list()
        .map_err(OpenError::io("cannot list the log's folder"))?
    {
        if name.ends_with(TEMPORARY) {
            remove(disk, &name)?;
        } else if name == FILES {
            // Read apart.
        } else if let Some((first, last)) = parse_segment_name(&name) {
            named.push(Named { first, last, name });
        } else {
            tracing::warn!(file = %disk.path(&name), "a file that is not the log's lies in its folder");
        }
    }
    named.sort_by_key(|named| (named.first, std::cmp::Reverse(named.last)));
    let mut files: Vec<Named> = Vec::new();
    let mut covered = Vec::new();
    for named in named {
        match files.last() {
            Some(wide) if named.last <= wide.last => covered.push(named.name),
            Some(wide) if named.first <= wide.last => {
                let why = format!("covers segments that `{}` covers too", wide.name);
                return Err(corrupt(&disk.path(&named.name), &why));
            }
            Some(_) | None => files.push(named),
        }
    }
    Ok((files, covered))
}

/// Compares the files with the list of those that must be there, and makes the list of a new log.
fn check_listed(disk: &dyn Disk, files: &[Named]) -> Result<Ranges, OpenError> {
    let path = disk.path(FILES);
    let present: Vec<(u64, u64)> = files.iter().map(|named| (named.first, named.last)).collect();
    let list = match FileList::open(disk) {
        Ok(Some(list)) => list,
        Ok(None) => return Err(corrupt(&path, "neither copy of the list of log files is sound")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(named) = files.first() {
                let why = format!("missing, although there are log files such as `{}`", named.name);
                return Err(corrupt(&path, &why));
            }
            FileList::create(disk, Ranges::new()).map_err(OpenError::io(format!("cannot write `{path}`")))?
        }
        Err(error) => return Err(OpenError::io(format!("cannot read `{path}`"))(error)),
    };
    for (first, last) in &list.ranges {
        if !is_covered(&present, (*first, *last)) {
            let missing = disk.path(&segment_name(*first, *last));
            return Err(corrupt(
                &missing,
                "the file is missing; it was neither dropped nor rewritten",
            ));
        }
    }
    Ok(list.ranges)
}

fn load_sealed(
    index: &mut Index,
    named: &Named,
    path: &str,
    file: Arc<dyn DiskFile>,
    catalog: Catalog,
    bytes: u64,
) -> Result<(), OpenError> {
    index.push_segment(
        named.first,
        named.last,
        FileRef {
            name: named.name.as_str().into(),
            file,
        },
    );
    let Catalog { states, parts } = catalog;
    // Records first: what a tombstone names is older than it, and may be in the same file.
    let mut rest = Vec::with_capacity(parts.len());
    for Part {
        partition,
        run,
        deletes,
        notes,
    } in parts
    {
        index
            .append_run(partition, run)
            .map_err(|why| corrupt(path, why))?;
        rest.push((partition, deletes, notes));
    }
    let mut delete_weight = 0_u64;
    for (partition, deletes, notes) in rest {
        delete_weight = delete_weight.saturating_add(deletes.bytes() as u64);
        for (first, last) in deletes.ranges() {
            index.delete(partition, first, last);
        }
        for (pos, note) in notes {
            index.note(partition, pos, note);
        }
    }
    index.weigh_deletes(delete_weight);
    index.seal_newest(bytes, Vec::new());
    if index.restore(&states) {
        Ok(())
    } else {
        Err(layout(path))
    }
}

fn layout(path: &str) -> OpenError {
    OpenError::Layout(format!("`{path}` has another number of partitions"))
}

/// Loads a file that was being written. `None` when not even its start is there: it was never in use.
fn load_newest(
    disk: &dyn Disk,
    index: &mut Index,
    named: &Named,
    path: &str,
    file: &Arc<dyn DiskFile>,
    listed: bool,
    segment_bytes: u64,
) -> Result<Option<Active>, OpenError> {
    let scanned = scan_file(&**file, named.last).map_err(OpenError::io(format!("cannot read `{path}`")))?;
    if let Some(offset) = scanned.corrupt {
        return Err(corrupt(
            path,
            &format!("a damaged frame at offset {offset}, and sound ones after it"),
        ));
    }
    let Some(start) = &scanned.start else {
        if listed {
            return Err(corrupt(path, "a damaged frame at offset 0"));
        }
        tracing::warn!(file = path, "a log file that was never in use is removed");
        remove(disk, &named.name)?;
        return Ok(None);
    };
    check_start(start, named, path)?;
    let at = FileRef {
        name: named.name.as_str().into(),
        file: Arc::clone(file),
    };
    index.push_segment(named.first, named.last, at.clone());
    if !index.restore(&start.states) {
        return Err(layout(path));
    }
    let begin = scanned.begin;
    let end = scanned.end;
    let room = file
        .size()
        .map_err(OpenError::io(format!("cannot read `{path}`")))?;
    repair(file, &scanned, path)?;
    for (effects, meta) in scanned.frames {
        index.apply(effects, &meta).map_err(|why| corrupt(path, why))?;
    }
    Ok(Some(Active {
        at,
        number: named.last,
        begin,
        end,
        synced: end,
        room: room.max(FIRST_FILE_BYTES).min(segment_bytes),
    }))
}

fn check_start(start: &Start, named: &Named, path: &str) -> Result<(), OpenError> {
    if (start.first, start.last) == (named.first, named.last) {
        return Ok(());
    }
    Err(corrupt(
        path,
        &format!("the file says it is `{}`", segment_name(start.first, start.last)),
    ))
}

/// Cuts off what is torn and makes what stays durable.
fn repair(file: &Arc<dyn DiskFile>, scanned: &ScannedFile, path: &str) -> Result<(), OpenError> {
    let io = || OpenError::io(format!("cannot repair `{path}`"));
    if let Some(torn) = &scanned.torn {
        tracing::warn!(
            file = path,
            offset = scanned.end,
            why = %torn,
            "the end of the log is torn, as after a crash; cut off, nothing acknowledged was in it"
        );
        file.set_size(scanned.end).map_err(io())?;
    }
    write_again(file, scanned.confirmed, scanned.end).map_err(io())?;
    file.sync_all().map_err(io())
}

/// Makes a seal durable that may be known only from a page cache. The files before the newest were durable
/// before the newest came to be.
fn repair_sealed(file: &Arc<dyn DiskFile>, bytes: SealedBytes, path: &str) -> Result<(), OpenError> {
    let SealedBytes { size, synced_to } = bytes;
    // Setting the size it has changes nothing, so it is changed on the way.
    let longer = size.saturating_add(1);
    let again = || {
        write_again(file, synced_to, size)?;
        file.set_size(longer)?;
        file.set_size(size)?;
        file.sync_all()
    };
    again().map_err(OpenError::io(format!("cannot repair `{path}`")))
}

fn write_again(file: &Arc<dyn DiskFile>, from: u64, to: u64) -> io::Result<()> {
    let length = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
    match read_exact(&**file, from, length)? {
        Some(bytes) if length > 0 => file.write_all_at(&bytes, from),
        Some(_) | None => Ok(()),
    }
}

/// The first file of an empty log, or the next after a sealed one.
fn begin(disk: &dyn Disk, index: &mut Index, segment_bytes: u64) -> Result<Active, OpenError> {
    let number = index.newest().map_or(1, |newest| newest.last.saturating_add(1));
    let name = format!("first{TEMPORARY}");
    let io = || OpenError::io("cannot begin a log file");
    let bytes = segment_bytes.min(FIRST_FILE_BYTES);
    let file = disk.create(&name, bytes).map_err(io())?;
    let active = start_segment(disk, Prepared { name, file, bytes }, number, &index.states()).map_err(io())?;
    index.push_segment(number, number, active.at.clone());
    Ok(active)
}
