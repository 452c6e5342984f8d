//! The root key in a file of the operator.
//!
//! What must stay true: the file is used only if nobody but the user that runs the server can read or change it, it is
//! never overwritten, and a key is made only for a data folder that is new. For a folder that has data a missing key is an
//! error, because a new key would hide that the old one is lost.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use bulla_runtime::Entropy;
use zeroize::Zeroizing;

use super::format::{FILE_BYTES_MAX, Flaw, KeyFile};
use super::{
    LocalRootKey, RootKey, RootKeyDescription, RootKeyError, RootKeyLocation, RootKeyProvider, Wrapped,
};
use crate::secret::{SecretBytes, SecretKey};

const MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The data folder that a root key is for.
#[derive(Clone, Copy, Debug)]
pub struct DataFolder<'a> {
    /// Its path; it may not exist yet.
    pub path: &'a Path,
    /// Whether it has data.
    pub state: DataFolderState,
    /// Whether the operator chose to have the root key file inside it.
    pub may_hold_root_key: bool,
}

/// Whether a data folder has data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFolderState {
    /// It does not exist or is empty: its root key may be made.
    New,
    /// It has data: its root key must be there.
    Existing,
}

/// Where a root key came from at this start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKeyOrigin {
    /// It was made now; the operator should be told to keep a copy.
    Created,
    /// The file was there.
    Loaded,
}

/// The root key that a file holds.
pub struct FileRootKey {
    local: LocalRootKey,
    created_epoch_seconds: u64,
    path: PathBuf,
}

impl FileRootKey {
    /// The root key at that location, made if it is missing and the data folder is new.
    ///
    /// `now_epoch_seconds` (since 1970-01-01T00:00:00Z) is noted in a new file.
    ///
    /// # Errors
    /// `BULLA-K001` to `K008`, `K012`, `K013`: see [`super::RootKeyErrorCode`].
    pub fn load_or_create(
        location: &RootKeyLocation,
        data_folder: &DataFolder<'_>,
        now_epoch_seconds: u64,
        entropy: &dyn Entropy,
    ) -> Result<(Self, RootKeyOrigin), RootKeyError> {
        let path = location.path();
        if !data_folder.may_hold_root_key && is_inside(path, data_folder.path) {
            return Err(RootKeyError::inside_data_folder(path, data_folder.path));
        }
        match (fs::metadata(path), data_folder.state) {
            (Err(error), DataFolderState::New) if error.kind() == ErrorKind::NotFound => {
                create(path, now_epoch_seconds, entropy)
                    .map_err(|error| RootKeyError::not_created(path, &error))?;
                Ok((Self::load(path)?, RootKeyOrigin::Created))
            }
            (Err(error), DataFolderState::Existing) if error.kind() == ErrorKind::NotFound => {
                Err(RootKeyError::missing(path, data_folder.path))
            }
            (Err(error), _) => Err(RootKeyError::unreadable(path, &error)),
            // Opening a pipe or a device would wait or have effects; the opened file is looked at again.
            (Ok(metadata), _) if !metadata.is_file() => Err(RootKeyError::not_a_file(path)),
            (Ok(_), _) => Ok((Self::load(path)?, RootKeyOrigin::Loaded)),
        }
    }

    fn load(path: &Path) -> Result<Self, RootKeyError> {
        let unreadable = |error: io::Error| RootKeyError::unreadable(path, &error);
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(RootKeyError::not_a_file(path));
        }
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            return Err(RootKeyError::owner(path, metadata.uid(), user));
        }
        if metadata.mode() & 0o7777 & !MODE != 0 {
            return Err(RootKeyError::mode(path, metadata.mode()));
        }
        if metadata.len() > FILE_BYTES_MAX {
            return Err(RootKeyError::flawed(path, Flaw::NotARootKey));
        }
        // Enough room from the start, so that no copy of the key is left behind by growing.
        let mut text = Zeroizing::new(Vec::with_capacity(
            2 * usize::try_from(FILE_BYTES_MAX).unwrap_or_default(),
        ));
        file.take(FILE_BYTES_MAX)
            .read_to_end(&mut text)
            .map_err(unreadable)?;
        let read = KeyFile::parse(&text).map_err(|flaw| RootKeyError::flawed(path, flaw))?;
        Ok(Self {
            local: LocalRootKey::new(read.key)?,
            created_epoch_seconds: read.created_epoch_seconds,
            path: path.to_owned(),
        })
    }
}

impl RootKey for FileRootKey {
    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
        self.local.wrap(plaintext, aad, entropy)
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<SecretBytes, RootKeyError> {
        self.local.unwrap(wrapped, aad, &self.describe())
    }

    fn describe(&self) -> RootKeyDescription {
        RootKeyDescription {
            provider: RootKeyProvider::File,
            id: Some(self.local.id),
            since_epoch_seconds: Some(self.created_epoch_seconds),
            place: format!("`{}`", self.path.display()),
        }
    }
}

impl fmt::Debug for FileRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileRootKey({} in {})", self.local.id, self.path.display())
    }
}

/// Makes a root key file, whole and durable or not at all; a file that is there is left as it is.
///
/// It is written under another name and then linked, because a crash must not leave half a key under the real name, and
/// linking, unlike renaming, never replaces.
fn create(path: &Path, now_epoch_seconds: u64, entropy: &dyn Entropy) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)?;
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("the path has no file name"))?;
    let mut unfinished = name.to_owned();
    unfinished.push(format!(".{:016x}.new", entropy.number()));
    let unfinished = folder.join(unfinished);
    let text = KeyFile {
        key: SecretKey::generate(entropy),
        created_epoch_seconds: now_epoch_seconds,
    }
    .write();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&unfinished)?;
    let linked = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&unfinished, path));
    fs::remove_file(&unfinished)?;
    match linked {
        // Another process was faster; its key is the one that is loaded next.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(folder)?.sync_all(),
    }
}

/// Whether `path` is in `folder`, following links; neither needs to exist.
#[must_use]
pub fn is_inside(path: &Path, folder: &Path) -> bool {
    resolve(path).starts_with(resolve(folder))
}

/// The path without links and relative parts, as far as it exists, and what is left of it.
fn resolve(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut resolved = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                resolved.push(component);
                if let Ok(canonical) = fs::canonicalize(&resolved) {
                    resolved = canonical;
                }
            }
        }
    }
    resolved
}

#[cfg(test)]
mod tests;
