//! When access keys were last used, as far as it is told.
//!
//! A use is noted when the last one noted is a quarter of an hour old: in memory at once, on disk by a task of its own
//! that no request waits for. So an answer is late by at most that long, and a restart forgets no more than a use whose
//! task had not ended. What must stay true: the table has no more entries than there are access keys, and what is
//! noted twice within the time costs a look into the table and nothing else.

use super::Iam;
use super::view::View;
use bulla_runtime::Tasks;
use bulla_storage::{Change, DirectoryWriter};
use bulla_types::{AccountId, Region, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// All records begin so; then the account and the access key's id. Not under the principals' prefix: whoever reads
/// those does not have to know these.
pub(super) const PREFIX: &str = "iam-use/";
/// How old a use is before the next one is noted.
const NOTED_AFTER: Duration = Duration::from_mins(15);
const FORMAT: u32 = 1;

/// The last use that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) at: Timestamp,
    /// Signing name: `sqs`.
    pub(super) service: String,
    pub(super) region: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UseRecord {
    format: u32,
    at_ms: u64,
    service: String,
    region: String,
}

/// The uses of all access keys, and what of them is not on disk yet.
#[derive(Clone)]
pub(super) struct LastUsed(Arc<Inner>);

struct Inner {
    records: DirectoryWriter,
    tasks: Arc<dyn Tasks>,
    table: RwLock<HashMap<Arc<str>, Use>>,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    changes: Vec<(AccountId, Change)>,
    /// Whether a task is there to write them.
    is_served: bool,
}

impl LastUsed {
    /// What was stored; of keys that are gone it is forgotten.
    ///
    /// # Errors
    /// The name of a record that is damaged, and what is wrong with it.
    pub(super) fn stored(
        stored: Vec<(Bytes, Bytes)>,
        view: &View,
        records: DirectoryWriter,
        tasks: Arc<dyn Tasks>,
    ) -> Result<Self, (String, String)> {
        let mut table = HashMap::new();
        let mut pending = Pending::default();
        for (name, value) in stored {
            let damaged = |reason: &str| (String::from_utf8_lossy(&name).into_owned(), reason.to_owned());
            let (account, key) = parse_name(&name).ok_or_else(|| damaged("its name is not that of a use"))?;
            let record: UseRecord =
                serde_json::from_slice(&value).map_err(|error| damaged(&error.to_string()))?;
            if record.format != FORMAT {
                return Err(damaged("its format is not one that this version reads"));
            }
            if view.key(key).is_none() {
                pending.changes.push((account, Change::Delete(name.clone())));
                continue;
            }
            let used = Use {
                at: Timestamp::from_millis(record.at_ms),
                service: record.service,
                region: record.region,
            };
            table.insert(key.into(), used);
        }
        Ok(Self(Arc::new(Inner {
            records,
            tasks,
            table: RwLock::new(table),
            pending: Mutex::new(pending),
        })))
    }

    /// The last use that was noted.
    pub(super) fn of(&self, access_key: &str) -> Option<Use> {
        self.0.table().get(access_key).cloned()
    }

    /// Whether a use now would add nothing to what is noted. One in the future was noted by a clock that went wrong.
    pub(super) fn is_noted(&self, access_key: &str, now: Timestamp) -> bool {
        self.0
            .table()
            .get(access_key)
            .is_some_and(|used| used.at <= now && now < used.at.after(NOTED_AFTER))
    }

    /// Notes a use.
    pub(super) fn note(&self, account: AccountId, access_key: &str, used: Use) {
        let record = serde_json::to_vec(&UseRecord {
            format: FORMAT,
            at_ms: used.at.as_millis(),
            service: used.service.clone(),
            region: used.region.clone(),
        });
        self.0.table_mut().insert(access_key.into(), used);
        if let Ok(record) = record {
            self.write(account, Change::Put(name(account, access_key), record.into()));
        }
    }

    /// Forgets the use of a key that is deleted.
    pub(super) fn forget(&self, account: AccountId, access_key: &str) {
        self.0.table_mut().remove(access_key);
        self.write(account, Change::Delete(name(account, access_key)));
    }

    fn write(&self, account: AccountId, change: Change) {
        let mut pending = self.0.pending();
        pending.changes.push((account, change));
        let is_served = std::mem::replace(&mut pending.is_served, true);
        drop(pending);
        if is_served {
            return;
        }
        let inner = Arc::clone(&self.0);
        self.0.tasks.spawn(Box::pin(async move {
            loop {
                let changes = inner.next();
                if changes.is_empty() {
                    return;
                }
                inner.commit(changes).await;
            }
        }));
    }
}

impl Inner {
    fn table(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Use>> {
        // An entry is whole or absent.
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Use>> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written; nothing when the task is to end.
    fn next(&self) -> Vec<(AccountId, Change)> {
        let mut pending = self.pending();
        pending.is_served = !pending.changes.is_empty();
        std::mem::take(&mut pending.changes)
    }

    async fn commit(&self, changes: Vec<(AccountId, Change)>) {
        let mut partitions: BTreeMap<_, Vec<Change>> = BTreeMap::new();
        for (account, change) in changes {
            let partition = self.records.partition_of(account.as_str().as_bytes());
            partitions.entry(partition).or_default().push(change);
        }
        for (partition, mut changes) in partitions {
            while !changes.is_empty() {
                let rest = changes.split_off(changes.len().min(CHANGES_PER_COMMIT_MAX));
                let part = std::mem::replace(&mut changes, rest);
                // Nothing stands on it: the next use is noted again.
                if let Err(error) = self.records.commit(partition, Vec::new(), part).await {
                    tracing::warn!(%error, "when access keys were last used was not stored");
                }
            }
        }
    }
}

impl std::fmt::Debug for LastUsed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LastUsed").finish_non_exhaustive()
    }
}

impl Iam {
    /// Notes that an access key of a user or root user signed a request.
    pub(super) fn used(&self, access_key: &str, service: &str, region: Region, now: Timestamp) {
        if self.last_used.is_noted(access_key, now) {
            return;
        }
        let account = self.view().key(access_key).map(|key| key.identity.account);
        let Some(account) = account else { return };
        let used = Use {
            at: now,
            service: service.to_owned(),
            region: region.as_str().to_owned(),
        };
        self.note_use(account, access_key, used);
    }

    /// Notes a use, unless the key is gone by now: it may have been deleted, and its use forgotten, since it was found.
    pub(super) fn note_use(&self, account: AccountId, access_key: &str, used: Use) {
        self.last_used.note(account, access_key, used);
        if self.view().key(access_key).is_none() {
            self.last_used.forget(account, access_key);
        }
    }
}

/// What a commit of the directory takes, with room to spare.
const CHANGES_PER_COMMIT_MAX: usize = 200;

fn name(account: AccountId, access_key: &str) -> Bytes {
    format!("{PREFIX}{account}/{access_key}").into()
}

fn parse_name(name: &[u8]) -> Option<(AccountId, &str)> {
    let rest = std::str::from_utf8(name).ok()?.strip_prefix(PREFIX)?;
    let (account, key) = rest.split_once('/')?;
    Some((AccountId::parse(account).ok()?, key))
}
