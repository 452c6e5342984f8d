//! Making the secrets of new keys and of data key pairs.
//!
//! RSA takes up to seconds of a processor: it is made on a thread of its own, and few at a time, so that whoever may create
//! keys cannot take the processors from everybody else. No lock is held meanwhile.

use super::Kms;
use super::errors::KmsError;
use super::key_pair::KeyPair;
use super::kind::{KeyKind, KeyUsage, PairSpec};
use super::limits::RSA_GENERATIONS_MAX;
use super::secret::Secret;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Lets so many RSA pairs be made at a time.
#[derive(Debug)]
pub(super) struct Generating(Arc<Semaphore>);

impl Default for Generating {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(RSA_GENERATIONS_MAX)))
    }
}

impl Kms {
    /// The secret of a new key.
    pub(super) async fn new_secret(&self, kind: KeyKind) -> Result<Secret, KmsError> {
        let entropy = &*self.runtime.entropy;
        if let Some(pair) = kind.pair() {
            return self.new_pair(pair, kind.usage()).await.map(Secret::Pair);
        }
        Ok(match kind.mac_key_bytes() {
            Some(bytes) => Secret::mac(bytes, entropy),
            None => Secret::symmetric(entropy),
        })
    }

    /// A new key pair.
    pub(super) async fn new_pair(&self, pair: PairSpec, usage: KeyUsage) -> Result<KeyPair, KmsError> {
        let made = if pair.is_rsa() {
            self.on_a_thread(pair, usage).await?
        } else {
            KeyPair::generate(pair, usage).ok()
        };
        made.ok_or_else(|| {
            tracing::error!("the cryptographic library makes no key pair");
            KmsError::Internal
        })
    }

    async fn on_a_thread(&self, pair: PairSpec, usage: KeyUsage) -> Result<Option<KeyPair>, KmsError> {
        let permit = Arc::clone(&self.generating.0).acquire_owned().await;
        let permit = permit.map_err(|_| KmsError::Internal)?;
        let (made, coming) = oneshot::channel();
        let work = move || {
            // Nobody may be waiting any more.
            drop(made.send(KeyPair::generate(pair, usage).ok()));
            drop(permit);
        };
        let started = self.runtime.tasks.spawn_thread("bulla-rsa", Box::new(work));
        started.map_err(|error| {
            tracing::error!(%error, "no thread can be started to make an RSA key");
            KmsError::Internal
        })?;
        coming.await.map_err(|_| KmsError::Internal)
    }
}
