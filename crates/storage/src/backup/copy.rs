//! Copying files into a new folder: checksums as they pass, durable when it ends.

use super::BackupError;
use super::manifest::{Listed, Manifest};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes copied at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Makes the folder with mode 0700, or says that it is not empty.
pub(super) fn empty_folder(folder: &Path) -> Result<(), BackupError> {
    let shown = folder.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(BackupError::io(format!("cannot make the folder `{shown}`")))?;
    let mut listed =
        fs::read_dir(folder).map_err(BackupError::io(format!("cannot list the folder `{shown}`")))?;
    match listed.next() {
        None => Ok(()),
        Some(_) => Err(BackupError::NotEmpty {
            path: shown.to_string(),
        }),
    }
}

/// A folder being filled, and the list of what is in it.
pub(super) struct Target {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
}

/// A file being written.
pub(super) struct Out {
    name: String,
    file: File,
    bytes: u64,
    crc: u32,
}

impl Out {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

impl Target {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            manifest: Manifest::default(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn make_folder(&self, name: &str) -> Result<(), BackupError> {
        let path = self.path(name);
        let make = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        make.map_err(BackupError::io(format!("cannot make `{}`", path.display())))
    }

    pub(super) fn create(&self, name: &str) -> Result<Out, BackupError> {
        let path = self.path(name);
        let doing = format!("cannot make `{}`", path.display());
        let file = new_file(&path).map_err(BackupError::io(doing))?;
        Ok(Out {
            name: name.to_owned(),
            file,
            bytes: 0,
            crc: 0,
        })
    }

    /// Makes a file durable and lists it.
    pub(super) fn finish(&mut self, out: Out) -> Result<(), BackupError> {
        let Out {
            name,
            file,
            bytes,
            crc,
        } = out;
        let doing = || format!("cannot sync `{}`", self.path(&name).display());
        file.sync_all().map_err(BackupError::io(doing()))?;
        sync_parent(&self.path(&name)).map_err(BackupError::io(doing()))?;
        self.manifest.push(Listed { name, bytes, crc });
        Ok(())
    }

    /// Lists a file that something else wrote.
    pub(super) fn add(&mut self, name: &str) -> Result<(), BackupError> {
        let path = self.path(name);
        let (bytes, crc) = summed(&path, |_| Ok(()))
            .map_err(BackupError::io(format!("cannot read `{}`", path.display())))?;
        self.manifest.push(Listed {
            name: name.to_owned(),
            bytes,
            crc,
        });
        Ok(())
    }

    /// Makes the names in the folder durable.
    pub(super) fn sync(&self) -> Result<(), BackupError> {
        let doing = format!("cannot sync `{}`", self.folder.display());
        let sync = || {
            File::open(&self.folder)?.sync_all()?;
            sync_parent(&self.folder)
        };
        sync().map_err(BackupError::io(doing))
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

/// Reads a file; answers its length and checksum.
fn summed(path: &Path, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(u64, u32)> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; CHUNK_BYTES];
    let (mut bytes, mut crc) = (0_u64, 0);
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, crc)),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let chunk = buffer.get(..read).unwrap_or_default();
        each(chunk)?;
        crc = crc32c::crc32c_append(crc, chunk);
        bytes = bytes.saturating_add(chunk.len() as u64);
    }
}

/// Writes a small file so that it is whole under its name or not there.
pub(super) fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
    let path = folder.join(name);
    let temporary = folder.join(format!("{name}.tmp"));
    let write = || {
        let mut file = new_file(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(BackupError::io(format!("cannot write `{}`", path.display())))
}

fn compare(found: (u64, u32), listed: &Listed, path: &Path) -> Result<(), BackupError> {
    if found == (listed.bytes, listed.crc) {
        return Ok(());
    }
    Err(BackupError::Damaged(format!(
        "`{}` has {} bytes with checksum {:08x}, not {} with {:08x}",
        path.display(),
        found.0,
        found.1,
        listed.bytes,
        listed.crc
    )))
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let shown = path.display().to_string();
    move |error| {
        if error.kind() == ErrorKind::NotFound {
            BackupError::Damaged(format!("`{shown}` is missing"))
        } else {
            BackupError::io(format!("cannot read `{shown}`"))(error)
        }
    }
}

/// Compares a file with what the manifest says.
pub(super) fn check(folder: &Path, listed: &Listed) -> Result<(), BackupError> {
    let path = folder.join(&listed.name);
    let found = summed(&path, |_| Ok(())).map_err(unreadable(&path))?;
    compare(found, listed, &path)
}

/// Copies a file of a backup and compares it with what the manifest says.
pub(super) fn copy_file(from: &Path, listed: &Listed, target: &mut Target) -> Result<(), BackupError> {
    let path = from.join(&listed.name);
    if let Some(folder) = Path::new(&listed.name).parent().and_then(Path::to_str) {
        target.make_folder(folder)?;
    }
    let mut out = target.create(&listed.name)?;
    let found = summed(&path, |bytes| out.write(bytes)).map_err(unreadable(&path))?;
    compare(found, listed, &path)?;
    target.finish(out)
}

/// Copies a file, or a folder with all that is in it. What is neither, or not there, is left out.
pub(super) fn copy_plain(from: &Path, name: &str, target: &mut Target) -> Result<(), BackupError> {
    let path = from.join(name);
    let doing = || format!("cannot copy `{}`", path.display());
    let kind = match fs::symlink_metadata(&path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::io(doing())(error)),
    };
    if kind.is_dir() {
        target.make_folder(name)?;
        let listed = fs::read_dir(&path).map_err(BackupError::io(doing()))?;
        let mut names = Vec::new();
        for entry in listed {
            let entry = entry.map_err(BackupError::io(doing()))?;
            names.extend(entry.file_name().to_str().map(|inner| format!("{name}/{inner}")));
        }
        names.sort();
        return names.iter().try_for_each(|name| copy_plain(from, name, target));
    }
    if !kind.is_file() || name.contains('\n') {
        return Ok(());
    }
    let mut out = target.create(name)?;
    summed(&path, |bytes| out.write(bytes)).map_err(BackupError::io(doing()))?;
    target.finish(out)
}
