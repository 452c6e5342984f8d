//! Reading SQLite's write-ahead file before SQLite does.
//!
//! SQLite takes the first frame whose checksum does not fit for the end of the file: right after a torn write, but a
//! damaged frame among sound ones would silently take back what was committed after it. A commit is synced before the
//! next one is written, so whatever stands behind a commit says that the commit was durable. Damage before that is
//! reported. Damage in the last commit cannot be told from a torn write, and ends the file here as there.
//!
//! Source: sqlite.org, "WAL-mode File Format" (read 2026-11-21).

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const MAGIC: u32 = 0x377F_0682;
const PAGE_BYTES_MAX: u32 = 65_536;

/// Looks for damage that SQLite would take for the end; answers what and where. An absent file is sound.
pub(super) fn damage(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut file = BufReader::with_capacity(1 << 18, file);
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut file, &mut header)? {
        return Ok(None);
    }
    let Some(mut wal) = Wal::new(&header) else {
        let mut rest = file.bytes();
        let empty = header == [0; HEADER_BYTES] && rest.all(|byte| matches!(byte, Ok(0)));
        return Ok((!empty).then(|| "a damaged header at offset 0".to_owned()));
    };
    wal.read(&mut file)
}

/// Fills the buffer; false when the file ends before.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

struct Wal {
    page_bytes: usize,
    salts: (u32, u32),
    /// Whether the checksum reads big-endian words.
    big: bool,
    sum: (u32, u32),
}

impl Wal {
    /// `None` when the header is damaged.
    fn new(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let magic = word(header, 0);
        let page = word(header, 8);
        if magic & !1 != MAGIC || !page.is_power_of_two() || !(512..=PAGE_BYTES_MAX).contains(&page) {
            return None;
        }
        let mut wal = Self {
            page_bytes: usize::try_from(page).ok()?,
            salts: (word(header, 16), word(header, 20)),
            big: magic & 1 == 1,
            sum: (0, 0),
        };
        wal.add(header.get(..24)?);
        (wal.sum == (word(header, 24), word(header, 28))).then_some(wal)
    }

    fn add(&mut self, bytes: &[u8]) {
        let (mut a, mut b) = self.sum;
        for pair in bytes.chunks_exact(8) {
            let (mut x, mut y) = (word(pair, 0), word(pair, 4));
            if !self.big {
                (x, y) = (x.swap_bytes(), y.swap_bytes());
            }
            a = a.wrapping_add(x).wrapping_add(b);
            b = b.wrapping_add(y).wrapping_add(a);
        }
        self.sum = (a, b);
    }

    fn read(&mut self, file: &mut impl Read) -> io::Result<Option<String>> {
        let mut frame = vec![0; FRAME_HEADER_BYTES.saturating_add(self.page_bytes)];
        let mut offset = HEADER_BYTES as u64;
        // Where the first damaged frame is, and whether a commit ended at or after it.
        let (mut damaged, mut ended) = (None, false);
        while fill(file, &mut frame)? {
            let ours = (word(&frame, 8), word(&frame, 12)) == self.salts;
            if let (Some(at), true, true) = (damaged, ended, ours) {
                return Ok(Some(format!(
                    "a damaged frame at offset {at}, and later ones behind it"
                )));
            }
            self.add(frame.get(..8).unwrap_or_default());
            self.add(frame.get(FRAME_HEADER_BYTES..).unwrap_or_default());
            let stored = (word(&frame, 16), word(&frame, 20));
            if damaged.is_none() && !(ours && self.sum == stored) {
                damaged = Some(offset);
            }
            // A frame that is not ours is what an earlier generation left, or the damaged one itself.
            let commits = word(&frame, 4) != 0;
            ended |= damaged.is_some() && commits && (ours || damaged == Some(offset));
            offset = offset.saturating_add(frame.len() as u64);
        }
        Ok(None)
    }
}
