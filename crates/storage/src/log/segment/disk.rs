//! The file layer under the segment log: the few calls it makes, as a trait, so that tests can cut the power
//! between any two of them, fill the disk, or fail a sync.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One folder of files.
pub trait Disk: Send + Sync {
    /// Names of all files in the folder.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new file, readable by its owner only, with room for `len` bytes that read as zeros.
    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>>;
    /// An existing file, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, replacing what has it, atomically. Durable after [`Disk::sync_folder`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a name; who has the file open can still read. Durable after [`Disk::sync_folder`].
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// The file's path, for messages.
    fn path(&self, name: &str) -> String;
}

/// One file. All access is by position, so that readers and the writer share it.
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file or when interrupted.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes or fails, perhaps having written some.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts or extends; the extension reads as zeros.
    fn set_size(&self, size: u64) -> io::Result<()>;
    /// Asks the file system for room up to `size` without writing.
    fn reserve(&self, size: u64) -> io::Result<()>;
    /// Makes written bytes durable, and the length as far as reading them needs it.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes everything about the file durable.
    fn sync_all(&self) -> io::Result<()>;
}

/// Reads exactly `length` bytes, or `None` when the file ends before.
pub(super) fn read_exact(file: &dyn DiskFile, offset: u64, length: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; length];
    let filled = read_full(file, offset, &mut bytes)?;
    Ok((filled == length).then_some(bytes))
}

/// Fills the buffer as far as the file reaches; answers how far.
pub(super) fn read_full(file: &dyn DiskFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether an error says that there is no room, so that nothing but the write itself failed.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// A folder of the operating system.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
}

impl RealDisk {
    /// The folder, created with mode 0700 if absent.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new(folder: &Path) -> io::Result<Self> {
        if !folder.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            if let Some(parent) = folder.parent() {
                File::open(if parent.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    parent
                })?
                .sync_all()?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.join(name))?;
        let file: Arc<dyn DiskFile> = Arc::new(file);
        if let Err(error) = file.reserve(len) {
            drop(fs::remove_file(self.join(name)));
            return Err(error);
        }
        Ok(file)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(
            OpenOptions::new().read(true).write(true).open(self.join(name))?,
        ))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.join(from), self.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, name: &str) -> String {
        self.join(name).display().to_string()
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn reserve(&self, size: u64) -> io::Result<()> {
        if size == 0 {
            // The system call takes no room of no bytes.
            return Ok(());
        }
        match rustix::fs::fallocate(self, rustix::fs::FallocateFlags::empty(), 0, size) {
            Ok(()) => Ok(()),
            Err(error) if error == rustix::io::Errno::OPNOTSUPP => {
                if DiskFile::size(self)? < size {
                    self.set_len(size)
                } else {
                    Ok(())
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }
}
