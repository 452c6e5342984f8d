//! The keyring: erasure keys as files in a folder outside the data folder, one folder for each instance.
//!
//! ```text
//! KEYRING/<name of the instance>/lock                locked as long as a server uses the folder
//! KEYRING/<name of the instance>/NAME.key            an erasure key, wrapped
//! KEYRING/<name of the instance>/NAME.destroyed      what is left of one
//! ```
//!
//! A file is written under another name, synced and renamed, and the folder is synced: it is whole, or not there. A key
//! that is destroyed is overwritten and synced before it is unlinked. What a device keeps of overwritten blocks, and what
//! copies there are of the folder, is beyond this code; the book says so.
//!
//! Keys that no record names are left alone: they may be of a later state of the data than the one that is served now, after
//! an older backup was restored.

use super::format::{FILE_BYTES_MAX, read_key, read_tombstone, room, write_key, write_tombstone};
use super::{ErasureError, ErasureKeys, ErasureName, ErasureState, Tombstone};
use crate::derive::Purpose;
use crate::instance::InstanceKey;
use crate::root::is_inside;
use crate::seal::SealError;
use crate::secret::SecretKey;
use bulla_runtime::{BoxFuture, Entropy, Runtime, Tasks, on_thread};
use bulla_types::Timestamp;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
const LOCK: &str = "lock";
const UNFINISHED: &str = ".new";
const README: &str = "README";
const README_TEXT: &str = "\
Erasure keys of a Bulla server: one file for each key of its key service. Whoever loses a file loses everything that was
encrypted under that key. Keep a copy of this folder, apart from the data and from backups of the data; a copy that is older
than the destruction of a key brings it back, so keep copies no longer than a destroyed key may be brought back.
";

/// Erasure keys in a folder.
pub struct KeyringFolder {
    folder: Arc<Folder>,
    tasks: Arc<dyn Tasks>,
}

impl KeyringFolder {
    /// The erasure keys of an instance in this keyring. Nothing is made before the first key is. Blocks.
    ///
    /// # Errors
    /// [`ErasureError`] when the keyring is inside the data folder, in use by another server, or cannot be read.
    pub fn open(
        keyring: &Path,
        data: &Path,
        instance: &InstanceKey,
        runtime: &Runtime,
    ) -> Result<Self, ErasureError> {
        if is_inside(keyring, data) {
            return Err(ErasureError::new(
                format!(
                    "keyring `{}` is inside data folder `{}`",
                    keyring.display(),
                    data.display()
                ),
                "a copy of the data folder would hold what must not be copied with it, and keys could not be destroyed",
                "choose a folder outside the data folder with `--keyring`",
            ));
        }
        let refused = |_: SealError| {
            ErasureError::new(
                "the keyring cannot be used",
                "its key cannot be derived",
                "report it",
            )
        };
        let keyring = std::path::absolute(keyring).unwrap_or_else(|_| keyring.to_owned());
        let folder = Folder {
            path: keyring.join(instance.name().map_err(refused)?),
            keyring,
            wrapping: instance.derive(Purpose::ErasureKeys, &[]).map_err(refused)?,
            entropy: Arc::clone(&runtime.entropy),
            lock: Mutex::new(None),
        };
        if folder.path.is_dir() {
            let mut lock = folder.lock.lock().unwrap_or_else(PoisonError::into_inner);
            *lock = Some(folder.take_lock()?);
        }
        Ok(Self {
            folder: Arc::new(folder),
            tasks: Arc::clone(&runtime.tasks),
        })
    }

    /// The folder of the instance.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder.path
    }

    /// Forgets all erasure keys of the instance, tombstones too: its data are gone. Blocks.
    ///
    /// # Errors
    /// [`ErasureError`]; some may be left.
    pub fn remove_all(&self) -> Result<(), ErasureError> {
        self.folder
            .guarded(false, |folder| match fs::remove_dir_all(&folder.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            })
    }

    fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, ErasureError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, ErasureError>> {
        let folder = Arc::clone(&self.folder);
        Box::pin(async move {
            let path = folder.path.clone();
            on_thread(&*self.tasks, "bulla-keyring", move || work(&folder))
                .await
                .map_err(|error| unusable(&path, &error))?
        })
    }
}

