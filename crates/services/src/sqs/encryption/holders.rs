//! Who holds data keys of a KMS key, for the operator; and taking them away.

use super::Encryption;
use super::cache::{Cached, Requester};
use bulla_types::Timestamp;
use std::sync::Arc;

/// What a principal does with a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HolderUse {
    /// It sends under a data key of its own.
    Sealing,
    /// It receives what data keys of the queue sealed.
    Opening,
}

/// A principal for whom KMS is not asked again for a while.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHolder {
    /// ARN.
    pub principal: Arc<str>,
    /// Id of the access key, when the credentials are temporary.
    pub access_key: Option<Box<str>>,
    /// ARN of the queue that the messages were sealed in.
    pub queue: Arc<str>,
    /// For what.
    pub purpose: HolderUse,
    /// When KMS was asked.
    pub since: Timestamp,
    /// When KMS is asked again at the latest.
    pub until: Timestamp,
    /// Whether nothing that decisions depend on has changed since; if something has, KMS is asked on the next call.
    pub current: bool,
}

/// What is cached of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolders {
    /// In order of principal and queue.
    pub holders: Vec<KeyHolder>,
    /// Data keys in clear that open messages for those of the holders who receive.
    pub data_keys: usize,
}

/// What was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Holders that there were.
    pub holders: usize,
    /// Data keys in clear that there were.
    pub data_keys: usize,
}

impl Encryption {
    /// Who holds data keys of this KMS key; `epoch` is the authorization number of now.
    pub(crate) fn holders(&self, key: &str, epoch: u64) -> KeyHolders {
        let now = self.cache.now();
        let sealing = self.cache.sealing.of_key(key, now);
        let sealing = sealing.into_iter().filter_map(|(scope, held)| {
            let place = (&held.queue, held.epoch == epoch);
            Some(holder(scope.requester?, HolderUse::Sealing, place, &*held))
        });
        let verdicts = self.cache.verdicts.of_key(key, now);
        let opening = verdicts.into_iter().map(|(scope, held)| {
            let place = (&held.queue, held.epoch == epoch);
            holder(scope.requester, HolderUse::Opening, place, &*held)
        });
        let mut holders: Vec<KeyHolder> = sealing.chain(opening).collect();
        holders.sort_unstable();
        KeyHolders {
            holders,
            data_keys: self.cache.opened.of_key(key, now).len(),
        }
    }

    /// Entries of KMS keys in memory: those that seal, those that open, answers.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let cache = &self.cache;
        (
            cache.sealing.count(),
            cache.opened.count(),
            cache.verdicts.count(),
        )
    }

    /// Drops everything of this KMS key: the next call of everybody asks KMS.
    pub(crate) fn revoke(&self, key: &str) -> Revoked {
        Revoked {
            holders: self.cache.sealing.revoke(key) + self.cache.verdicts.revoke(key),
            data_keys: self.cache.opened.revoke(key),
        }
    }
}

fn holder(
    requester: Requester,
    purpose: HolderUse,
    (queue, current): (&Arc<str>, bool),
    held: &impl Cached,
) -> KeyHolder {
    let life = held.life();
    KeyHolder {
        principal: requester.principal,
        access_key: requester.access_key,
        queue: Arc::clone(queue),
        purpose,
        since: life.since,
        until: life.until(),
        current,
    }
}
