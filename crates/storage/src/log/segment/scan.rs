//! Reading a file that was being written, frame by frame.

use super::disk::{DiskFile, read_exact, read_full};
use super::format::{FRAME_MAGIC, HEADER_BYTES, Header, Kind, Start, TRAILER_BYTES};
use super::items::{Effect, effects_of};
use super::run::sound_body;
use std::io;

/// Bytes read at once.
const WINDOW_BYTES: usize = 64 << 10;

/// What was found.
#[derive(Default)]
pub(super) struct ScannedFile {
    pub(super) start: Option<Start>,
    /// Where the start frame ends.
    pub(super) begin: u64,
    /// What each sound frame does, and its metadata.
    pub(super) frames: Vec<(Vec<Effect>, Vec<u8>)>,
    /// Where the last sound frame ends.
    pub(super) end: u64,
    /// How far a later frame confirms the file to have been durable.
    pub(super) confirmed: u64,
    /// Why there is something after the end that has to go.
    pub(super) torn: Option<String>,
    /// Where damage was met that is not a torn write.
    pub(super) corrupt: Option<u64>,
}

/// A sound frame.
struct Sound {
    header: Header,
    effects: Vec<Effect>,
    meta: Vec<u8>,
}

/// Reads the file by headers and metadata.
pub(super) fn scan_file(file: &dyn DiskFile, segment: u64) -> io::Result<ScannedFile> {
    let mut window = Window::new(file)?;
    let mut out = ScannedFile::default();
    let mut sound: Vec<Sound> = Vec::new();
    let mut why = None;
    while out.end < window.size {
        let offset = out.end;
        match read_frame(&mut window, segment, offset)? {
            FrameRead::Start(start, end) if offset == 0 => {
                out.start = Some(start);
                (out.begin, out.end) = (end, end);
            }
            FrameRead::Group(frame) if offset > 0 => {
                out.end = frame.header.end();
                out.confirmed = out.confirmed.max(frame.header.synced_to);
                sound.push(frame);
            }
            FrameRead::Start(..) | FrameRead::Group(..) => {
                why = Some("a frame of another kind");
                break;
            }
            FrameRead::Seal => {
                why = Some("a seal that was not finished");
                break;
            }
            FrameRead::Damaged(what) => {
                why = Some(what);
                break;
            }
        }
    }
    if let Some(at) = damaged_body(file, &sound, out.confirmed)? {
        // The frames after it are notes that nobody was promised, or they would confirm it.
        sound.retain(|sound| sound.header.offset < at);
        out.end = at;
        why = Some("a body that is not whole");
    }
    if let Some(why) = why
        && !window.is_zero_from(out.end)?
    {
        if window.is_confirmed_later(segment, out.end)? {
            out.corrupt = Some(out.end);
        }
        out.torn = Some(format!(
            "{why}, {} bytes before the end of the file",
            window.size - out.end
        ));
    }
    out.confirmed = out.confirmed.max(out.begin).min(out.end);
    out.frames = sound
        .into_iter()
        .map(|sound| (sound.effects, sound.meta))
        .collect();
    Ok(out)
}

/// The first damage in a sealed file, frame by frame and body by body: where and what.
pub(super) fn first_damage(file: &dyn DiskFile, segment: u64) -> io::Result<Option<(u64, &'static str)>> {
    let mut window = Window::new(file)?;
    let mut offset = 0;
    loop {
        match read_frame(&mut window, segment, offset)? {
            FrameRead::Start(_, end) if offset == 0 => offset = end,
            FrameRead::Group(frame) if offset > 0 => {
                if let Some(at) = damaged_body(file, std::slice::from_ref(&frame), 0)? {
                    return Ok(Some((at, "a damaged body in the frame")));
                }
                offset = frame.header.end();
            }
            FrameRead::Seal if offset > 0 => return Ok(None),
            FrameRead::Start(..) | FrameRead::Group(..) | FrameRead::Seal => {
                return Ok(Some((offset, "a frame of another kind")));
            }
            FrameRead::Damaged(what) => return Ok(Some((offset, what))),
        }
    }
}

/// The first frame with a damaged body among those that nothing confirms.
fn damaged_body(file: &dyn DiskFile, sound: &[Sound], confirmed: u64) -> io::Result<Option<u64>> {
    for Sound { header, effects, .. } in sound.iter().filter(|sound| sound.header.offset >= confirmed) {
        let length = usize::try_from(header.body_bytes).unwrap_or(usize::MAX);
        let Some(bodies) = read_exact(file, header.bodies_at(), length)? else {
            return Ok(Some(header.offset));
        };
        for effect in effects {
            let Effect::Append {
                partition,
                pos,
                place,
                ..
            } = effect
            else {
                continue;
            };
            let from = u64::from(place.body).saturating_sub(header.bodies_at());
            let to = place.end().saturating_sub(header.bodies_at());
            let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
            let stored = range.and_then(|(from, to)| bodies.get(from..to));
            if stored
                .and_then(|stored| sound_body(*partition, *pos, stored))
                .is_none()
            {
                return Ok(Some(header.offset));
            }
        }
    }
    Ok(None)
}

