//! Every quota of SQS. Source: SQS Developer Guide, "Quotas", and the API Reference (read 2026-11-21).

use std::time::Duration;

/// Largest message, and largest sum of a batch: body and attributes, bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1_048_576;
/// Smallest value of `MaximumMessageSize`, bytes.
pub(crate) const MESSAGE_BYTES_MAX_MIN: u32 = 1024;
/// Entries of a batch.
pub(crate) const BATCH_ENTRIES_MAX: usize = 10;
/// Length of a batch entry's id, characters.
pub(crate) const BATCH_ENTRY_ID_CHARS_MAX: usize = 80;
/// Message attributes of one message.
pub(crate) const MESSAGE_ATTRIBUTES_MAX: usize = 10;
/// Length of a message attribute's name or type, characters.
pub(crate) const ATTRIBUTE_NAME_CHARS_MAX: usize = 256;
/// Length of a message group's, a deduplication's or a receive attempt's id, characters.
pub(crate) const IDENTIFIER_CHARS_MAX: usize = 128;
/// Messages that one call receives.
pub(crate) const RECEIVE_MESSAGES_MAX: i32 = 10;
/// Longest visibility timeout, seconds; also in total from the first receive.
pub(crate) const VISIBILITY_SECONDS_MAX: i32 = 43_200;
/// Longest delay, seconds.
pub(crate) const DELAY_SECONDS_MAX: i32 = 900;
/// Longest long poll, seconds.
pub(crate) const WAIT_SECONDS_MAX: i32 = 20;
/// Shortest retention, seconds.
pub(crate) const RETENTION_SECONDS_MIN: u32 = 60;
/// Longest retention, seconds.
pub(crate) const RETENTION_SECONDS_MAX: u32 = 1_209_600;
/// Shortest time a data key is used again, seconds.
pub(crate) const KEY_REUSE_SECONDS_MIN: u32 = 60;
/// Longest time a data key is used again, seconds.
pub(crate) const KEY_REUSE_SECONDS_MAX: u32 = 86_400;
/// Messages of a queue that are received and not yet deleted.
pub(crate) const IN_FLIGHT_MAX: usize = 120_000;
/// Largest `maxReceiveCount` of a redrive policy.
pub(crate) const REDRIVE_RECEIVES_MAX: u32 = 1000;
/// Source queues that a redrive allow policy names.
pub(crate) const REDRIVE_SOURCES_MAX: usize = 10;
/// Length of a permission's label, characters.
pub(crate) const PERMISSION_LABEL_CHARS_MAX: usize = 80;
/// Actions that one permission gives.
pub(crate) const PERMISSION_ACTIONS_MAX: usize = 7;
/// Highest rate of a message move task, messages a second.
pub(crate) const MOVE_RATE_MAX: u32 = 500;
/// Message move tasks of a queue that are remembered, and shown at most.
pub(crate) const MOVE_TASKS_KEPT_MAX: usize = 10;
/// Message move tasks that are shown when nothing else is asked for.
pub(crate) const MOVE_TASKS_SHOWN: usize = 1;
/// Tags of a queue.
pub(crate) const TAGS_MAX: usize = 50;
/// Length of a tag's key, characters.
pub(crate) const TAG_KEY_CHARS_MAX: usize = 128;
/// Length of a tag's value, characters.
pub(crate) const TAG_VALUE_CHARS_MAX: usize = 256;
/// Queues on one page of `ListQueues`.
pub(crate) const LIST_PAGE_MAX: i32 = 1000;
/// A queue is purged at most once in this time.
pub(crate) const PURGE_INTERVAL: Duration = Duration::from_mins(1);
/// A deleted queue's name is free again after this time.
pub(crate) const RECREATE_INTERVAL: Duration = Duration::from_mins(1);
/// Length of a request's or a policy's text that names a queue's key, characters.
pub(crate) const KMS_KEY_CHARS_MAX: usize = 2048;

const _: () = assert!(MESSAGE_BYTES_MAX_MIN as usize <= MESSAGE_BYTES_MAX);
const _: () = assert!(KEY_REUSE_SECONDS_MIN <= KEY_REUSE_SECONDS_MAX);
const _: () = assert!(RETENTION_SECONDS_MIN <= RETENTION_SECONDS_MAX);
