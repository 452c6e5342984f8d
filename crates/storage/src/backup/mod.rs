//! Backups of stores that are in use, and what becomes of them.
//!
//! **What a backup holds.** Every commit, of any partition of either store, that was acknowledged before
//! [`Backups::take`] was called; each commit whole or not at all. The log is one point in time over all its
//! partitions, so what one commit moved from one queue to another after that point is in its old place. Commits
//! acknowledged while the backup is taken may be in it: in the log those of its first moments, in the directory
//! those until it is copied.
//!
//! **The order.** The log first, the directory after it, so the directory is never older than the log: every
//! message finds its queue and its key, unless these were deleted in between. At worst a message reappears that was
//! deleted while the backup was taken. The other order would restore messages of queues that do not exist, whose
//! numbers the next queues would get.
//!
//! **What a restored folder is.** An earlier state of the same installation, so what was given out after the backup
//! must not fit what comes after the restoration. Therefore the partitions of a restored log go on far behind the
//! positions they had (`RESTORED_POSITIONS_SKIPPED`): a receipt handle or a sequence number of the lost time names no
//! new message, and a queue that the directory knows as purged up to a position loses none.
//!
//! **What it costs the writers.** The log seals its file and starts the next, which takes as long as one commit; the
//! directory is read in a snapshot of its own. Files are copied, not linked: a link would share the damage.
//!
//! **What is not in it.** The root key. Without it a backup is worthless to a thief, and to the operator: keep it
//! apart. Neither are other files of the data folder, except those that the caller names.
//!
//! A backup is a folder like a data folder, and a manifest, written last, with the length and CRC-32C of each file.
//! They find accidents; they are no protection against somebody who can write to the backup.

mod copy;
mod error;
mod manifest;

pub use error::BackupError;

use crate::contract::Error;
use crate::directory::sqlite::{SqliteDirectory, back_up};
use crate::log::segment::SegmentLog;
use crate::log::segment::files::write_files;
use crate::log::segment::snapshot::{SealedFile, begin_restored};
use crate::stores::{DIRECTORY_FILE, FORMAT_FILE, LOG_FOLDER, format};
use bulla_runtime::Tasks;
use copy::{Target, copy_file, copy_plain, empty_folder};
use manifest::{MANIFEST_FILE, Manifest};
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// What a backup or a restoration did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BackupReport {
    /// Files of the backup, without its manifest.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Damage met in the log, with file and offset. The files were copied as they are: records that are not
    /// damaged can be read from the backup, the others are reported when they are read.
    pub damaged: Vec<String>,
}

/// Takes backups of open stores. It is a handle like any other on them: the folder stays locked while it lives.
#[derive(Clone)]
pub struct Backups {
    folder: PathBuf,
    directory: SqliteDirectory,
    log: SegmentLog,
}

impl Backups {
    pub(crate) fn new(folder: &Path, directory: SqliteDirectory, log: SegmentLog) -> Self {
        Self {
            folder: folder.to_owned(),
            directory,
            log,
        }
    }

    /// Backs up to a folder that is empty or does not exist. `also` names further files or folders of the data
    /// folder, relative to it; what does not exist is left out. Dropping the future does not stop the backup.
    ///
    /// # Errors
    /// [`BackupError`], worded for the operator. The folder then has no manifest and cannot be restored from.
    pub async fn take(
        &self,
        into: &Path,
        also: &[&str],
        tasks: &dyn Tasks,
    ) -> Result<BackupReport, BackupError> {
        empty_folder(into)?;
        let sealed = self.log.snapshot().await.map_err(BackupError::Store)?;
        let work = Work {
            backups: self.clone(),
            sealed,
            also: also.iter().map(|name| (*name).to_owned()).collect(),
            target: Target::new(into),
        };
        let (reply, answer) = oneshot::channel();
        let run = move || {
            // Whoever is not waiting any more does not want to know.
            drop(reply.send(work.run()));
        };
        tasks
            .spawn_thread("bulla-backup", Box::new(run))
            .map_err(BackupError::io("cannot start a thread"))?;
        answer.await.map_err(|_| BackupError::Store(Error::Unknown))?
    }
}

