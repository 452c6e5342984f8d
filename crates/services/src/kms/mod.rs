//! Key Management Service: keys whose material never leaves it, and the policies that say who may use them.
//!
//! State: all keys stand compiled in memory (`view`), each durable as one directory record (`record`) with its
//! material wrapped. Encrypting and decrypting touch memory alone. A change takes the writers' lock, checks against the
//! view, commits, puts the new value into the view, raises the gate's authorization number, and answers; so what was
//! acknowledged is durable, visible, and binds the next decision.
//!
//! What must stay true:
//! - A key's policy is a mandatory source in every decision about the key: neither the account's root user nor any
//!   identity policy opens a key whose policy does not say so.
//! - From its deletion date on a key does not exist, whether or not the sweep has come by; the sweep destroys its
//!   erasure key, and with it the material in every copy of the record, and then deletes the record.
//! - What a key encrypted opens as long as the key exists: rotation adds material and takes none away.
//! - A grant binds from the answer of `CreateGrant` to that of `RetireGrant` or `RevokeGrant`, and never outlives its key.
//! - Nothing is decrypted under another encryption context than it was encrypted under.

mod access;
mod agreement;
mod algorithms;
mod alias;
mod certificate;
mod ciphertext;
mod data_key;
mod data_key_pair;
mod encryption;
mod erasure;
mod errors;
mod external;
mod generate;
mod grant;
mod grant_record;
mod grant_shapes;
mod grant_view;
mod grants;
mod import;
mod key;
mod key_pair;
mod kind;
mod limits;
mod lookup;
mod mac;
mod managed;
mod multi_region;
mod names;
mod oaep;
mod opening;
pub mod operations;
mod policy;
mod record;
mod reference;
mod rotation;
mod secret;
mod shapes;
mod signing;
mod sweep;
#[cfg(test)]
mod tests;
mod usage;
mod validate;
mod view;
mod words;

pub use certificate::{Certificate, Certificates};
pub use errors::KmsError;
pub use names::KeyNames;
pub(crate) use names::key_of_ciphertext;
pub use shapes::{Plaintext, RecipientInfo};

use bulla_envelope::{ErasureError, ErasureKeys, InstanceKey, Purpose, SecretKey};
use bulla_gate::{Call, Family, NotBuilt, Service};
use bulla_policy::Policy;
use bulla_runtime::Runtime;
use bulla_storage::{Change, DirectoryWriter};
use bulla_types::Timestamp;
use bulla_wire::{Protocol, ServiceWire};
use certificate::Certifier;
use generate::Generating;
use key::Key;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::Mutex;
use view::View;

static WIRE: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson11),
    target_prefix: Some("TrentService"),
    ..ServiceWire::new("kms")
};

/// The state holder: all keys of all accounts and regions.
pub struct Kms {
    runtime: Runtime,
    records: DirectoryWriter,
    /// Seals what is stored of keys, and wraps their material together with an erasure key.
    wrapping: SecretKey,
    erasure: Arc<dyn ErasureKeys>,
    certifier: Certifier,
    view: RwLock<View>,
    /// Held from the check of a change until the view shows it.
    writing: Mutex<()>,
    /// A key policy that allows nobody anything: that of keys of other accounts that do not exist.
    nobody: Arc<Policy>,
    generating: Generating,
}

