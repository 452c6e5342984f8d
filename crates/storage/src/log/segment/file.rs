//! Files of the log: their names, how one begins, and how the index of a sealed one is read.

use super::catalog::Catalog;
use super::disk::{Disk, DiskFile, read_exact};
use super::format::{
    HEADER_BYTES, Header, Kind, Start, State, TRAILER_BYTES, plain_frame, trailer_frame_bytes,
};
use super::index::FileRef;
use super::shared::Prepared;
use std::io;
use std::sync::Arc;

/// The end of the name of files that are not part of the log yet.
pub(super) const TEMPORARY: &str = ".tmp";

/// The name of the file that covers these segments.
pub(super) fn segment_name(first: u64, last: u64) -> String {
    format!("{first:016x}-{last:016x}.log")
}

/// Which segments a file covers, by its name.
pub(super) fn parse_segment_name(name: &str) -> Option<(u64, u64)> {
    let (first, last) = name.strip_suffix(".log")?.split_once('-')?;
    let (first, last) = (
        u64::from_str_radix(first, 16).ok()?,
        u64::from_str_radix(last, 16).ok()?,
    );
    (first <= last && segment_name(first, last) == name).then_some((first, last))
}

/// The file that is written to.
#[derive(Clone)]
pub(super) struct Active {
    pub(super) at: FileRef,
    pub(super) number: u64,
    /// Where its start frame ends.
    pub(super) begin: u64,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// How far the file is durable.
    pub(super) synced: u64,
}

impl Active {
    pub(super) fn has_frames(&self) -> bool {
        self.end > self.begin
    }
}

/// Makes a prepared file the active one, durably.
pub(super) fn start_segment(
    disk: &dyn Disk,
    prepared: Prepared,
    number: u64,
    states: &[State],
) -> io::Result<Active> {
    let start = Start {
        first: number,
        last: number,
        states: states.to_vec(),
    };
    let frame = plain_frame(Kind::Start, number, 0, 0, &start.encode()).map_err(io::Error::other)?;
    prepared.file.write_all_at(&frame, 0)?;
    prepared.file.sync_all()?;
    let name = segment_name(number, number);
    disk.rename(&prepared.name, &name)?;
    disk.sync_folder()?;
    let begin = frame.len() as u64;
    let at = FileRef {
        name: name.into(),
        file: prepared.file,
    };
    Ok(Active {
        at,
        number,
        begin,
        end: begin,
        synced: begin,
    })
}

/// What was found where the index of a sealed file should be.
pub(super) enum Sealed {
    Catalog(Box<Catalog>, SealedBytes),
    /// Not a sealed file, or a damaged one: why.
    No(String),
}

/// How long a sealed file is, and how far it was durable when it was sealed.
#[derive(Clone, Copy)]
pub(super) struct SealedBytes {
    pub(super) size: u64,
    pub(super) synced_to: u64,
}

/// Reads the index at the end of a sealed file.
pub(super) fn read_catalog(file: &Arc<dyn DiskFile>, last: u64) -> io::Result<Sealed> {
    let size = file.size()?;
    let no = |why: &str, offset: u64| Ok(Sealed::No(format!("{why} at offset {offset}")));
    let Some(trailer_at) = size.checked_sub(TRAILER_BYTES as u64) else {
        return no("no trailer", size);
    };
    let Some(trailer) = read_exact(&**file, trailer_at, TRAILER_BYTES)? else {
        return no("no trailer", size);
    };
    let Some(bytes) = trailer_frame_bytes(&trailer) else {
        return no("no trailer of an index", trailer_at);
    };
    let Some(offset) = size.checked_sub(bytes) else {
        return no("no trailer of an index", trailer_at);
    };
    let Some(frame) = usize::try_from(bytes)
        .ok()
        .map(|bytes| read_exact(&**file, offset, bytes))
        .transpose()?
        .flatten()
    else {
        return no("a short index", offset);
    };
    let Some(header) = Header::decode(&frame, last, offset).filter(|header| header.kind == Kind::Index)
    else {
        return no("a damaged header of an index", offset);
    };
    if header.end() != size || header.body_bytes != 0 || !header.ends_with(&trailer) {
        return no("a damaged index", offset);
    }
    let end = frame.len().saturating_sub(TRAILER_BYTES);
    let meta = frame.get(HEADER_BYTES..end).unwrap_or_default();
    match Catalog::decode(meta).filter(|_| crc32c::crc32c(meta) == header.meta_crc) {
        Some(catalog) => Ok(Sealed::Catalog(
            Box::new(catalog),
            SealedBytes {
                size,
                synced_to: header.synced_to,
            },
        )),
        None => no("a damaged index", offset),
    }
}
