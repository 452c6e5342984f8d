//! Reading all keys at start: with their erasure keys, from any format, and without those that were destroyed.
//!
//! What must stay true: a key whose erasure key was destroyed never comes back, whatever record of it an older data folder
//! holds. A key whose erasure key is missing is kept, unavailable, and the operator is told: one lost file takes neither
//! the server down nor anything away. A keyring that is missing as a whole is a mistake in the settings, and the server
//! does not start.

use super::erasure::erasure_name;
use super::key::Key;
use super::view::View;
use super::{Kms, KmsOpenError, record};
use bulla_envelope::{ErasureKeys, ErasureState, SecretKey};
use bulla_storage::DirectoryWriter;
use bytes::Bytes;
use std::sync::{Arc, PoisonError};

/// What was read.
pub(super) struct Opened {
    /// The keys that are there.
    pub(super) view: View,
    /// Keys whose material needs no erasure key yet.
    older: Vec<Key>,
    /// Keys whose erasure key was destroyed, though a record is there.
    destroyed: Vec<Key>,
}

/// Reads the records of all keys.
pub(super) async fn read(
    records: &DirectoryWriter,
    wrapping: &SecretKey,
    erasure: &dyn ErasureKeys,
) -> Result<Opened, KmsOpenError> {
    let stored = records
        .scan_all(Bytes::from_static(record::PREFIX.as_bytes()))
        .await
        .map_err(KmsOpenError::Storage)?;
    let mut names = Vec::with_capacity(stored.len());
    for (_, name, value) in &stored {
        let created = record::created(value).map_err(|why| damaged(name, why))?;
        let parsed = record::parse_record_key(name);
        let parsed = parsed.and_then(|(owner, region, id)| erasure_name(owner, region, id, created));
        names.push(parsed.ok_or_else(|| damaged(name, "its name is not that of a key".to_owned()))?);
    }
    let states = erasure.load(names.clone()).await.map_err(KmsOpenError::Erasure)?;
    let mut opened = Opened {
        view: View::default(),
        older: Vec::new(),
        destroyed: Vec::new(),
    };
    let mut missing = Vec::new();
    for ((_, name, value), state) in stored.into_iter().zip(states) {
        let decode =
            |erasure| record::decode(&name, &value, wrapping, erasure).map_err(|why| damaged(&name, why));
        match state {
            ErasureState::Destroyed(_) => opened.destroyed.push(decode(None)?),
            ErasureState::Missing { .. } | ErasureState::Present(_) if record::is_of_older_format(&value) => {
                opened.older.push(decode(None)?);
            }
            ErasureState::Present(erasure) => {
                let key = decode(Some(&erasure))?;
                if key.is_locked() {
                    missing.push((
                        Arc::clone(&key.arn),
                        "it does not open the key's material".to_owned(),
                    ));
                }
                opened.view.put(Arc::new(key));
            }
            ErasureState::Missing { why } => {
                let key = decode(None)?;
                missing.push((Arc::clone(&key.arn), why));
                opened.view.put(Arc::new(key));
            }
        }
    }
    if let Some((key, _)) = missing.first()
        && erasure.is_new().await.map_err(KmsOpenError::Erasure)?
    {
        let place = names
            .first()
            .map(|name| erasure.describe(name))
            .unwrap_or_default();
        let key = key.to_string();
        return Err(KmsOpenError::NoKeyring { key, place });
    }
    for (key, why) in missing {
        tracing::error!(
            %key,
            why,
            fix = "put the file back from your copy of the keyring and restart the server; without it nothing that was \
                   encrypted under the key opens",
            "the erasure key of a key cannot be used; the key is unavailable"
        );
    }
    Ok(opened)
}

fn damaged(name: &[u8], reason: String) -> KmsOpenError {
    KmsOpenError::Damaged {
        record: String::from_utf8_lossy(name).into_owned(),
        reason,
    }
}

impl Opened {
    /// Gives keys of older formats their erasure keys, and ends destructions that were interrupted, or that an older data
    /// folder does not know of.
    pub(super) async fn complete(self, kms: &Kms) -> Result<(), KmsOpenError> {
        let _writing = kms.writing.lock().await;
        let mut older = self.older;
        let count = older.len();
        kms.prepare(&mut older).await.map_err(|_| {
            KmsOpenError::Defect("keys of an older format cannot be given erasure keys; the log says more")
        })?;
        for key in older {
            // One commit each: a record may be long.
            let stored = kms.store(vec![key]).await.map_err(|_| {
                KmsOpenError::Defect("a key of an older format cannot be stored; the log says more")
            })?;
            let mut view = kms.view.write().unwrap_or_else(PoisonError::into_inner);
            for key in stored {
                view.put(Arc::new(key));
            }
        }
        if count > 0 {
            tracing::warn!(
                keys = count,
                "keys of an older format were wrapped anew under erasure keys: from now on nothing opens without the keyring; \
                 keep a copy of it, and see that it outlives the container (`bulla root status` says where it is)"
            );
        }
        for key in self.destroyed {
            tracing::warn!(key = %key.arn, "the key was destroyed; the record of it that these data still had is removed");
            kms.destroy(&key).await;
        }
        Ok(())
    }
}
