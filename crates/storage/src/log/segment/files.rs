//! The list of the log's files: what tells a file that was dropped from one that somebody else removed.
//!
//! ```text
//! two slots of the same length, each: magic u32 · version u32 · number u64 · files u32
//!   · of each file: first segment u64, last segment u64 · crc of all this u32
//! ```
//!
//! The sound slot with the higher number counts, the other one is written next: a torn write leaves what was there.
//! The slots lie in place and have room, because files must be dropped also when the disk is full.
//!
//! What must stay true: a file is on the list only while it is durable under its name, or under the name of a wider
//! file. So a new file is listed some time after it came to be, and a file is off the list before it is removed. Only
//! the collector writes the list; what is too new to be on it is not missed.

use super::disk::{Disk, DiskFile, RealDisk, is_full, read_exact};
use super::file::{TEMPORARY, parse_segment_name};
use super::format::Input;
use super::log_file::Segment;
use super::shared::Shared;
use crate::contract::Error;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The name of the list.
pub(crate) const FILES: &str = "files";

const MAGIC: u32 = 0x6C46_7542;
const VERSION: u32 = 1;
const SLOT_BYTES_MIN: u64 = 16 << 10;
const SLOT_BYTES_MAX: u64 = 64 << 20;
const HEAD_BYTES: usize = 20;
const CRC_BYTES: usize = 4;
const FILE_BYTES: usize = 16;

/// Which segments each file covers.
pub(super) type Ranges = BTreeSet<(u64, u64)>;

/// The list, open for writing.
pub(super) struct FileList {
    file: Arc<dyn DiskFile>,
    slot_bytes: u64,
    number: u64,
    pub(super) ranges: Ranges,
}

impl FileList {
    /// Opens the list; `None` when neither slot is sound.
    pub(super) fn open(disk: &dyn Disk) -> io::Result<Option<Self>> {
        let file = disk.open(FILES)?;
        let slot_bytes = file.size()? / 2;
        if slot_bytes > SLOT_BYTES_MAX {
            return Ok(None);
        }
        let mut best: Option<(u64, Ranges)> = None;
        for slot in 0..2_u64 {
            let length = usize::try_from(slot_bytes).map_err(io::Error::other)?;
            let Some(bytes) = read_exact(&*file, slot.saturating_mul(slot_bytes), length)? else {
                continue;
            };
            let found = decode(&bytes).filter(|(number, _)| number % 2 == slot);
            if let Some((number, ranges)) = found
                && best.as_ref().is_none_or(|(highest, _)| number > *highest)
            {
                best = Some((number, ranges));
            }
        }
        Ok(best.map(|(number, ranges)| Self {
            file,
            slot_bytes,
            number,
            ranges,
        }))
    }

    /// Makes a list, in the place of the one that is there, durably.
    pub(super) fn create(disk: &dyn Disk, ranges: Ranges) -> io::Result<Self> {
        let name = format!("{FILES}{TEMPORARY}");
        let bytes = encode(2, &ranges);
        let slot_bytes = SLOT_BYTES_MIN.max((bytes.len() as u64).saturating_mul(2));
        let made = disk.create(&name, slot_bytes.saturating_mul(2));
        let made = match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                disk.remove(&name)?;
                disk.create(&name, slot_bytes.saturating_mul(2))
            }
            made => made,
        };
        let file = made.inspect_err(|_| drop(disk.remove(&name)))?;
        file.write_all_at(&bytes, 0)?;
        file.sync_all().map_err(io::Error::other)?;
        disk.rename(&name, FILES)?;
        disk.sync_folder().map_err(io::Error::other)?;
        Ok(Self {
            file,
            slot_bytes,
            number: 2,
            ranges,
        })
    }

    /// Makes these files the list, durably.
    pub(super) fn write(&mut self, disk: &dyn Disk, ranges: Ranges) -> io::Result<()> {
        if ranges == self.ranges {
            return Ok(());
        }
        let number = self.number.saturating_add(1);
        let bytes = encode(number, &ranges);
        if bytes.len() as u64 > self.slot_bytes {
            *self = Self::create(disk, ranges)?;
            return Ok(());
        }
        self.file
            .write_all_at(&bytes, (number % 2).saturating_mul(self.slot_bytes))?;
        // Whatever it says, a full disk too: a sync that failed is not tried again.
        self.file.sync_data().map_err(io::Error::other)?;
        self.number = number;
        self.ranges = ranges;
        Ok(())
    }
}

/// The list as the collector keeps it.
#[derive(Default)]
pub(super) struct Listing {
    /// Opened when it is needed first.
    list: Option<FileList>,
}

impl Listing {
    /// Lists the files of the index, changed so, durably. Answers whether it is so now; `false` when there was no
    /// room for it, which is well as long as nothing is removed.
    pub(super) fn update(
        &mut self,
        shared: &Shared,
        change: impl FnOnce(&mut Ranges),
    ) -> Result<bool, Error> {
        let segments = |segment: &Segment| (segment.first, segment.last);
        let mut ranges: Ranges = shared.index()?.segments.values().map(segments).collect();
        change(&mut ranges);
        match self.write(&*shared.disk, ranges) {
            Ok(()) => Ok(true),
            Err(error) if is_full(&error) => {
                tracing::warn!(%error, "no room for a longer list of log files");
                Ok(false)
            }
            Err(error) => {
                tracing::error!(%error, file = %shared.disk.path(FILES), "cannot write the list of log files");
                Err(Error::Unknown)
            }
        }
    }

    fn write(&mut self, disk: &dyn Disk, ranges: Ranges) -> io::Result<()> {
        let list = match self.list.take() {
            Some(list) => list,
            None => FileList::open(disk)?.ok_or(io::ErrorKind::InvalidData)?,
        };
        self.list.insert(list).write(disk, ranges)
    }
}

/// Whether one of the files that are there covers the segments of a file that was listed.
pub(super) fn is_covered(present: &[(u64, u64)], (first, last): (u64, u64)) -> bool {
    present.iter().any(|(from, to)| *from <= first && last <= *to)
}

/// Writes the list of a folder that is being made from copies.
///
/// # Errors
/// What the operating system says, and `InvalidInput` for a name that is not a log file's.
pub(crate) fn write_files(folder: &Path, names: &[String]) -> io::Result<()> {
    let disk = RealDisk::new(folder)?;
    let ranges: Option<Ranges> = names.iter().map(|name| parse_segment_name(name)).collect();
    let ranges = ranges.ok_or(io::ErrorKind::InvalidInput)?;
    FileList::create(&disk, ranges).map(drop)
}

fn encode(number: u64, ranges: &Ranges) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + CRC_BYTES + ranges.len().saturating_mul(FILE_BYTES));
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&super::format::length(ranges.len()).to_le_bytes());
    for (first, last) in ranges {
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&last.to_le_bytes());
    }
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// The number and the files of the slot that `bytes` begin with.
fn decode(bytes: &[u8]) -> Option<(u64, Ranges)> {
    let mut input = Input(bytes);
    if (input.u32()?, input.u32()?) != (MAGIC, VERSION) {
        return None;
    }
    let number = input.u64()?;
    let count = input.count(FILE_BYTES)?;
    let ranges = (0..count)
        .map(|_| Some((input.u64()?, input.u64()?)))
        .collect::<Option<Ranges>>()?;
    let summed = bytes.get(..bytes.len().checked_sub(input.0.len())?)?;
    (input.u32()? == crc32c::crc32c(summed) && ranges.len() == count).then_some((number, ranges))
}
