//! The root key, and the instance key that it wraps.
//!
//! The root key is asked before any service stands: a server without it changes nothing that it keeps. The record that
//! binds both lies in the directory; a wrong root key is found here, not at the first message. Replacing the root key
//! is one commit to the directory: whenever the server stops, the record is of the old root key or of the new one, and
//! whole.

use crate::config::ServeSettings;
use crate::operator_error::OperatorError;
use crate::root_choice::{RootChoice, told};
use bulla_envelope::{Binding, DataFolderState, InstanceKey, RootKey, RootKeyError, RootKeyProvider};
use bulla_runtime::{Runtime, Tasks};
use bulla_storage::{Change, DirectoryWriter, Expect};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where the binding record lies in the directory.
const INSTANCE_RECORD: &[u8] = b"bulla/instance";

/// The root key, and how the start-up message calls it.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) key: Arc<dyn RootKey>,
    pub(crate) description: String,
}

impl Root {
    /// Opens the root key of these settings, or makes one for a new data folder.
    pub(crate) async fn open(settings: &ServeSettings, runtime: &Runtime) -> Result<Self, OperatorError> {
        let choice = RootChoice::of_server(settings)?;
        Self::chosen(choice, &settings.data, data_folder_state(settings), runtime).await
    }

    /// Opens this root key, for a data folder in this state.
    pub(crate) async fn chosen(
        choice: RootChoice,
        data: &Path,
        state: DataFolderState,
        runtime: &Runtime,
    ) -> Result<Self, OperatorError> {
        let (data, world) = (data.to_owned(), runtime.clone());
        let open = move || {
            let key = choice.open(&data, state, &world)?;
            let description = describe(key.as_ref(), &choice, &data);
            Ok(Self { key, description })
        };
        apart(runtime.tasks.as_ref(), open).await
    }
}

