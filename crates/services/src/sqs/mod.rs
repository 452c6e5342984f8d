//! Simple Queue Service: standard and FIFO queues whose messages are sealed, durable and delivered at least once.
//!
//! The directory holds each queue's settings, the log each message's envelope; what is in memory here is rebuilt
//! from both at start. What must stay true:
//!
//! - a send or delete is acknowledged only after its group is durable, and is visible to others before that answer;
//! - nothing reaches the log but an `Envelope`, which only sealing makes;
//! - a message of a queue that is gone, or from before its last purge, never comes back.

mod attempts;
mod batch;
mod content;
mod dead_letter;
mod deduplication;
mod delivery;
mod encryption;
mod envelope;
pub mod errors;
mod impact;
mod index;
mod limits;
mod md5_lanes;
mod message_attributes;
mod meta;
mod move_tasks;
pub mod operations;
mod page;
mod permissions;
mod queue;
mod receipt;
mod receiving;
mod record;
mod recovery;
mod redrive;
mod selection;
mod sending;
mod sequence;
mod settings;
mod tagging;
mod tags;
#[cfg(test)]
mod tests;
mod text;
mod url;

pub use encryption::{HolderUse, KeyHolder, KeyHolders, Revoked};
pub use impact::Impact;

use bulla_envelope::InstanceKey;
use bulla_gate::{Call, Family, Service};
use bulla_runtime::Runtime;
use bulla_storage::{Change, DirectoryWriter, Expect, LogWriter, Stores};
use bulla_types::{AccountId, QueueName, Region, Timestamp};
use bulla_wire::error::common;
use bulla_wire::{MissingWording, Protocol, ServiceWire};
use encryption::Encryption;
use errors::SqsError;
use move_tasks::MoveTasks;
use queue::{Properties, Queue, QueueKey};
use receipt::Receipts;
use record::{QueueRecord, deleted_record_key, queue_record_key};
use settings::Settings;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use tagging::Tagging;
use tokio::sync::Mutex;

/// All queues, and where their messages are.
pub struct Sqs {
    runtime: Runtime,
    directory: DirectoryWriter,
    /// One for each partition of the log.
    logs: Vec<LogWriter>,
    encryption: Encryption,
    receipts: Receipts,
    tagging: Tagging,
    queues: RwLock<BTreeMap<QueueKey, Arc<Queue>>>,
    /// Names that were deleted lately, and when.
    deleted: RwLock<BTreeMap<QueueKey, Timestamp>>,
    moves: MoveTasks,
    /// Held from the check of a change to its being visible, so that disk and memory agree.
    changing: Mutex<()>,
}

/// SQS on the wire: JSON with the Query codes beside, and Query, also on the path of a queue's URL.
const SQS_WIRE: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson10),
    target_prefix: Some("AmazonSQS"),
    query_version: Some("2012-11-05"),
    xmlns: "http://queue.amazonaws.com/doc/2012-11-05/",
    xml_declaration: true,
    error_namespace: Some("com.amazonaws.sqs"),
    query_compatible: true,
    path_member: Some("QueueUrl"),
    missing: MissingWording::Parameter(common::MISSING_PARAMETER),
    ..ServiceWire::new("sqs")
};

impl Service for Sqs {
    const WIRE: &'static ServiceWire = &SQS_WIRE;
    const PRINCIPAL: &'static str = "sqs.amazonaws.com";
    const FAMILY: Family = Family::Sqs;
}

impl std::fmt::Debug for Sqs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sqs")
            .field("partitions", &self.logs.len())
            .finish_non_exhaustive()
    }
}

