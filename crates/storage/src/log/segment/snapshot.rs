//! A point in time of a running log, as files that do not change any more.
//!
//! The committer seals the file it writes to and goes on in a new one; every file before is whole and only ever
//! removed or replaced, never written to. Who holds the files open reads them to the end all the same, so a copy
//! takes as long as it takes and holds up nobody.

use super::disk::{Disk, DiskFile, RealDisk, read_full};
use super::file::{Sealed, parse_segment_name, read_catalog, segment_name, start_segment};
use super::format::State;
use super::scan::first_damage;
use super::shared::Prepared;
use crate::contract::{Error, Pos, Token};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Positions that a restored partition leaves out. The log that was backed up may have used those after its last
/// one since; a receipt, a sequence number or a mark "purged up to here" from then must not fit another record.
pub const RESTORED_POSITIONS_SKIPPED: u64 = 1 << 40;
/// As [`RESTORED_POSITIONS_SKIPPED`], for tokens.
const RESTORED_TOKENS_SKIPPED: u64 = 1 << 32;

/// Bytes read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// A sealed file, held open.
pub struct SealedFile {
    pub(super) name: Arc<str>,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) bytes: u64,
    pub(super) path: String,
}

impl SealedFile {
    /// Its name in the log's folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its path, for messages.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads it from begin to end.
    ///
    /// # Errors
    /// What the operating system or `each` says, and `UnexpectedEof` when the file is shorter than it was sealed.
    pub fn read(&self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut at = 0_u64;
        while at < self.bytes {
            let filled = read_full(&*self.file, at, &mut buffer)?;
            let left = usize::try_from(self.bytes - at).unwrap_or(usize::MAX);
            let chunk = buffer.get(..filled.min(left)).unwrap_or_default();
            if chunk.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            each(chunk)?;
            at = at.saturating_add(chunk.len() as u64);
        }
        Ok(())
    }

    /// Reads every frame and every body and compares them with their checksums.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with file and offset; also for a file that cannot be read.
    pub fn verify(&self) -> Result<(), Error> {
        let path = &self.path;
        let damaged = |why: String| Error::Corrupt(format!("`{path}`: {why}"));
        let (_, last) = parse_segment_name(&self.name).ok_or_else(|| damaged("not a log file".to_owned()))?;
        let unreadable = |error: io::Error| damaged(format!("cannot be read: {error}"));
        if let Some((offset, why)) = first_damage(&*self.file, last).map_err(unreadable)? {
            return Err(damaged(format!("{why} at offset {offset}")));
        }
        match read_catalog(&self.file, last, true).map_err(unreadable)? {
            Sealed::Catalog(..) => Ok(()),
            Sealed::No(why) => Err(damaged(why)),
        }
    }
}

/// Makes files of a backup, copied into a folder, a log that can be opened: its next file begins after the
/// positions that the original may have used since.
///
/// # Errors
/// What the operating system says, and `InvalidData` when the newest file is not a sealed log file.
pub fn begin_restored(folder: &Path) -> io::Result<()> {
    let disk = RealDisk::new(folder)?;
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let names = disk.list()?;
    let newest = names
        .iter()
        .filter_map(|name| parse_segment_name(name))
        .max_by_key(|(_, last)| *last);
    let Some((first, last)) = newest else {
        return Err(invalid("the backup has no log files".to_owned()));
    };
    let name = segment_name(first, last);
    let catalog = match read_catalog(&disk.open(&name)?, last, true)? {
        Sealed::Catalog(catalog, _) => catalog,
        Sealed::No(why) => return Err(invalid(format!("`{}`: {why}", disk.path(&name)))),
    };
    let states: Vec<State> = catalog
        .states
        .into_iter()
        .map(|state| State {
            token: Token(state.token.0.saturating_add(RESTORED_TOKENS_SKIPPED)),
            last_pos: Pos(state.last_pos.0.saturating_add(RESTORED_POSITIONS_SKIPPED)),
            ..state
        })
        .collect();
    let name = "restored.tmp".to_owned();
    let file = disk.create(&name, 0)?;
    start_segment(
        &disk,
        Prepared { name, file, bytes: 0 },
        last.saturating_add(1),
        &states,
    )?;
    Ok(())
}
