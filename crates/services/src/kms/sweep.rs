//! What happens to keys by itself: the material of those whose deletion date has come is destroyed, and those whose
//! rotation is due are rotated, imported material that has expired is destroyed, and primary keys whose last replica is gone
//! begin to wait for their own deletion.
//!
//! A destruction has two steps: the erasure key is destroyed, which leaves a tombstone, and then one commit deletes the record
//! and stores a certificate. If the server stops in between, the next start meets the tombstone and goes on.

use super::erasure::{erasure_name, log_unusable};
use super::key::Key;
use super::limits::SWEEP_INTERVAL;
use super::{Kms, record};
use bulla_storage::Change;
use std::sync::{Arc, PoisonError};

/// Sweeps from time to time until the service is dropped or the server stops.
pub(super) fn start(kms: &Arc<Kms>) {
    let service = Arc::downgrade(kms);
    let clock = Arc::clone(&kms.runtime.clock);
    let shutdown = kms.runtime.shutdown.clone();
    kms.runtime.tasks.spawn(Box::pin(async move {
        loop {
            let Some(kms) = service.upgrade() else { return };
            kms.sweep().await;
            kms.rotate_due().await;
            kms.forget_expired().await;
            kms.release_primaries().await;
            drop(kms);
            tokio::select! {
                () = clock.sleep(SWEEP_INTERVAL) => {}
                () = shutdown.wait() => return,
            }
        }
    }));
}

impl Kms {
    /// Destroys the keys that are due. What fails is tried again next time.
    pub(super) async fn sweep(&self) {
        let _writing = self.writing.lock().await;
        let due = self.view().gone(self.runtime.clock.now());
        for key in due {
            self.destroy(&key).await;
        }
    }

    /// Destroys a key: its erasure key, its record, its grants, and what is in memory of it. The writers' lock is held.
    pub(super) async fn destroy(&self, key: &Key) {
        let Some(name) = erasure_name(key.owner, key.region, key.id, key.created) else {
            return;
        };
        let tombstone = match self.erasure.destroy(name, self.runtime.clock.now()).await {
            Ok(tombstone) => tombstone,
            Err(error) => {
                log_unusable(&error);
                tracing::error!(key = %key.arn, "the key's material is not destroyed yet; it is refused, and tried again");
                return;
            }
        };
        let now = self.runtime.clock.now();
        let certified = self
            .certifier
            .certify(key, &tombstone, self.other_copies(key), now);
        let Ok((certificate, stored)) = certified else {
            tracing::error!(key = %key.arn, "the destruction of the key cannot be certified yet; it is tried again");
            return;
        };
        let change = Change::Delete(record::record_key(key.owner, key.region, key.id));
        if self.commit(key.owner, vec![change, stored]).await.is_err() {
            return;
        }
        self.certifier.certified(&certificate);
        let grants = self
            .view
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key.region, key.id);
        self.forget_grants(&grants).await;
        tracing::info!(
            key = %key.arn,
            certificate = certificate.certificate,
            signature = certificate.signature,
            "the key's material is destroyed"
        );
    }
}