enum FrameRead {
    Start(Start, u64),
    Group(Sound),
    Seal,
    Damaged(&'static str),
}

fn read_frame(window: &mut Window<'_>, segment: u64, offset: u64) -> io::Result<FrameRead> {
    let Some(header) = window.read(offset, HEADER_BYTES)? else {
        return Ok(FrameRead::Damaged("a short header"));
    };
    let Some(header) = Header::decode(header, segment, offset) else {
        return Ok(FrameRead::Damaged("no sound header"));
    };
    if header.end() > window.size {
        return Ok(FrameRead::Damaged("a frame that is not whole"));
    }
    // The metadata before the trailer: the header is in the same window, the next frame in the trailer's.
    let meta_bytes = usize::try_from(header.meta_bytes).unwrap_or(usize::MAX);
    let meta = window.read(offset.saturating_add(HEADER_BYTES as u64), meta_bytes)?;
    let Some(meta) = meta.filter(|meta| crc32c::crc32c(meta) == header.meta_crc) else {
        return Ok(FrameRead::Damaged("damaged metadata"));
    };
    let read = match header.kind {
        Kind::Start => Start::decode(meta).map(|start| FrameRead::Start(start, header.end())),
        Kind::Group => effects_of(&header, meta).map(|effects| {
            FrameRead::Group(Sound {
                header,
                effects,
                meta: meta.to_vec(),
            })
        }),
        Kind::Index => Some(FrameRead::Seal),
    };
    let trailer_at = header.end().saturating_sub(TRAILER_BYTES as u64);
    if !window
        .read(trailer_at, TRAILER_BYTES)?
        .is_some_and(|trailer| header.ends_with(trailer))
    {
        return Ok(FrameRead::Damaged("no commit marker"));
    }
    Ok(read.unwrap_or(FrameRead::Damaged("metadata of another form")))
}

/// A file read through a buffer, so that many small frames do not cost a call each.
struct Window<'a> {
    file: &'a dyn DiskFile,
    size: u64,
    at: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(file: &'a dyn DiskFile) -> io::Result<Self> {
        Ok(Self {
            file,
            size: file.size()?,
            at: 0,
            bytes: Vec::new(),
        })
    }

    /// These bytes, or `None` when the file ends before.
    fn read(&mut self, offset: u64, length: usize) -> io::Result<Option<&[u8]>> {
        if self.position(offset, length).is_none() {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.resize(WINDOW_BYTES.max(length), 0);
            let filled = read_full(self.file, offset, &mut bytes)?;
            bytes.truncate(filled);
            (self.at, self.bytes) = (offset, bytes);
        }
        Ok(self
            .position(offset, length)
            .and_then(|(from, to)| self.bytes.get(from..to)))
    }

    fn position(&self, offset: u64, length: usize) -> Option<(usize, usize)> {
        let from = usize::try_from(offset.checked_sub(self.at)?).ok()?;
        let to = from.checked_add(length)?;
        (to <= self.bytes.len()).then_some((from, to))
    }

    fn is_zero_from(&mut self, from: u64) -> io::Result<bool> {
        let mut at = from;
        while at < self.size {
            let length = usize::try_from(self.size - at)
                .unwrap_or(usize::MAX)
                .min(WINDOW_BYTES);
            let Some(bytes) = self.read(at, length)? else {
                break;
            };
            // All of them without a way out in between, which the compiler does many at a time: at a start these are
            // tens of megabytes.
            if bytes.iter().fold(0, |seen, byte| seen | byte) != 0 {
                return Ok(false);
            }
            at = at.saturating_add(length as u64);
        }
        Ok(true)
    }

    /// Whether a sound header after `from` says that the file was durable beyond `from` when it was written.
    fn is_confirmed_later(&mut self, segment: u64, from: u64) -> io::Result<bool> {
        let magic = FRAME_MAGIC.to_le_bytes();
        let mut at = from.saturating_add(1);
        while at.saturating_add(HEADER_BYTES as u64) <= self.size {
            let length = usize::try_from(self.size - at)
                .unwrap_or(usize::MAX)
                .min(WINDOW_BYTES);
            let Some(bytes) = self.read(at, length)? else {
                break;
            };
            let hits = bytes
                .windows(HEADER_BYTES)
                .zip(at..)
                .filter(|(header, _)| header.starts_with(&magic));
            let mut sound = hits.filter_map(|(header, offset)| Header::decode(header, segment, offset));
            if sound.any(|header| header.synced_to > from) {
                return Ok(true);
            }
            at = at.saturating_add(length.saturating_sub(HEADER_BYTES - 1).max(1) as u64);
        }
        Ok(false)
    }
}