fn describe(key: &dyn RootKey, choice: &RootChoice, data: &Path) -> String {
    let given = key.describe();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let inside = match choice {
        RootChoice::File(Some(path)) => real(path).starts_with(real(data)),
        RootChoice::File(None)
        | RootChoice::Memory
        | RootChoice::Passphrase(_)
        | RootChoice::Pkcs11(..)
        | RootChoice::Kms(..) => false,
    };
    match given.provider {
        RootKeyProvider::Memory => "in memory, gone at exit".to_owned(),
        RootKeyProvider::File if inside => format!(
            "file {}, beside the data it protects: keep that for development",
            given.place
        ),
        RootKeyProvider::File
        | RootKeyProvider::Passphrase
        | RootKeyProvider::Pkcs11
        | RootKeyProvider::Kms => format!("{} {}", given.provider, given.place),
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

/// The instance key while it is in use, and where its record lies.
#[derive(Clone)]
pub(crate) struct Bound {
    pub(crate) instance: Arc<InstanceKey>,
    directory: DirectoryWriter,
}

impl Bound {
    /// The instance key of this data, made when there is none yet.
    pub(crate) async fn open(
        root: &Root,
        directory: &DirectoryWriter,
        runtime: &Runtime,
    ) -> Result<Self, OperatorError> {
        let key = Arc::clone(&root.key);
        let bound = |instance| Self {
            instance: Arc::new(instance),
            directory: directory.clone(),
        };
        if let Some(record) = read(directory).await? {
            let open = move || InstanceKey::open(key.as_ref(), &record);
            return apart(runtime.tasks.as_ref(), open).await.map(bound);
        }
        let instance = InstanceKey::generate(runtime.entropy.as_ref());
        let made = bound(instance);
        // New data are not kept waiting: the operator is there, and there is nothing to lose.
        let bind = made.bind(root, runtime).await;
        let (record, _) = bind.map_err(OperatorError::lasting)?;
        made.store(record, true).await?;
        Ok(made)
    }

    /// What the data is bound to.
    pub(crate) async fn binding(&self) -> Result<Binding, OperatorError> {
        binding_of(&self.directory).await?.ok_or_else(|| {
            OperatorError::failed("the record of the root key is gone")
                .fix("restore a backup of the data folder")
        })
    }

    /// Binds the data to another root key; what it was bound to before, and is now.
    pub(crate) async fn replace_root(
        &self,
        root: &Root,
        runtime: &Runtime,
    ) -> Result<(Binding, Binding), OperatorError> {
        let before = self.binding().await?;
        if self.is_opened_by(root, runtime).await? {
            return Err(same_root(&before));
        }
        let (record, now) = self.bind(root, runtime).await?;
        if (before.provider, before.id) == (now.provider, now.id) {
            return Err(same_root(&before));
        }
        self.store(record, false).await?;
        tracing::info!(from = %before.id, to = %now.id, provider = %now.provider, "the root key was replaced");
        Ok((before, now))
    }

    /// Whether a passphrase is the one that the data are bound to: each binding salts it anew, so that its name does not
    /// tell. Others are known by name, and a token is not asked more often than it must be.
    async fn is_opened_by(&self, root: &Root, runtime: &Runtime) -> Result<bool, OperatorError> {
        let key = Arc::clone(&root.key);
        if key.describe().provider != RootKeyProvider::Passphrase {
            return Ok(false);
        }
        let Some(record) = read(&self.directory).await? else {
            return Ok(false);
        };
        let try_it = move || Ok(InstanceKey::open(key.as_ref(), &record).is_ok());
        apart(runtime.tasks.as_ref(), try_it).await
    }

    async fn bind(&self, root: &Root, runtime: &Runtime) -> Result<(Vec<u8>, Binding), OperatorError> {
        let (instance, key) = (Arc::clone(&self.instance), Arc::clone(&root.key));
        let (entropy, now) = (Arc::clone(&runtime.entropy), runtime.clock.now().as_seconds());
        let bind = move || {
            let record = instance.bind(key.as_ref(), now, entropy.as_ref())?;
            let binding = Binding::read(&record)?;
            Ok((record, binding))
        };
        apart(runtime.tasks.as_ref(), bind).await
    }

    /// Durable when it is answered, and whole or not at all.
    async fn store(&self, record: Vec<u8>, absent: bool) -> Result<(), OperatorError> {
        let key = Bytes::from_static(INSTANCE_RECORD);
        let expect = Expect {
            key: key.clone(),
            absent,
        };
        let partition = self.directory.partition_of(INSTANCE_RECORD);
        let changes = vec![Change::Put(key, record.into())];
        self.directory
            .commit(partition, vec![expect], changes)
            .await
            .map(drop)
            .map_err(unreadable)
    }
}

fn same_root(binding: &Binding) -> OperatorError {
    OperatorError::usage("the data are bound to that root key already")
        .why(format!(
            "it is root key {} of provider {}",
            binding.id, binding.provider
        ))
        .fix("name a root key that is not in use, for instance a file that does not exist yet")
}

/// What a data folder is bound to; `None` when it is new.
pub(crate) async fn binding_of(directory: &DirectoryWriter) -> Result<Option<Binding>, OperatorError> {
    let record = read(directory).await?;
    record
        .map(|record| Binding::read(&record).map_err(|error| told(&error)))
        .transpose()
}

async fn read(directory: &DirectoryWriter) -> Result<Option<Bytes>, OperatorError> {
    let records = directory
        .scan_all(Bytes::from_static(INSTANCE_RECORD))
        .await
        .map_err(unreadable)?;
    Ok(records.into_iter().next().map(|(_, _, record)| record))
}

/// Does work of a provider on a thread of its own: it computes long, or waits for a device or a network.
async fn apart<T: Send + 'static>(
    tasks: &dyn Tasks,
    work: impl FnOnce() -> Result<T, RootKeyError> + Send + 'static,
) -> Result<T, OperatorError> {
    let (sender, receiver) = oneshot::channel();
    let work = move || drop(sender.send(work()));
    tasks
        .spawn_thread("bulla-root", Box::new(work))
        .map_err(|error| OperatorError::failed("a thread for the root key could not start").why(error))?;
    match receiver.await {
        Ok(outcome) => outcome.map_err(|error| told(&error)),
        Err(_) => Err(OperatorError::failed(
            "the provider of the root key failed unexpectedly",
        )),
    }
}

fn unreadable(error: bulla_storage::Error) -> OperatorError {
    OperatorError::failed("the record of the root key cannot be read or written").why(error)
}
