//! The list of a backup's files.
//!
//! ```text
//! bulla-backup 1
//! file <CRC-32C, 8 hexadecimal digits> <bytes> <path from the folder>
//! end <CRC-32C of everything before this line>
//! ```

use super::copy::write_new;
use super::{BackupError, BackupReport};
use std::fmt::Write;
use std::path::{Component, Path};

pub(super) const MANIFEST_FILE: &str = "manifest";
const FIRST_LINE: &str = "bulla-backup 1";
/// A manifest has a line per file, and there are some thousands of files at most.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// A file of a backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) crc: u32,
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Manifest(Vec<Listed>);

impl Manifest {
    pub(super) fn push(&mut self, listed: Listed) {
        self.0.push(listed);
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter()
    }

    pub(super) fn report(&self, damaged: Vec<String>) -> BackupReport {
        BackupReport {
            files: self.0.len(),
            bytes: self
                .0
                .iter()
                .fold(0, |sum, listed| sum.saturating_add(listed.bytes)),
            damaged,
        }
    }

    pub(super) fn encode(&self) -> String {
        let mut text = format!("{FIRST_LINE}\n");
        for Listed { name, bytes, crc } in &self.0 {
            // Writing to a string does not fail.
            let _ = writeln!(text, "file {crc:08x} {bytes} {name}");
        }
        let crc = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "end {crc:08x}");
        text
    }

    /// `None` when the text is not a whole manifest, or names a file outside the folder.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let body = text.strip_suffix('\n')?;
        let (before, last) = body.rsplit_once('\n')?;
        let crc = u32::from_str_radix(last.strip_prefix("end ")?, 16).ok()?;
        let summed = text.get(..before.len().checked_add(1)?)?;
        if crc32c::crc32c(summed.as_bytes()) != crc {
            return None;
        }
        let mut lines = before.lines();
        if lines.next() != Some(FIRST_LINE) {
            return None;
        }
        lines.map(line).collect::<Option<_>>().map(Self)
    }

    /// Writes it as the last file of a backup, durably.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        write_new(folder, MANIFEST_FILE, self.encode().as_bytes())
    }

    pub(super) fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(MANIFEST_FILE);
        let shown = path.display();
        let not = |why: &str| BackupError::NotABackup(format!("`{shown}` {why}"));
        match std::fs::metadata(&path) {
            Ok(found) if found.len() > MANIFEST_BYTES_MAX => return Err(not("is too large for a manifest")),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(not("does not exist"));
            }
            Err(error) => return Err(BackupError::io(format!("cannot read `{shown}`"))(error)),
        }
        let bytes = std::fs::read(&path).map_err(BackupError::io(format!("cannot read `{shown}`")))?;
        let text = std::str::from_utf8(&bytes).ok();
        text.and_then(Self::decode)
            .ok_or_else(|| not("is not whole, or was written by another version"))
    }
}

fn line(line: &str) -> Option<Listed> {
    let rest = line.strip_prefix("file ")?;
    let (crc, rest) = rest.split_once(' ')?;
    let (bytes, name) = rest.split_once(' ')?;
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (inside && !name.is_empty()).then_some(Listed {
        name: name.to_owned(),
        bytes: bytes.parse().ok()?,
        crc: u32::from_str_radix(crc, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Listed, Manifest};

    fn manifest(name: &str) -> Manifest {
        Manifest(vec![Listed {
            name: name.into(),
            bytes: 7,
            crc: 0xAB,
        }])
    }

    #[test]
    fn what_was_written_is_read() {
        let manifest = manifest("log/a b.log");
        assert_eq!(Manifest::decode(&manifest.encode()), Some(manifest));
    }

    #[test]
    fn a_changed_or_missing_byte_anywhere_is_noticed() {
        let text = manifest("log/a.log").encode();
        for at in 0..text.len() {
            assert_eq!(Manifest::decode(&text[..at]), None, "cut at {at}");
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 0x02;
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(Manifest::decode(&changed), None, "changed at {at}");
        }
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        for name in ["../x", "/etc/passwd", "log/../../x", ""] {
            assert_eq!(Manifest::decode(&manifest(name).encode()), None, "{name}");
        }
    }
}
