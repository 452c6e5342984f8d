//! One queue: its names, its settings, what it holds, and who waits for it.

use super::index::{Arrival, Hand, Index, Moment, Monotonic, Order, Wanted};
use super::settings::Settings;
use bulla_gate::{AccessRequest, ResourcePolicy};
use bulla_runtime::Clock;
use bulla_storage::Pos;
use bulla_types::{AccountId, QueueName, Region, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    /// Rung once for each message that becomes ready while somebody waits.
    pub(crate) arrivals: Notify,
    waiting: AtomicUsize,
}

impl Queue {
    pub(crate) fn new(id: u64, key: QueueKey, created: Timestamp, properties: Properties) -> Self {
        let order = if key.name.is_fifo() {
            Order::Fifo
        } else {
            Order::Standard
        };
        Self {
            id,
            key,
            arn: key.arn().into(),
            created,
            properties: RwLock::new(Arc::new(properties)),
            index: Mutex::new(Index::new(order)),
            deleted: AtomicBool::new(false),
            arrivals: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
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

    /// Lets durable messages into the index and wakes one waiter for each. Answers those that came too late: the
    /// queue was purged or deleted meanwhile.
    pub(crate) fn arrive(&self, arrivals: impl Iterator<Item = Arrival>) -> Vec<Pos> {
        let mut index = self.index();
        // Read under the index's lock: a purge raises it before it clears the index.
        let purged_through = self.properties().purged_through;
        let deleted = self.is_deleted();
        let (mut ready, mut delayed, mut late) = (0_usize, false, Vec::new());
        for arrival in arrivals {
            if deleted || arrival.position <= purged_through {
                late.push(arrival.position);
                continue;
            }
            index.insert(arrival);
            match arrival.delayed_until {
                None => ready += 1,
                Some(_) => delayed = true,
            }
        }
        drop(index);
        self.wake(ready.max(usize::from(delayed)));
        late
    }

    /// Takes messages for a receiver.
    pub(crate) fn take(&self, now: Moment, wanted: &Wanted) -> Hand {
        let hand = self.index().take(now, wanted);
        if !hand.taken.is_empty() {
            // The earliest time at which something becomes ready has changed; somebody must wait for the new one.
            self.wake(1);
        }
        hand
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
        let positions = self.index().clear();
        self.arrivals.notify_waiters();
        positions
    }
}

/// Somebody who waits for messages of a queue.
///
/// When one leaves, another is rung: at every time at least one waiter must know when the next hidden message
/// becomes ready.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Queue);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.0.wake(1);
    }
}

/// Both clocks now.
pub(crate) fn moment(clock: &dyn Clock) -> Moment {
    Moment {
        monotonic: Monotonic::from_duration(clock.monotonic()),
        wall: clock.now().as_millis(),
    }
}
