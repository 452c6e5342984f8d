//! The root key, and the instance key that it wraps.
//!
//! The root key is read before the data is touched: a server without it must not change anything. The record that
//! binds both lies in the directory; a wrong root key is found here, not at the first message.

use crate::config::ServeSettings;
use crate::operator_error::OperatorError;
use bulla_envelope::{
    DataFolder, DataFolderState, FileRootKey, InstanceKey, MemoryRootKey, RootKey, RootKeyError,
    RootKeyLocation,
};
use bulla_runtime::Runtime;
use bulla_storage::{Change, DirectoryWriter, Expect};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;

/// Where the binding record lies in the directory.
const INSTANCE_RECORD: &[u8] = b"bulla/instance";

/// The root key, and how the start-up message calls it.
pub(crate) struct Root {
    pub(crate) key: Arc<dyn RootKey>,
    pub(crate) description: String,
}

impl Root {
    /// Reads the root key, or makes one for a new data folder.
    pub(crate) fn open(settings: &ServeSettings, runtime: &Runtime) -> Result<Self, OperatorError> {
        let entropy = runtime.entropy.as_ref();
        if settings.ephemeral {
            let key = MemoryRootKey::generate(entropy).map_err(|error| told(&error))?;
            return Ok(Self {
                key: Arc::new(key),
                description: "in memory, gone at exit".into(),
            });
        }
        let chosen = settings.root_key_file.as_deref();
        let location = RootKeyLocation::of_process(chosen).map_err(|error| told(&error))?;
        let folder = DataFolder {
            path: &settings.data,
            state: data_folder_state(settings),
            may_hold_root_key: chosen.is_some(),
        };
        let now = runtime.clock.now().as_seconds();
        let (key, _) =
            FileRootKey::load_or_create(&location, &folder, now, entropy).map_err(|error| told(&error))?;
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let inside = real(location.path()).starts_with(real(&settings.data));
        let warning = if inside {
            ", beside the data it protects: keep that for development"
        } else {
            ""
        };
        let description = format!("file {}{warning}", location.path().display());
        Ok(Self {
            key: Arc::new(key),
            description,
        })
    }
}

/// A folder is new until storage has written its format file.
fn data_folder_state(settings: &ServeSettings) -> DataFolderState {
    if settings.data.join("format").exists() {
        DataFolderState::Existing
    } else {
        DataFolderState::New
    }
}

/// The instance key of this data, made when there is none yet.
pub(crate) async fn instance_key(
    root: &dyn RootKey,
    directory: &DirectoryWriter,
    runtime: &Runtime,
) -> Result<InstanceKey, OperatorError> {
    let failed = |error: bulla_storage::Error| {
        OperatorError::failed("the record of the root key cannot be read or written").why(error)
    };
    let records = directory
        .scan_all(Bytes::from_static(INSTANCE_RECORD))
        .await
        .map_err(failed)?;
    if let Some((_, _, record)) = records.first() {
        return InstanceKey::open(root, record).map_err(|error| told(&error));
    }
    let (instance, record) =
        InstanceKey::create(root, runtime.entropy.as_ref()).map_err(|error| told(&error))?;
    let key = Bytes::from_static(INSTANCE_RECORD);
    let absent = Expect {
        key: key.clone(),
        absent: true,
    };
    let partition = directory.partition_of(INSTANCE_RECORD);
    directory
        .commit(partition, vec![absent], vec![Change::Put(key, record.into())])
        .await
        .map_err(failed)?;
    Ok(instance)
}

fn told(error: &RootKeyError) -> OperatorError {
    OperatorError::failed(format!("{} ({})", error.what(), error.code().as_str()))
        .why(error.why())
        .fix(error.fix())
}