impl ErasureKeys for KeyringFolder {
    fn create(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<Arc<SecretKey>>, ErasureError>> {
        self.apart(move |folder| folder.create(&names))
    }

    fn load(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<ErasureState>, ErasureError>> {
        self.apart(move |folder| Ok(names.iter().map(|name| folder.load(name)).collect()))
    }

    fn destroy(&self, name: ErasureName, now: Timestamp) -> BoxFuture<'_, Result<Tombstone, ErasureError>> {
        self.apart(move |folder| folder.destroy(&name, now))
    }

    fn is_new(&self) -> BoxFuture<'_, Result<bool, ErasureError>> {
        self.apart(|folder| Ok(!folder.path.is_dir()))
    }

    fn describe(&self, name: &ErasureName) -> String {
        format!("erasure key file `{}`", self.folder.key_file(name).display())
    }
}

impl fmt::Debug for KeyringFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyringFolder({})", self.folder.path.display())
    }
}

struct Folder {
    keyring: PathBuf,
    path: PathBuf,
    wrapping: SecretKey,
    entropy: Arc<dyn Entropy>,
    /// Present once the folder is there; held by whoever changes something.
    lock: Mutex<Option<File>>,
}

impl Folder {
    fn key_file(&self, name: &ErasureName) -> PathBuf {
        self.path.join(format!("{name}.key"))
    }

    fn tombstone_file(&self, name: &ErasureName) -> PathBuf {
        self.path.join(format!("{name}.destroyed"))
    }