/// Why the keys could not be opened, for the operator.
#[derive(Debug)]
pub enum KmsOpenError {
    /// The storage failed.
    Storage(bulla_storage::Error),
    /// A stored key is damaged; nothing is skipped.
    Damaged {
        /// The record's name.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The keyring cannot be read.
    Erasure(ErasureError),
    /// There are keys, and nothing of their keyring.
    NoKeyring {
        /// One of the keys.
        key: String,
        /// Where its erasure key was sought.
        place: String,
    },
    /// The cryptographic library or the policy engine refused what is built in: a defect.
    Defect(&'static str),
}

impl std::fmt::Display for KmsOpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => write!(formatter, "cannot read the keys: {error}"),
            Self::Damaged { record, reason } => {
                write!(formatter, "the stored key `{record}` is damaged: {reason}")
            }
            Self::Erasure(error) => write!(formatter, "{error}"),
            Self::NoKeyring { key, place } => {
                write!(
                    formatter,
                    "there is no {place}, which key {key} needs, nor any other"
                )
            }
            Self::Defect(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for KmsOpenError {}

impl Service for Kms {
    const WIRE: &'static ServiceWire = &WIRE;
    const PRINCIPAL: &'static str = "kms.amazonaws.com";
    const FAMILY: Family = Family::Json;
    const NOT_BUILT: NotBuilt = NotBuilt {
        operations: operations::NOT_BUILT,
        row: errors::UNSUPPORTED,
    };
}

impl Kms {
    /// Reads all keys and begins to sweep those whose deletion date comes.
    ///
    /// # Errors
    /// [`KmsOpenError`]; the server does not start with keys that it cannot read.
    pub async fn open(
        runtime: Runtime,
        records: DirectoryWriter,
        instance: &InstanceKey,
        erasure: Arc<dyn ErasureKeys>,
    ) -> Result<Arc<Self>, KmsOpenError> {
        let wrapping = instance
            .derive(Purpose::KmsKeyMaterial, &[])
            .map_err(|_| KmsOpenError::Defect("the key that wraps key material cannot be derived"))?;
        let mut opened = opening::read(&records, &wrapping, &*erasure).await?;
        let view = std::mem::take(&mut opened.view);
        let certifier = Certifier::open(&records, instance, &*runtime.entropy).await?;
        let kms = Arc::new(Self {
            runtime,
            records,
            wrapping,
            erasure,
            certifier,
            view: RwLock::new(view),
            writing: Mutex::new(()),
            nobody: policy::nobody().map_err(KmsOpenError::Defect)?,
            generating: Generating::default(),
        });
        opened.complete(&kms).await?;
        kms.read_grants().await?;
        sweep::start(&kms);
        Ok(kms)
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        // Nothing panics while it writes; should it, each key is still whole.
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes keys: what `change` returns, after looking at the present state, is made durable in one commit and then
    /// visible. All keys must belong to one account.
    async fn write<T>(
        &self,
        call: &Call<'_>,
        change: impl FnOnce(&View) -> Result<(Vec<Key>, T), KmsError> + Send,
    ) -> Result<T, KmsError> {
        let writing = self.writing.lock().await;
        let (keys, answer) = change(&self.view())?;
        if keys.is_empty() {
            return Ok(answer);
        }
        let keys = self.store(keys).await?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            view.put(Arc::new(key));
        }
        drop(view);
        drop(writing);
        call.authorization_changed();
        Ok(answer)
    }

    /// Makes keys of one account durable, and answers them as they are stored. The writers' lock is held.
    async fn store(&self, mut keys: Vec<Key>) -> Result<Vec<Key>, KmsError> {
        let Some(owner) = keys.first().map(|key| key.owner) else {
            return Ok(keys);
        };
        self.prepare(&mut keys).await?;
        let mut changes = Vec::with_capacity(keys.len());
        for key in &keys {
            let value = record::encode(key, &self.wrapping, &*self.runtime.entropy).map_err(|error| {
                tracing::error!(key = %key.arn, %error, "a key's material cannot be wrapped");
                KmsError::Internal
            })?;
            changes.push(Change::Put(
                record::record_key(key.owner, key.region, key.id),
                value,
            ));
        }
        self.commit(owner, changes).await?;
        Ok(keys)
    }

    /// Changes one key that exists.
    async fn update(
        &self,
        call: &Call<'_>,
        key: &Key,
        change: impl FnOnce(&mut Key) -> Result<(), KmsError> + Send,
    ) -> Result<(), KmsError> {
        let now = call.time();
        self.write(call, |view| {
            let mut key = current(view, key, now)?;
            change(&mut key)?;
            Ok((vec![key], ()))
        })
        .await
    }

    async fn commit(&self, owner: bulla_types::AccountId, changes: Vec<Change>) -> Result<(), KmsError> {
        let partition = self.records.partition_of(owner.as_str().as_bytes());
        match self.records.commit(partition, Vec::new(), changes).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(account = %owner, %error, "a change of keys was not stored");
                Err(KmsError::Internal)
            }
        }
    }
}

/// The present value of a key that a call found before it waited for the writers' lock.
fn current(view: &View, key: &Key, now: Timestamp) -> Result<Key, KmsError> {
    let found = view.key(key.region, key.id, now).cloned();
    let found = found.ok_or_else(|| KmsError::KeyNotFound {
        key: Arc::clone(&key.arn),
    })?;
    Ok(Key::clone(&external::as_of(found, now)))
}

impl std::fmt::Debug for Kms {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kms").finish_non_exhaustive()
    }
}