impl Sqs {
    /// Opens the service over these stores: claims the log, reads what is there, starts the sweep of expired
    /// messages.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn open(
        runtime: Runtime,
        stores: &Stores,
        directory: DirectoryWriter,
        instance: &InstanceKey,
    ) -> Result<Arc<Self>, String> {
        let encryption = Encryption::new(instance, runtime.clone()).map_err(|error| error.to_string())?;
        let receipts = Receipts::new(instance).map_err(|error| error.to_string())?;
        let tagging = Tagging::new(instance).map_err(|error| error.to_string())?;
        let logs = recovery::claim(stores, &runtime).await?;
        let sqs = Arc::new(Self {
            runtime,
            directory,
            logs,
            encryption,
            receipts,
            tagging,
            queues: RwLock::default(),
            deleted: RwLock::default(),
            moves: MoveTasks::default(),
            changing: Mutex::default(),
        });
        sqs.recover().await?;
        Self::start_sweep(&sqs);
        Self::start_moving(&sqs).await?;
        Ok(sqs)
    }

    /// Who holds data keys of the KMS key with this ARN; `epoch` is the gate's authorization number of now.
    #[must_use]
    pub fn key_holders(&self, key: &str, epoch: u64) -> KeyHolders {
        self.encryption.holders(key, epoch)
    }

    /// Drops all data keys of the KMS key with this ARN, and what KMS answered about it: the next send and the next
    /// receive of everybody ask KMS.
    pub fn revoke_data_keys(&self, key: &str) -> Revoked {
        self.encryption.revoke(key)
    }

    /// The queue that a URL names, in the region of the call.
    pub(crate) fn find(&self, call: &Call<'_>, url: &str) -> Result<Arc<Queue>, SqsError> {
        self.queue(&url::parse(url, call.region())?)
    }

    /// The queue of this name.
    pub(crate) fn queue(&self, key: &QueueKey) -> Result<Arc<Queue>, SqsError> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.get(key).cloned().ok_or(SqsError::QueueDoesNotExist)
    }

    /// Queues of one account and region in order of name, at most `max`, behind `after`.
    pub(crate) fn list(
        &self,
        account: AccountId,
        region: Region,
        prefix: &str,
        after: Option<QueueName>,
        max: usize,
    ) -> Vec<Arc<Queue>> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let first = QueueName::parse("-").ok();
        let start = match (after, first) {
            (Some(name), _) => Bound::Excluded(QueueKey {
                account,
                region,
                name,
            }),
            (None, Some(name)) => Bound::Included(QueueKey {
                account,
                region,
                name,
            }),
            (None, None) => Bound::Unbounded,
        };
        queues
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.account == account && key.region == region)
            .filter(|(key, _)| key.name.as_str().starts_with(prefix))
            .take(max)
            .map(|(_, queue)| Arc::clone(queue))
            .collect()
    }

    /// Makes a queue, or finds it when it is there with the same attributes.
    pub(crate) async fn create(
        &self,
        call: &Call<'_>,
        key: QueueKey,
        attributes: &BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<Queue>, SqsError> {
        let settings = Settings::of(&key.name).with(attributes)?;
        let tags = tags::checked(tags)?;
        let _changing = self.changing.lock().await;
        if let Ok(queue) = self.queue(&key) {
            return match queue.properties().settings.first_difference(attributes)? {
                Some(attribute) => Err(SqsError::QueueNameExists(attribute)),
                None => Ok(queue),
            };
        }
        self.check_redrive(&key, &settings, attributes.get("RedrivePolicy"))?;
        if self.deleted_lately(&key, call.time()) {
            return Err(SqsError::QueueDeletedRecently);
        }
        let properties = Properties {
            settings,
            tags,
            modified: call.time(),
            purged_through: bulla_storage::Pos(0),
            purged: None,
        };
        let id = self.runtime.entropy.number();
        let record = QueueRecord::new(id, call.time(), &properties)
            .encode()
            .map_err(|_| SqsError::Internal)?;
        let record_key = queue_record_key(&key).into_bytes();
        let absent = Expect {
            key: record_key.clone().into(),
            absent: true,
        };
        let changes = vec![
            Change::Put(record_key.into(), record),
            Change::Delete(deleted_record_key(&key).into_bytes().into()),
        ];
        self.commit(key.account, vec![absent], changes).await?;
        let queue = Arc::new(Queue::new(id, key, call.time(), properties));
        self.queues
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::clone(&queue));
        self.deleted
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
        Ok(queue)
    }

    fn deleted_lately(&self, key: &QueueKey, now: Timestamp) -> bool {
        let deleted = self.deleted.read().unwrap_or_else(PoisonError::into_inner);
        deleted
            .get(key)
            .is_some_and(|at| now.since(*at) < limits::RECREATE_INTERVAL)
    }

    /// Changes a queue's properties, durably.
    pub(crate) async fn change(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        change: impl FnOnce(&mut Properties) -> Result<(), SqsError> + Send,
    ) -> Result<(), SqsError> {
        let _changing = self.changing.lock().await;
        if queue.is_deleted() {
            return Err(SqsError::QueueDoesNotExist);
        }
        let mut properties = (*queue.properties()).clone();
        change(&mut properties)?;
        let record = QueueRecord::new(queue.id, queue.created, &properties)
            .encode()
            .map_err(|_| SqsError::Internal)?;
        let put = Change::Put(queue_record_key(&queue.key).into_bytes().into(), record);
        self.commit(queue.key.account, Vec::new(), vec![put]).await?;
        queue.replace(properties);
        call.authorization_changed();
        Ok(())
    }

    /// Removes a queue and all its messages.
    pub(crate) async fn delete(&self, call: &Call<'_>, queue: &Arc<Queue>) -> Result<(), SqsError> {
        let _changing = self.changing.lock().await;
        if queue.is_deleted() {
            return Err(SqsError::QueueDoesNotExist);
        }
        let now = call.time();
        let mut changes = vec![
            Change::Delete(queue_record_key(&queue.key).into_bytes().into()),
            Change::Put(
                deleted_record_key(&queue.key).into_bytes().into(),
                now.as_millis().to_be_bytes().to_vec().into(),
            ),
        ];
        changes.extend(self.moves.records_of(queue.id));
        self.commit(queue.key.account, Vec::new(), changes).await?;
        self.moves.forget(queue.id);
        self.deleted
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(queue.key, now);
        self.queues
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&queue.key);
        self.discard(queue, queue.delete());
        Ok(())
    }

    /// Ends all messages that are in the queue.
    pub(crate) async fn purge(&self, call: &Call<'_>, queue: &Arc<Queue>) -> Result<(), SqsError> {
        let through = queue.index().last();
        self.change(call, queue, |properties| {
            let lately = properties
                .purged
                .is_some_and(|at| call.time().since(at) < limits::PURGE_INTERVAL);
            if lately {
                return Err(SqsError::PurgeQueueInProgress(queue.key.name.to_string()));
            }
            properties.purged = Some(call.time());
            properties.purged_through = properties.purged_through.max(through);
            Ok(())
        })
        .await?;
        let gone = queue.index().clear_through(through);
        if queue.is_fifo() {
            // What waited behind them may be ready now.
            queue.wake(gone.len());
        }
        self.discard(queue, gone);
        Ok(())
    }

    async fn commit(
        &self,
        account: AccountId,
        expect: Vec<Expect>,
        changes: Vec<Change>,
    ) -> Result<(), SqsError> {
        let partition = self.directory.partition_of(account.as_str().as_bytes());
        self.directory
            .commit(partition, expect, changes)
            .await
            .map(drop)
            .map_err(|error| failed(&error))
    }
}

/// What the client is told when a store fails; the operator finds the cause in the log.
fn failed(error: &bulla_storage::Error) -> SqsError {
    tracing::error!(%error, "a change of SQS was not made durable");
    SqsError::Internal
}
