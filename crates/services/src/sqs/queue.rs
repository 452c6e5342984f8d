//! One queue: its names, its settings, what it holds, and who waits for it.

use super::attempts::Attempts;
use super::deduplication::Deduplication;
use super::index::{Arrival, Hand, Index, Moment, Monotonic, Order, Wanted};
use super::settings::Settings;
use bulla_gate::{AccessRequest, ResourcePolicy};
use bulla_runtime::Clock;
use bulla_storage::Pos;
use bulla_types::{AccountId, QueueName, Region, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Notify;

/// Where a queue is found: a name is unique in one region of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueKey {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: QueueName,
}

impl QueueKey {
    /// `arn:aws:sqs:region:account:name`.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:sqs:{}:{}:{}", self.region, self.account, self.name)
    }

    /// The queue that an ARN names; `None` when it is not the ARN of a queue.
    pub(crate) fn parse_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.strip_prefix("arn:aws:sqs:")?.splitn(3, ':');
        Some(Self {
            region: Region::parse(parts.next()?).ok()?,
            account: AccountId::parse(parts.next()?).ok()?,
            name: QueueName::parse(parts.next()?).ok()?,
        })
    }
}

/// What changes by `SetQueueAttributes` and `TagQueue`, replaced as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Properties {
    pub(crate) settings: Settings,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) modified: Timestamp,
    /// Messages up to here were purged.
    pub(crate) purged_through: Pos,
    /// When the last purge was.
    pub(crate) purged: Option<Timestamp>,
}

/// A queue.
#[derive(Debug)]
pub struct Queue {
    /// Number in receipt handles and in the log; never used again for another queue.
    pub(crate) id: u64,
    pub(crate) key: QueueKey,
    pub(crate) arn: Arc<str>,
    pub(crate) created: Timestamp,
    properties: RwLock<Arc<Properties>>,
    index: Mutex<Index>,
    deleted: AtomicBool,
    /// What only FIFO queues remember.
    fifo: Option<FifoMemory>,
    /// Messages that became durable after the queue was purged or deleted: to be discarded.
    late: Mutex<Vec<Pos>>,
    /// Rung once for each message that becomes ready while somebody waits.
    pub(crate) arrivals: Notify,
    waiting: AtomicUsize,
    /// Rung when a hidden message becomes ready earlier than the watching waiter knows.
    pub(crate) due_changed: Notify,
    is_watched: AtomicBool,
    /// Whether somebody got nothing because too many messages are in flight.
    is_starved: AtomicBool,
    /// When the watching waiter looks again, monotonic milliseconds; the end of time when nobody watches.
    watched_until: AtomicU64,
}

/// What a FIFO queue remembers besides its messages.
#[derive(Debug, Default)]
struct FifoMemory {
    deduplication: Arc<Deduplication>,
    attempts: Mutex<Attempts>,
}

/// What a receiver finds.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) hand: Hand,
    /// As many messages are in flight as may be; nothing was handed out for that reason.
    pub(crate) full: bool,
    /// When the next hidden message becomes ready.
    pub(crate) next_due: Option<Monotonic>,
}

impl Queue {
    pub(crate) fn new(id: u64, key: QueueKey, created: Timestamp, properties: Properties) -> Self {
        Self {
            id,
            key,
            arn: key.arn().into(),
            created,
            properties: RwLock::new(Arc::new(properties)),
            index: Mutex::new(Index::new(if key.name.is_fifo() {
                Order::Fifo
            } else {
                Order::Standard
            })),
            deleted: AtomicBool::new(false),
            fifo: key.name.is_fifo().then(FifoMemory::default),
            late: Mutex::default(),
            arrivals: Notify::new(),
            waiting: AtomicUsize::new(0),
            due_changed: Notify::new(),
            is_watched: AtomicBool::new(false),
            is_starved: AtomicBool::new(false),
            watched_until: AtomicU64::new(u64::MAX),
        }
    }

    /// Whether the queue is first-in-first-out.
    pub(crate) fn is_fifo(&self) -> bool {
        self.fifo.is_some()
    }

    /// Which deduplication ids a FIFO queue knows.
    pub(crate) fn deduplication(&self) -> Option<&Arc<Deduplication>> {
        self.fifo.as_ref().map(|fifo| &fifo.deduplication)
    }

