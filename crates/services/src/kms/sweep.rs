//! What happens to keys by itself: the material of those whose deletion date has come is destroyed, and those whose
//! rotation is due are rotated, imported material that has expired is destroyed, and primary keys whose last replica is gone
//! begin to wait for their own deletion.

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
    /// Deletes the records of keys that are due, and what is in memory of them. What fails is tried again next time.
    pub(super) async fn sweep(&self) {
        let _writing = self.writing.lock().await;
        let due = self.view().gone(self.runtime.clock.now());
        for key in due {
            let change = Change::Delete(record::record_key(key.owner, key.region, key.id));
            if self.commit(key.owner, vec![change]).await.is_ok() {
                let grants = self
                    .view
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(key.region, key.id);
                self.forget_grants(&grants).await;
                tracing::info!(key = %key.arn, "the key's deletion date has come; its material is destroyed");
            }
        }
    }
}