    /// Does work on the folder, one after the other; `make` makes the folder first.
    fn guarded<T>(&self, make: bool, work: impl FnOnce(&Self) -> io::Result<T>) -> Result<T, ErasureError> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if make && lock.is_none() {
            self.make().map_err(|error| unusable(&self.path, &error))?;
            *lock = Some(self.take_lock()?);
        }
        work(self).map_err(|error| unusable(&self.path, &error))
    }

    fn make(&self) -> io::Result<()> {
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
        // Each folder that is made has its name in the one above.
        let above = self.keyring.ancestors().skip(1);
        let new = above.clone().take_while(|folder| !folder.exists()).count();
        make(&self.keyring)?;
        make(&self.path)?;
        for folder in above.take(new.saturating_add(1)) {
            sync_folder(folder)?;
        }
        sync_folder(&self.keyring)?;
        put(&self.path.join(README), README_TEXT)
    }

    fn take_lock(&self) -> Result<File, ErasureError> {
        let open = || {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(MODE)
                .open(self.path.join(LOCK))
        };
        let file = open().map_err(|error| unusable(&self.path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::Error(error)) => Err(unusable(&self.path, &error)),
            Err(TryLockError::WouldBlock) => Err(ErasureError::new(
                format!("keyring `{}` is in use", self.path.display()),
                "another server holds it, whose data are of the same origin; one of them could destroy keys of the other",
                "give a server on restored data a copy of the keyring, with `--keyring`",
            )),
        }
    }

    fn create(&self, names: &[ErasureName]) -> Result<Vec<Arc<SecretKey>>, ErasureError> {
        let mut keys = Vec::with_capacity(names.len());
        for name in names {
            let key = match self.load(name) {
                ErasureState::Present(key) => key,
                ErasureState::Destroyed(tombstone) => return Err(ErasureError::destroyed(name, &tombstone)),
                ErasureState::Missing { why } if !self.is_free(name) => {
                    return Err(ErasureError::new(
                        format!(
                            "erasure key file `{}`, or its tombstone, cannot be used",
                            self.key_file(name).display()
                        ),
                        why,
                        "put it back from your copy of the keyring",
                    ));
                }
                ErasureState::Missing { .. } => self.guarded(true, |folder| folder.make_key(name))?,
            };
            keys.push(key);
        }
        // The files are synced; now their names.
        self.guarded(true, |folder| sync_folder(&folder.path))?;
        Ok(keys)
    }

    /// Whether nothing was ever kept under this name; a file that cannot be looked at may be anything.
    fn is_free(&self, name: &ErasureName) -> bool {
        let files = [self.key_file(name), self.tombstone_file(name)];
        files.iter().all(|file| matches!(file.try_exists(), Ok(false)))
    }

    /// A new key, durable but for its name.
    fn make_key(&self, name: &ErasureName) -> io::Result<Arc<SecretKey>> {
        let key = SecretKey::generate(&*self.entropy);
        let text = write_key(name, &key, &self.wrapping, &*self.entropy).map_err(io::Error::other)?;
        put(&self.key_file(name), &text)?;
        Ok(Arc::new(key))
    }

    fn load(&self, name: &ErasureName) -> ErasureState {
        let missing = |path: PathBuf, why: String| ErasureState::Missing {
            why: format!("`{}`: {why}", path.display()),
        };
        match read(&self.tombstone_file(name), |text| {
            read_tombstone(name, text, &self.wrapping)
        }) {
            Ok(Some(tombstone)) => return ErasureState::Destroyed(tombstone),
            // What cannot be read may say that the key was destroyed.
            Err(why) => return missing(self.tombstone_file(name), why),
            Ok(None) => {}
        }
        match read(&self.key_file(name), |text| read_key(name, text, &self.wrapping)) {
            Ok(Some(key)) => ErasureState::Present(key),
            Ok(None) => missing(self.key_file(name), "there is no such file".to_owned()),
            Err(why) => missing(self.key_file(name), why),
        }
    }

    fn destroy(&self, name: &ErasureName, now: Timestamp) -> Result<Tombstone, ErasureError> {
        let (key_file, tombstone_file) = (self.key_file(name), self.tombstone_file(name));
        let found = read(&tombstone_file, |text| read_tombstone(name, text, &self.wrapping));
        let found = found.map_err(|why| {
            ErasureError::new(
                format!("tombstone `{}` cannot be read", tombstone_file.display()),
                why,
                "put it back from your copy of the keyring, or remove it",
            )
        })?;
        self.guarded(true, |folder| {
            let tombstone = match found {
                Some(tombstone) => {
                    // Its name may not have been durable when a try before ended.
                    sync_folder(&folder.path)?;
                    tombstone
                }
                None => folder.bury(name, &tombstone_file, now, key_file.exists())?,
            };
            match OpenOptions::new().write(true).open(&key_file) {
                Ok(file) => folder.overwrite(file)?,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(tombstone),
                Err(error) => return Err(error),
            }
            fs::remove_file(&key_file)?;
            sync_folder(&folder.path)?;
            Ok(tombstone)
        })
    }

    fn bury(
        &self,
        name: &ErasureName,
        file: &Path,
        begun: Timestamp,
        had_key: bool,
    ) -> io::Result<Tombstone> {
        let tombstone = Tombstone { begun, had_key };
        let text =
            write_tombstone(name, &tombstone, &self.wrapping, &*self.entropy).map_err(io::Error::other)?;
        put(file, &text)?;
        sync_folder(&self.path)?;
        Ok(tombstone)
    }

    /// Puts random bytes where the key was, on the device as far as it does as it is told.
    fn overwrite(&self, mut file: File) -> io::Result<()> {
        let bytes = usize::try_from(file.metadata()?.len().min(FILE_BYTES_MAX)).unwrap_or_default();
        let mut noise = vec![0; bytes];
        self.entropy.fill(&mut noise);
        file.write_all(&noise)?;
        file.sync_all()
    }
}

/// Writes a file, whole or not at all; its name is durable when the folder is synced.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// Reads a file; `None` when there is none.
fn read<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, &'static str>) -> Result<Option<T>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = room();
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not text")?;
    Ok(Some(parse(text)?))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> ErasureError {
    ErasureError::new(
        format!("keyring `{}` cannot be used", path.display()),
        error,
        "let the user that runs the server write to that folder, or choose another with `--keyring`",
    )
}

#[cfg(test)]
mod tests;