    /// Which receives of a FIFO queue may be repeated.
    pub(crate) fn attempts(&self) -> Option<MutexGuard<'_, Attempts>> {
        let fifo = self.fifo.as_ref()?;
        Some(fifo.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Settings and tags as they are now.
    pub(crate) fn properties(&self) -> Arc<Properties> {
        Arc::clone(&self.properties.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces settings and tags; the caller has made them durable.
    pub(crate) fn replace(&self, properties: Properties) {
        *self.properties.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(properties);
    }

    /// What the queue holds.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for `action` on this queue, for principals of its own account.
    pub(crate) fn access(&self, action: &'static str) -> AccessRequest {
        let properties = self.properties();
        let policy = ResourcePolicy::Attached(properties.settings.policy.clone());
        let mut request =
            AccessRequest::new(action, Arc::clone(&self.arn), self.key.account).with_policy(policy);
        for (key, value) in &properties.tags {
            request = request.with_key(format!("aws:ResourceTag/{key}"), value);
        }
        request
    }

    /// Lets durable messages into the index and wakes one waiter for each. Those that come too late, because the queue
    /// was purged or deleted meanwhile, are put aside for [`take_late`](Self::take_late).
    pub(crate) fn arrive(&self, arrivals: &[Arrival]) {
        let mut index = self.index();
        // Read under the index's lock: a purge raises it before it clears the index.
        let purged_through = self.properties().purged_through;
        let deleted = self.is_deleted();
        let (mut ready, mut due) = (0_usize, None);
        for arrival in arrivals {
            if deleted || arrival.position <= purged_through {
                self.late().push(arrival.position);
                continue;
            }
            index.insert(*arrival);
            match arrival.delayed_until {
                None => ready += 1,
                Some(until) => due = Some(due.map_or(until, |due: Monotonic| due.min(until))),
            }
        }
        drop(index);
        self.wake(ready);
        if let Some(due) = due {
            self.is_due(due);
        }
    }

    fn late(&self) -> MutexGuard<'_, Vec<Pos>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that came too late.
    pub(crate) fn take_late(&self) -> Vec<Pos> {
        std::mem::take(&mut *self.late())
    }

    /// Takes messages for a receiver, unless `in_flight_max` messages are in flight.
    pub(crate) fn take(&self, now: Moment, wanted: &Wanted, in_flight_max: usize) -> Look {
        let mut index = self.index();
        let full = index.in_flight(now.monotonic) >= in_flight_max;
        let hand = if full {
            self.is_starved.store(true, Ordering::Release);
            Hand::default()
        } else {
            index.take(now, wanted)
        };
        let next_due = if hand.taken.is_empty() {
            index.next_due()
        } else {
            None
        };
        drop(index);
        if !hand.taken.is_empty() {
            self.is_due(now.monotonic.after(wanted.visibility));
        }
        Look { hand, full, next_due }
    }

    /// Says that so many messages have left the queue: who got nothing because too many were in flight may try again.
    pub(crate) fn has_room(&self, left: usize) {
        if self.is_starved.swap(false, Ordering::AcqRel) {
            self.wake(left);
        }
    }

    /// Says that something becomes ready then.
    pub(crate) fn is_due(&self, at: Monotonic) {
        if at.0 < self.watched_until.load(Ordering::Acquire) && self.waiting.load(Ordering::Acquire) > 0 {
            self.due_changed.notify_one();
        }
    }

    /// Makes the caller the one waiter that watches for hidden messages becoming ready, unless there is one.
    pub(crate) fn watch(&self) -> Option<Watching<'_>> {
        let taken = self.is_watched.swap(true, Ordering::AcqRel);
        (!taken).then(|| Watching(self))
    }

    /// Rings up to `count` times, not more often than there are waiters.
    pub(crate) fn wake(&self, count: usize) {
        for _ in 0..count.min(self.waiting.load(Ordering::Acquire)) {
            self.arrivals.notify_one();
        }
    }

    /// How many wait for messages.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Counts whoever waits, as long as the guard lives.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        Waiting(self)
    }

    /// Whether the queue was deleted while somebody still held it.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Ends the queue: waiters find out, late arrivals are dropped.
    pub(crate) fn delete(&self) -> Vec<Pos> {
        self.deleted.store(true, Ordering::Release);
        let mut positions = self.index().clear();
        positions.extend(self.deduplication().into_iter().flat_map(|table| table.clear()));
        self.arrivals.notify_waiters();
        positions
    }
}

/// Somebody who waits for messages of a queue.
///
/// When one leaves, another is rung: it may have been the one that watched.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Queue);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        if !self.0.is_watched.load(Ordering::Acquire) {
            self.0.wake(1);
        }
    }
}

/// The waiter that looks again when the next hidden message becomes ready; the others sleep until they are rung, so
/// that ten thousand of them do not wake for one message. Dropped before [`Waiting`].
#[derive(Debug)]
pub(crate) struct Watching<'a>(&'a Queue);

impl Watching<'_> {
    /// Before a look: whatever becomes due from now on rings.
    pub(crate) fn begin(&self) {
        self.0.watched_until.store(u64::MAX, Ordering::Release);
    }

    /// After a look: what becomes due later than this need not ring.
    pub(crate) fn until(&self, at: Monotonic) {
        self.0.watched_until.store(at.0, Ordering::Release);
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.begin();
        self.0.is_watched.store(false, Ordering::Release);
    }
}

/// Both clocks now.
pub(crate) fn moment(clock: &dyn Clock) -> Moment {
    Moment {
        monotonic: Monotonic::from_duration(clock.monotonic()),
        wall: clock.now().as_millis(),
    }
}
