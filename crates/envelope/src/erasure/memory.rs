//! Erasure keys in memory: for stores that are in memory too, and for tests.

use super::{ErasureError, ErasureKeys, ErasureName, ErasureState, Tombstone};
use crate::secret::SecretKey;
use bulla_runtime::{BoxFuture, Entropy};
use bulla_types::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

enum Kept {
    Key(Arc<SecretKey>),
    Tombstone(Tombstone),
}

/// Erasure keys that are gone with the last handle on them.
#[derive(Clone)]
pub struct MemoryErasureKeys {
    kept: Arc<Mutex<HashMap<ErasureName, Kept>>>,
    entropy: Arc<dyn Entropy>,
}

impl MemoryErasureKeys {
    /// None yet.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            kept: Arc::default(),
            entropy,
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ErasureName, Kept>> {
        // Nothing panics while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create_now(&self, names: Vec<ErasureName>) -> Result<Vec<Arc<SecretKey>>, ErasureError> {
        let mut kept = self.kept();
        let mut keys = Vec::with_capacity(names.len());
        for name in names {
            let made = || Kept::Key(Arc::new(SecretKey::generate(&*self.entropy)));
            match kept.entry(name.clone()).or_insert_with(made) {
                Kept::Key(key) => keys.push(Arc::clone(key)),
                Kept::Tombstone(tombstone) => return Err(ErasureError::destroyed(&name, tombstone)),
            }
        }
        Ok(keys)
    }

    fn load_now(&self, names: &[ErasureName]) -> Vec<ErasureState> {
        let kept = self.kept();
        let state = |name| match kept.get(name) {
            Some(Kept::Key(key)) => ErasureState::Present(Arc::clone(key)),
            Some(Kept::Tombstone(tombstone)) => ErasureState::Destroyed(*tombstone),
            None => ErasureState::Missing {
                why: format!("there is no {}", self.describe(name)),
            },
        };
        names.iter().map(state).collect()
    }

    fn destroy_now(&self, name: ErasureName, now: Timestamp) -> Tombstone {
        let mut kept = self.kept();
        let tombstone = match kept.get(&name) {
            Some(Kept::Tombstone(tombstone)) => *tombstone,
            found => Tombstone {
                begun: now,
                had_key: found.is_some(),
            },
        };
        kept.insert(name, Kept::Tombstone(tombstone));
        tombstone
    }
}

impl ErasureKeys for MemoryErasureKeys {
    fn create(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<Arc<SecretKey>>, ErasureError>> {
        Box::pin(ready(self.create_now(names)))
    }

    fn load(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<ErasureState>, ErasureError>> {
        Box::pin(ready(Ok(self.load_now(&names))))
    }

    fn destroy(&self, name: ErasureName, now: Timestamp) -> BoxFuture<'_, Result<Tombstone, ErasureError>> {
        Box::pin(ready(Ok(self.destroy_now(name, now))))
    }

    fn is_new(&self) -> BoxFuture<'_, Result<bool, ErasureError>> {
        let is_new = self.kept().is_empty();
        Box::pin(ready(Ok(is_new)))
    }

    fn describe(&self, name: &ErasureName) -> String {
        format!("erasure key `{name}` in memory")
    }
}

impl fmt::Debug for MemoryErasureKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryErasureKeys(..)")
    }
}