/// A backup being taken.
struct Work {
    /// Keeps the folder locked, and the directory's thread alive.
    backups: Backups,
    sealed: Vec<SealedFile>,
    also: Vec<String>,
    target: Target,
}

impl Work {
    fn run(mut self) -> Result<BackupReport, BackupError> {
        let mut damaged = Vec::new();
        self.target.make_folder(LOG_FOLDER)?;
        for file in &self.sealed {
            if let Err(Error::Corrupt(why)) = file.verify() {
                tracing::error!(why, "the log is damaged; the backup has a copy of the damage");
                damaged.push(why);
            }
            let mut out = self.target.create(&format!("{LOG_FOLDER}/{}", file.name()))?;
            let doing = || format!("cannot copy `{}`", file.path());
            file.read(|bytes| out.write(bytes))
                .map_err(BackupError::io(doing()))?;
            self.target.finish(out)?;
        }
        let names: Vec<String> = self.sealed.iter().map(|file| file.name().to_owned()).collect();
        let log = self.target.path(LOG_FOLDER);
        write_files(&log, &names).map_err(BackupError::io(format!("cannot write to `{}`", log.display())))?;
        self.target
            .add(&format!("{LOG_FOLDER}/{}", crate::log::segment::files::FILES))?;
        let directory = self.target.path(DIRECTORY_FILE);
        back_up(self.backups.directory.path(), &directory).map_err(BackupError::Open)?;
        self.target.add(DIRECTORY_FILE)?;
        for name in &self.also {
            copy_plain(&self.backups.folder, name, &mut self.target)?;
        }
        let mut out = self.target.create(FORMAT_FILE)?;
        let doing = format!("cannot write `{}`", self.target.path(FORMAT_FILE).display());
        out.write(format().as_bytes()).map_err(BackupError::io(doing))?;
        self.target.finish(out)?;
        let Target { folder, manifest } = self.target;
        manifest.write(&folder)?;
        Ok(manifest.report(damaged))
    }
}

/// Compares every file of a backup with the manifest, and changes nothing.
///
/// # Errors
/// [`BackupError::NotABackup`], [`BackupError::Damaged`].
pub fn verify_backup(from: &Path) -> Result<BackupReport, BackupError> {
    let manifest = Manifest::read(from)?;
    for listed in manifest.files() {
        copy::check(from, listed)?;
    }
    Ok(manifest.report(Vec::new()))
}

/// Makes a data folder from a backup. `to` is empty or does not exist. The backup is verified wholly before anything
/// is written, and once more while it is copied.
///
/// # Errors
/// [`BackupError`], worded for the operator. What was written then does not open as a data folder.
pub fn restore(from: &Path, to: &Path) -> Result<BackupReport, BackupError> {
    let report = verify_backup(from)?;
    let manifest = Manifest::read(from)?;
    empty_folder(to)?;
    let mut target = Target::new(to);
    // The format goes last: without it the folder does not open.
    let (last, files): (Vec<_>, Vec<_>) = manifest.files().partition(|file| file.name == FORMAT_FILE);
    for listed in files {
        copy_file(from, listed, &mut target)?;
    }
    let log = target.path(LOG_FOLDER);
    begin_restored(&log).map_err(BackupError::io(format!(
        "cannot begin the log in `{}`",
        log.display()
    )))?;
    target.sync()?;
    for listed in last {
        copy_file(from, listed, &mut target)?;
    }
    target.sync()?;
    Ok(report)
}

/// Whether a folder is a finished backup: it has a manifest, sound or not.
#[must_use]
pub fn is_backup(folder: &Path) -> bool {
    folder.join(MANIFEST_FILE).is_file()
}
