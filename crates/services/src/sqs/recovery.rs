//! What happens at start: queues from the directory, their messages from the log, leases from notes.

use super::Sqs;
use super::index::{Arrival, Moment};
use super::queue::{Queue, moment};
use super::record::{self, DELETED_PREFIX, MessageMeta, QUEUE_PREFIX, QueueRecord};
use bulla_runtime::Runtime;
use bulla_storage::{LogWriter, PartitionId, Pos, Record, Stores};
use bulla_types::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

/// Name of this process as owner of partitions.
const NODE: &str = "local";
/// Messages that are read at once.
const SCAN_MAX: usize = 500;

/// Claims every partition of the log.
pub(super) async fn claim(stores: &Stores, runtime: &Runtime) -> Result<Vec<LogWriter>, String> {
    let mut logs = Vec::new();
    for partition in 0..stores.log.partitions() {
        let opened = LogWriter::open(
            stores.log.as_ref(),
            PartitionId(partition),
            NODE,
            runtime.tasks.as_ref(),
        );
        logs.push(
            opened
                .await
                .map_err(|error| format!("cannot open partition {partition} of the log: {error}"))?,
        );
    }
    Ok(logs)
}

impl Sqs {
    /// Reads everything that is durable.
    pub(super) async fn recover(&self) -> Result<(), String> {
        let queues = self.read_queues().await?;
        self.read_deleted().await?;
        let now = moment(self.runtime.clock.as_ref());
        for log in &self.logs {
            let mut cursor = None;
            loop {
                let page = log
                    .scan(cursor, SCAN_MAX)
                    .await
                    .map_err(|error| format!("cannot read the log: {error}"))?;
                self.restore(&queues, page.items, now)?;
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn read_queues(&self) -> Result<HashMap<u64, Arc<Queue>>, String> {
        let records = self
            .directory
            .scan_all(QUEUE_PREFIX.into())
            .await
            .map_err(|error| error.to_string())?;
        let mut by_id = HashMap::new();
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        for (_, key, value) in records {
            let name = String::from_utf8_lossy(&key);
            let parsed = record::parse_key(&name, QUEUE_PREFIX)
                .ok_or_else(|| format!("not a queue's key: `{name}`"))?;
            let queue =
                QueueRecord::decode(parsed, &value).map_err(|why| format!("queue `{name}`: {why}"))?;
            let queue = Arc::new(queue);
            by_id.insert(queue.id, Arc::clone(&queue));
            queues.insert(parsed, queue);
        }
        Ok(by_id)
    }

    async fn read_deleted(&self) -> Result<(), String> {
        let records = self
            .directory
            .scan_all(DELETED_PREFIX.into())
            .await
            .map_err(|error| error.to_string())?;
        let mut deleted = self.deleted.write().unwrap_or_else(PoisonError::into_inner);
        for (_, key, value) in records {
            let parsed = record::parse_key(&String::from_utf8_lossy(&key), DELETED_PREFIX);
            let at = value.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
            if let (Some(parsed), Some(at)) = (parsed, at) {
                deleted.insert(parsed, Timestamp::from_millis(at));
            }
        }
        Ok(())
    }

    /// Puts messages into their queues' indexes; those that belong to no queue any more are discarded.
    fn restore(
        &self,
        queues: &HashMap<u64, Arc<Queue>>,
        records: Vec<Record>,
        now: Moment,
    ) -> Result<(), String> {
        // In order, so that a simulated start repeats.
        let mut gone: BTreeMap<u64, Vec<Pos>> = BTreeMap::new();
        for record in records {
            let meta = MessageMeta::decode(&record.meta).ok_or_else(|| {
                format!(
                    "the log's record {} is not a message of this release",
                    record.pos.0
                )
            })?;
            let queue = queues
                .get(&meta.queue)
                .filter(|queue| record.pos > queue.properties().purged_through);
            let Some(queue) = queue else {
                gone.entry(meta.queue).or_default().push(record.pos);
                continue;
            };
            let delayed_until = meta
                .available
                .and_then(|at| record::until_monotonic(at.as_millis(), now, record::DELAY_MAX));
            let mut index = queue.index();
            let arrival = Arrival {
                position: record.pos,
                message: meta.message,
                sent: meta.sent.as_millis(),
                group: None,
                delayed_until,
            };
            let lease = record
                .note
                .as_ref()
                .and_then(|note| record::decode_lease(note, now));
            match lease {
                Some(lease) => index.restore(now.monotonic, arrival, lease),
                None => index.insert(arrival),
            }
        }
        for (queue, positions) in gone {
            self.discard_positions(queue, positions);
        }
        Ok(())
    }
}
