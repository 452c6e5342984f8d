//! Files of the log: their names, how one begins, and how the index of a sealed one is read.

use super::catalog::Catalog;
use super::disk::{Disk, DiskFile, read_exact};
use super::format::{
    HEADER_BYTES, Header, Kind, Start, State, TRAILER_BYTES, plain_frame, trailer_frame_bytes,
};
use super::index::FileRef;
use super::run::Metas;
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
    /// How long the file was made; it is sealed before it grows beyond.
    pub(super) room: u64,
}

impl Active {
    pub(super) fn has_frames(&self) -> bool {
        self.end > self.begin
    }
}

/// Makes a prepared file the active one, durably. An error that says that the disk is full comes before any sync was
/// tried and leaves the prepared file as it was, but for its content.
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
    let frame = plain_frame(Kind::Start, number, 0, 0, &start.encode(), &[]).map_err(io::Error::other)?;
    prepared.file.write_all_at(&frame, 0)?;
    prepared.file.sync_all().map_err(io::Error::other)?;
    let name = segment_name(number, number);
    disk.rename(&prepared.name, &name)?;
    disk.sync_folder().map_err(io::Error::other)?;
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
        room: prepared.bytes,
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

/// Reads the index at the end of a sealed file. With `newest` also the metas in it: only of the newest file it is
/// not certain that the seal was durable.
pub(super) fn read_catalog(file: &Arc<dyn DiskFile>, last: u64, newest: bool) -> io::Result<Sealed> {
    let size = file.size()?;
    let no = |why: &str, offset: u64| Ok(Sealed::No(format!("{why} at offset {offset}")));
    let Some(trailer_at) = size.checked_sub(TRAILER_BYTES as u64) else {
        return no("no trailer", size);
    };
    let Some(trailer) = read_exact(&**file, trailer_at, TRAILER_BYTES)? else {
        return no("no trailer", size);
    };
    let Some(offset) = trailer_frame_bytes(&trailer).and_then(|bytes| size.checked_sub(bytes)) else {
        return no("no trailer of an index", trailer_at);
    };
    let head = read_exact(&**file, offset, HEADER_BYTES)?.unwrap_or_default();
    let Some(header) = Header::decode(&head, last, offset).filter(|header| header.kind == Kind::Index) else {
        return no("a damaged header of an index", offset);
    };
    if header.end() != size || !header.ends_with(&trailer) {
        return no("a damaged index", offset);
    }
    let meta_at = offset.saturating_add(HEADER_BYTES as u64);
    let meta_bytes = usize::try_from(header.meta_bytes).unwrap_or(usize::MAX);
    let Some(meta) = read_exact(&**file, meta_at, meta_bytes)? else {
        return no("a short index", offset);
    };
    let catalog = Catalog::decode(&meta, header.bodies_at(), header.body_bytes)
        .filter(|_| crc32c::crc32c(&meta) == header.meta_crc);
    let Some(catalog) = catalog else {
        return no("a damaged index", offset);
    };
    if newest && !has_all_metas(file, &header, &catalog)? {
        return no("an index with damaged metas", offset);
    }
    let bytes = SealedBytes {
        size,
        synced_to: header.synced_to,
    };
    Ok(Sealed::Catalog(Box::new(catalog), bytes))
}

fn has_all_metas(file: &Arc<dyn DiskFile>, header: &Header, catalog: &Catalog) -> io::Result<bool> {
    let length = usize::try_from(header.body_bytes).unwrap_or(usize::MAX);
    let Some(bytes) = read_exact(&**file, header.bodies_at(), length)? else {
        return Ok(false);
    };
    let base = header.bodies_at();
    let sound = |(from, to, crc): (u32, u32, u32)| {
        let place = |at: u32| usize::try_from(u64::from(at).checked_sub(base)?).ok();
        let block = place(from)
            .zip(place(to))
            .and_then(|(from, to)| bytes.get(from..to));
        block.is_some_and(|block| crc32c::crc32c(block) == crc)
    };
    let mut runs = catalog.parts.iter().map(|part| part.run.metas());
    Ok(runs.all(|metas| match metas {
        Metas::Held(_) => false,
        Metas::Sealed(metas) => (0..metas.blocks.len()).all(|number| metas.block(number).is_some_and(sound)),
    }))
}

/// The version of a file that another release wrote, if it begins so.
pub(super) fn other_version(file: &Arc<dyn DiskFile>) -> io::Result<Option<u8>> {
    let head = read_exact(&**file, 0, HEADER_BYTES)?.unwrap_or_default();
    Ok(Header::other_version(&head))
}
