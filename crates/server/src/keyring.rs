//! Where the keyring is, and opening it.
//!
//! The keyring holds what must be destroyed to destroy a key, so it must lie where backups of the data folder do not reach,
//! and it must not be lost. By default it is beside the root key file, which has to be kept all the same; where no file
//! holds the root key, it is in the place for configuration of whoever runs the server. The data remember where it was,
//! so that a start with other settings says where it is to be found.

use crate::config::ServeSettings;
use crate::operator_error::OperatorError;
use bulla_envelope::{
    ErasureError, ErasureKeys, InstanceKey, KeyringFolder, MemoryErasureKeys, RootKeyLocation, is_inside,
};
use bulla_runtime::{Runtime, on_thread};
use bulla_services::kms::KmsOpenError;
use bulla_storage::{Change, DirectoryWriter};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the data remember the keyring.
const KEYRING_RECORD: &[u8] = b"bulla/keyring";
/// The folder's name, unless the operator names it.
const KEYRING: &str = "keyring";

/// Where the keyring of these settings is; `holds_file` says that the root key is in a file.
pub(crate) fn place(settings: &ServeSettings, holds_file: bool) -> Result<PathBuf, OperatorError> {
    if let Some(place) = &settings.keyring {
        return Ok(std::path::absolute(place).unwrap_or_else(|_| place.clone()));
    }
    let environment = |name: &str| std::env::var_os(name);
    let is_root = rustix::process::geteuid().is_root();
    let file = settings.root.root_key_file.as_deref();
    let beside = RootKeyLocation::choose(file, environment, is_root);
    if holds_file
        && let Ok(location) = beside
        && let Some(folder) = folder_of(location.path())
        && !is_inside(&folder, &settings.data)
    {
        return Ok(folder.join(KEYRING));
    }
    let no_file = |name: &str| {
        (name != "BULLA_ROOT_KEY_FILE")
            .then(|| environment(name))
            .flatten()
    };
    let default = RootKeyLocation::choose(None, no_file, is_root).ok();
    default
        .and_then(|location| Some(folder_of(location.path())?.join(KEYRING)))
        .ok_or_else(|| {
            OperatorError::usage("there is no default place for the keyring")
                .why("neither `XDG_CONFIG_HOME` nor `HOME` is set to an absolute path")
                .fix("name a folder outside the data folder with `--keyring` or `BULLA_KEYRING`")
        })
}

fn folder_of(file: &Path) -> Option<PathBuf> {
    let file = std::path::absolute(file).ok()?;
    file.parent().map(Path::to_owned)
}

/// The erasure keys of an instance.
pub(crate) struct Keyring {
    /// For the key service.
    pub(crate) keys: Arc<dyn ErasureKeys>,
    /// Where they are, unless in memory.
    pub(crate) folder: Option<Arc<KeyringFolder>>,
}

impl Keyring {
    /// Opens the keyring in this place, or one in memory for data in memory.
    pub(crate) async fn open(
        settings: &ServeSettings,
        place: &Path,
        instance: &Arc<InstanceKey>,
        runtime: &Runtime,
    ) -> Result<Self, OperatorError> {
        if settings.ephemeral {
            return Ok(Self {
                keys: Arc::new(MemoryErasureKeys::new(Arc::clone(&runtime.entropy))),
                folder: None,
            });
        }
        let (place, data) = (place.to_owned(), settings.data.clone());
        let (instance, world) = (Arc::clone(instance), runtime.clone());
        let open = move || KeyringFolder::open(&place, &data, &instance, &world);
        let opened = on_thread(&*runtime.tasks, "bulla-keyring", open).await;
        let opened = opened
            .map_err(|error| OperatorError::failed("a thread for the keyring could not start").why(error))?;
        let folder = Arc::new(opened.map_err(|error| told(&error))?);
        Ok(Self {
            keys: Arc::<KeyringFolder>::clone(&folder),
            folder: Some(folder),
        })
    }

    /// Has the data remember where the keyring is.
    pub(crate) async fn remember(
        &self,
        place: &Path,
        directory: &DirectoryWriter,
    ) -> Result<(), OperatorError> {
        let Some(place) = place.to_str().filter(|_| self.folder.is_some()) else {
            return Ok(());
        };
        if remembered(directory).await?.as_deref() == Some(place) {
            return Ok(());
        }
        let record = Change::Put(
            Bytes::from_static(KEYRING_RECORD),
            Bytes::copy_from_slice(place.as_bytes()),
        );
        let partition = directory.partition_of(KEYRING_RECORD);
        let stored = directory.commit(partition, Vec::new(), vec![record]).await;
        stored.map(drop).map_err(unreadable)
    }
}

/// Where the keyring of these data was when they were last served.
pub(crate) async fn remembered(directory: &DirectoryWriter) -> Result<Option<String>, OperatorError> {
    let records = directory.scan_all(Bytes::from_static(KEYRING_RECORD)).await;
    let first = records.map_err(unreadable)?.into_iter().next();
    Ok(first.and_then(|(_, _, place)| String::from_utf8(place.to_vec()).ok()))
}

/// Why the keys cannot be opened, with the place where the keyring was.
pub(crate) async fn keys_refused(error: KmsOpenError, directory: &DirectoryWriter) -> OperatorError {
    let what = "the keys cannot be read";
    match error {
        KmsOpenError::NoKeyring { .. } => {
            let before = match remembered(directory).await {
                Ok(Some(place)) => format!("; at the last start it was in `{place}`"),
                Ok(None) | Err(_) => String::new(),
            };
            OperatorError::failed("the keyring of these data is not there")
                .why(&error)
                .fix(format!(
                    "name its folder with `--keyring`, or put it back from your copy{before}"
                ))
        }
        KmsOpenError::Erasure(error) => told(&error),
        KmsOpenError::Storage(_) | KmsOpenError::Damaged { .. } | KmsOpenError::Defect(_) => {
            OperatorError::failed(what).why(&error)
        }
    }
}

/// What the keyring says, as the operator is told.
pub(crate) fn told(error: &ErasureError) -> OperatorError {
    OperatorError::failed(error.what())
        .why(error.why())
        .fix(error.fix())
}

fn unreadable(error: bulla_storage::Error) -> OperatorError {
    OperatorError::failed("the place of the keyring cannot be read or remembered").why(error)
}
