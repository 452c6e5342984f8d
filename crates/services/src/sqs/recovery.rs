//! What happens at start: queues from the directory, their messages from the log, leases from notes.

use super::Sqs;
use super::deduplication::{Original, WINDOW_MILLIS};
use super::index::{Arrival, GroupTag, Moment};
use super::meta::{DeduplicationMeta, MessageMeta, Meta, MovedFrom};
use super::queue::{Queue, moment};
use super::record::{self, DELETED_PREFIX, QUEUE_PREFIX, QueueRecord};
use bulla_runtime::Runtime;
use bulla_storage::{LogWriter, PartitionId, Pos, Record, Stores};
use bulla_types::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

/// Name of this process as owner of partitions.
const NODE: &str = "local";
/// Moves that are ended in one commit.
const END_MOVES_MAX: usize = 200;
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
        let mut moved = Vec::new();
        for log in &self.logs {
            let mut cursor = None;
            loop {
                let page = log
                    .scan(cursor, SCAN_MAX)
                    .await
                    .map_err(|error| format!("cannot read the log: {error}"))?;
                self.restore(&queues, page.items, &mut moved, now)?;
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        self.end_moves(&queues, moved).await
    }

    /// Ends moves between queues that a crash cut short: the message lies in the new queue, so it leaves the old one,
    /// durably before anybody can delete it from the new one.
    async fn end_moves(
        &self,
        queues: &HashMap<u64, Arc<Queue>>,
        moved: Vec<(MovedFrom, Option<GroupTag>)>,
    ) -> Result<(), String> {
        let now = moment(self.runtime.clock.as_ref());
        let mut twice: BTreeMap<u64, Vec<Pos>> = BTreeMap::new();
        for (from, group) in moved {
            let Some(queue) = queues.get(&from.queue) else {
                continue;
            };
            if queue.index().remove_restored(from.position, group) {
                twice.entry(from.queue).or_default().push(from.position);
            }
        }
        for (queue, positions) in twice {
            let Some(queue) = queues.get(&queue) else { continue };
            for deletes in positions.chunks(END_MOVES_MAX) {
                self.delete_positions(queue, deletes.to_vec(), now.wall)
                    .await
                    .map_err(|_| "cannot end a move between queues: the log cannot be written".to_owned())?;
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
        moved: &mut Vec<(MovedFrom, Option<GroupTag>)>,
        now: Moment,
    ) -> Result<(), String> {
        // In order, so that a simulated start repeats.
        let mut gone: BTreeMap<u64, Vec<Pos>> = BTreeMap::new();
        for record in records {
            let meta = Meta::decode(&record.meta).ok_or_else(|| {
                format!(
                    "the log's record {} is not a message of this release",
                    record.pos.0
                )
            })?;
            let kept = match meta {
                Meta::Message(message) => restore_message(queues, moved, &record, &message, now),
                Meta::Deduplication(left) => restore_deduplication(queues, record.pos, &left, now),
            };
            if !kept {
                gone.entry(meta.queue()).or_default().push(record.pos);
            }
        }
        for (queue, positions) in gone {
            match queues.get(&queue) {
                // Purged: their duplicates may still have to be recognized.
                Some(queue) => self.discard(queue, positions),
                None => self.discard_positions(queue, positions),
            }
        }
        Ok(())
    }
}

/// Puts a message into its queue's index; `false` when it belongs to no queue any more.
fn restore_message(
    queues: &HashMap<u64, Arc<Queue>>,
    moved: &mut Vec<(MovedFrom, Option<GroupTag>)>,
    record: &Record,
    message: &MessageMeta,
    now: Moment,
) -> bool {
    let Some(queue) = queues.get(&message.queue) else {
        return false;
    };
    // Also what was purged is recognized when it is sent again.
    if let (Some(table), Some(sent)) = (queue.deduplication(), message.deduplication) {
        let original = Original {
            message: sent.message,
            position: record.pos,
        };
        table.restore(sent.tag, original, message.sent, now.wall);
    }
    if record.pos <= queue.properties().purged_through {
        return false;
    }
    // A copy keeps the group of its original.
    moved.extend(message.moved_from.map(|from| (from, message.group)));
    let arrival = Arrival {
        position: record.pos,
        sent: message.sent,
        group: message.group,
        delayed_until: message
            .available
            .and_then(|at| record::until_monotonic(at, now, record::DELAY_MAX)),
    };
    let note = record.note.as_ref();
    match note.and_then(|note| record::decode_lease(note, now)) {
        Some(lease) => queue.index().restore(now.monotonic, arrival, lease),
        None => queue.index().insert(arrival),
    }
    true
}

/// Remembers a deleted message of which duplicates must still be recognized; `false` when that time is over.
fn restore_deduplication(
    queues: &HashMap<u64, Arc<Queue>>,
    position: Pos,
    left: &DeduplicationMeta,
    now: Moment,
) -> bool {
    let table = queues.get(&left.queue).and_then(|queue| queue.deduplication());
    let Some(table) = table.filter(|_| now.wall < left.sent.saturating_add(WINDOW_MILLIS)) else {
        return false;
    };
    let original = Original {
        message: left.deduplicated.message,
        position: left.position,
    };
    table.restore(left.deduplicated.tag, original, left.sent, now.wall);
    table.recorded(left.sent, position);
    true
}
