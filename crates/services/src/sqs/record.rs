//! What is written: the directory's record of a queue, and the log's record of a message besides its envelope.

use super::index::{Lease, Moment, Monotonic, Taken};
use super::queue::{Properties, Queue, QueueKey};
use super::settings::Settings;
use bulla_storage::Pos;
use bulla_types::{AccountId, QueueName, Region, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a message can be hidden by a receive.
const VISIBILITY_MAX: Duration = Duration::from_hours(12);
/// How long a message can be delayed.
pub(crate) const DELAY_MAX: Duration = Duration::from_mins(15);

/// Keys of queue records begin so.
pub(crate) const QUEUE_PREFIX: &str = "sqs/queue/";
/// Keys of records that remember when a queue was deleted begin so.
pub(crate) const DELETED_PREFIX: &str = "sqs/deleted/";

/// The directory key of a queue.
pub(crate) fn queue_record_key(key: &QueueKey) -> String {
    format!("{QUEUE_PREFIX}{}/{}/{}", key.account, key.region, key.name)
}

/// The directory key under which a queue's deletion is remembered.
pub(crate) fn deleted_record_key(key: &QueueKey) -> String {
    format!("{DELETED_PREFIX}{}/{}/{}", key.account, key.region, key.name)
}

/// The queue that a directory key names.
pub(crate) fn parse_key(text: &str, prefix: &str) -> Option<QueueKey> {
    let mut parts = text.strip_prefix(prefix)?.splitn(3, '/');
    Some(QueueKey {
        account: AccountId::parse(parts.next()?).ok()?,
        region: Region::parse(parts.next()?).ok()?,
        name: QueueName::parse(parts.next()?).ok()?,
    })
}

/// A queue in the directory.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueRecord {
    version: u32,
    id: u64,
    created_ms: u64,
    modified_ms: u64,
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    purged_through: u64,
    purged_ms: Option<u64>,
}

impl QueueRecord {
    pub(crate) fn new(id: u64, created: Timestamp, properties: &Properties) -> Self {
        Self {
            version: 1,
            id,
            created_ms: created.as_millis(),
            modified_ms: properties.modified.as_millis(),
            attributes: properties.settings.stored(),
            tags: properties.tags.clone(),
            purged_through: properties.purged_through.0,
            purged_ms: properties.purged.map(Timestamp::as_millis),
        }
    }

    pub(crate) fn encode(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    /// The queue that was recorded.
    ///
    /// # Errors
    /// A sentence for the operator, when the record is of another version or does not make sense.
    pub(crate) fn decode(key: QueueKey, bytes: &[u8]) -> Result<Queue, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if record.version != 1 {
            return Err(format!(
                "queue record of version {}, which this release does not know",
                record.version
            ));
        }
        let settings = Settings::of(&key.name)
            .with(&record.attributes)
            .map_err(|error| format!("{error:?}"))?;
        let properties = Properties {
            settings,
            tags: record.tags,
            modified: Timestamp::from_millis(record.modified_ms),
            purged_through: Pos(record.purged_through),
            purged: record.purged_ms.map(Timestamp::from_millis),
        };
        Ok(Queue::new(
            record.id,
            key,
            Timestamp::from_millis(record.created_ms),
            properties,
        ))
    }
}

/// A note about a message's latest receive. It may be lost in a crash; then the message comes back earlier.
pub(crate) fn encode_lease(taken: &Taken, now: Moment, visibility: Duration) -> Bytes {
    let until = Timestamp::from_millis(now.wall).after(visibility);
    let mut bytes = Vec::with_capacity(20);
    bytes.extend_from_slice(&taken.receives.to_be_bytes());
    bytes.extend_from_slice(&taken.first_received.to_be_bytes());
    bytes.extend_from_slice(&until.as_millis().to_be_bytes());
    Bytes::from(bytes)
}

/// Reads a note of a receive.
pub(crate) fn decode_lease(bytes: &[u8], now: Moment) -> Option<Lease> {
    let (receives, rest) = bytes.split_first_chunk::<4>()?;
    let (first_received, rest) = rest.split_first_chunk::<8>()?;
    let until = u64::from_be_bytes(*rest.first_chunk::<8>()?);
    Some(Lease {
        receives: u32::from_be_bytes(*receives),
        first_received: u64::from_be_bytes(*first_received),
        until: until_monotonic(until, now, VISIBILITY_MAX),
    })
}

/// A wall-clock time on the monotonic clock; `None` when it has passed. Not later than `max` from now: the wall clock
/// may have been set back since the time was written.
pub(crate) fn until_monotonic(wall: u64, now: Moment, max: Duration) -> Option<Monotonic> {
    (wall > now.wall).then(|| {
        now.monotonic
            .after(Duration::from_millis(wall - now.wall).min(max))
    })
}
