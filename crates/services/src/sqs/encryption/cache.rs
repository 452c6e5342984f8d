//! The data keys that the service holds in clear, and what KMS answered about who may use them.
//!
//! A key that seals belongs to one requester. A key that opens is kept once, whoever fetched it, and serves those whom
//! KMS allowed to decrypt with the KMS key that wrapped it; so each producer costs two calls to KMS in a reuse period
//! and each consumer one, however many producers there are. (SQS Developer Guide, "Understanding the data key reuse
//! period", read 2026-11-21.) Why it makes no difference for who may open what: the key and the encryption context are
//! the same for all messages of a queue, so KMS would have been asked the same question.
//!
//! Invariant: what has expired is used no more, and is wiped within `SWEEP_PAUSE_MIN`.

use super::super::envelope::Wrapper;
use super::super::index::Monotonic;
use bulla_envelope::{Opener, Sealer};
use bulla_gate::{Call, Identity};
use bulla_runtime::{Clock, Runtime};
use bulla_types::Timestamp;
use bytes::Bytes;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{MutexGuard, Notify};

/// Entries of each kind, at most.
const ENTRIES_MAX: usize = 8192;
/// The sweep rests at least this long.
const SWEEP_PAUSE_MIN: Duration = Duration::from_secs(1);
/// Calls to KMS that are under way at a time, at most, each of a place of its own.
const TURNS: usize = 64;

/// Who a cached answer of KMS belongs to. Sessions of one role may carry different session policies under one ARN, so
/// temporary credentials count by their access key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Requester {
    pub(super) principal: Arc<str>,
    pub(super) access_key: Option<Box<str>>,
}

impl Requester {
    pub(super) fn of(call: &Call<'_>) -> Self {
        let identity: &Identity = call.caller().identity();
        Self {
            principal: Arc::clone(&identity.arn),
            access_key: identity.token_issued.map(|_| call.caller().access_key().into()),
        }
    }
}

/// From when until when something is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) since: Timestamp,
    lasting: Duration,
    expires: Monotonic,
}

impl Life {
    pub(super) fn beginning_now(clock: &dyn Clock, lasting: Duration) -> Self {
        Self {
            since: clock.now(),
            lasting,
            expires: Monotonic::from_duration(clock.monotonic()).after(lasting),
        }
    }

    pub(super) fn until(&self) -> Timestamp {
        self.since.after(self.lasting)
    }
}

/// What is cached.
pub(super) trait Cached {
    fn life(&self) -> &Life;
    /// ARN of the KMS key that it is about; nothing for SSE-SQS.
    fn key(&self) -> Option<&str>;
}

/// Whose data key seals, in which queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SealScope {
    pub(super) queue: u64,
    /// The KMS key as the queue names it, or nothing for SSE-SQS.
    pub(super) key: Option<String>,
    pub(super) requester: Option<Requester>,
}

/// A data key that seals.
#[derive(Debug)]
pub(super) struct SealingKey {
    pub(super) sealer: Sealer,
    pub(super) wrapper: Wrapper,
    pub(super) wrapped: Bytes,
    pub(super) key: Option<Arc<str>>,
    /// ARN.
    pub(super) queue: Arc<str>,
    pub(super) life: Life,
    pub(super) epoch: u64,
}

/// A wrapped data key of messages that were sealed in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpenScope {
    pub(super) queue: u64,
    pub(super) wrapped: Bytes,
}

/// A data key that opens.
#[derive(Debug)]
pub(super) struct OpenedKey {
    pub(super) opener: Arc<Opener>,
    pub(super) key: Option<Arc<str>>,
    pub(super) life: Life,
}

/// Who asked KMS whether it may decrypt for a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct VerdictScope {
    pub(super) queue: u64,
    /// As it was asked for: ARN of the key or of an alias.
    pub(super) named: Arc<str>,
    pub(super) requester: Requester,
}

/// That KMS said yes.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) key: Arc<str>,
    /// ARN.
    pub(super) queue: Arc<str>,
    pub(super) life: Life,
    pub(super) epoch: u64,
}

impl Cached for SealingKey {
    fn life(&self) -> &Life {
        &self.life
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl Cached for OpenedKey {
    fn life(&self) -> &Life {
        &self.life
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl Cached for Verdict {
    fn life(&self) -> &Life {
        &self.life
    }

    fn key(&self) -> Option<&str> {
        Some(&self.key)
    }
}

/// Entries of one kind.
pub(super) struct Entries<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K: Clone + Eq + Hash, V: Cached> Entries<K, V> {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, scope: &K, now: Monotonic) -> Option<Arc<V>> {
        let found = self.lock().get(scope).cloned();
        found.filter(|found| found.life().expires > now)
    }

    fn put(&self, scope: K, value: Arc<V>, now: Monotonic) {
        let mut entries = self.lock();
        if entries.len() >= ENTRIES_MAX {
            entries.retain(|_, value| value.life().expires > now);
        }
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(scope, value);
    }

    /// Drops what has expired; the answer is when the next of the rest does.
    fn sweep(&self, now: Monotonic) -> Option<Monotonic> {
        let mut entries = self.lock();
        entries.retain(|_, value| value.life().expires > now);
        entries.values().map(|value| value.life().expires).min()
    }

    /// Drops what is about a KMS key; the answer is how many there were.
    pub(super) fn revoke(&self, key: &str) -> usize {
        let mut entries = self.lock();
        let before = entries.len();
        entries.retain(|_, value| value.key() != Some(key));
        before - entries.len()
    }

    /// How many are about KMS keys, expired or not.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let entries = self.lock();
        entries.values().filter(|value| value.key().is_some()).count()
    }

    /// What is about a KMS key and has not expired.
    pub(super) fn of_key(&self, key: &str, now: Monotonic) -> Vec<(K, Arc<V>)> {
        let entries = self.lock();
        let of_key = |(_, value): &(&K, &Arc<V>)| value.key() == Some(key) && value.life().expires > now;
        entries
            .iter()
            .filter(of_key)
            .map(|(scope, value)| (scope.clone(), Arc::clone(value)))
            .collect()
    }
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Lets one at a time ask KMS for the same thing: whoever comes second finds the answer of the first.
struct Turns {
    places: [tokio::sync::Mutex<()>; TURNS],
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            places: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            hasher: RandomState::new(),
        }
    }
}

/// The turn of one caller, until it is dropped.
pub(super) struct Turn<'a>(#[expect(dead_code, reason = "held, never looked at")] Option<MutexGuard<'a, ()>>);

/// Everything that is cached.
pub(super) struct Cache {
    clock: Arc<dyn Clock>,
    pub(super) sealing: Entries<SealScope, SealingKey>,
    pub(super) opened: Entries<OpenScope, OpenedKey>,
    pub(super) verdicts: Entries<VerdictScope, Verdict>,
    turns: Turns,
    /// When the sweep wakes next.
    due: Mutex<Option<Monotonic>>,
    /// Rung when something expires before that, and when the cache is dropped.
    earlier: Arc<Notify>,
}

impl Cache {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            sealing: Entries::default(),
            opened: Entries::default(),
            verdicts: Entries::default(),
            turns: Turns::default(),
            due: Mutex::default(),
            earlier: Arc::default(),
        }
    }

    /// Waits for one's turn to ask for this.
    pub(super) async fn turn<S: Hash>(&self, scope: &S) -> Turn<'_> {
        let hash = self.turns.hasher.hash_one(scope);
        let place = usize::try_from(hash % TURNS as u64).unwrap_or_default();
        match self.turns.places.get(place) {
            Some(place) => Turn(Some(place.lock().await)),
            None => Turn(None),
        }
    }

    /// What seals for this caller, if KMS allowed it as things are now.
    pub(super) fn sealing(&self, call: &Call<'_>, scope: &SealScope) -> Option<Arc<SealingKey>> {
        let found = self.sealing.get(scope, self.now())?;
        (found.wrapper == Wrapper::Service || is_current(call, found.epoch)).then_some(found)
    }

    /// A data key in clear. Whether the caller may use it is another question.
    pub(super) fn opened(&self, scope: &OpenScope) -> Option<Arc<OpenedKey>> {
        self.opened.get(scope, self.now())
    }

    /// Whether KMS allowed this caller to decrypt as things are now.
    pub(super) fn is_allowed(&self, call: &Call<'_>, scope: &VerdictScope) -> bool {
        let found = self.verdicts.get(scope, self.now());
        found.is_some_and(|found| is_current(call, found.epoch))
    }

    /// Keeps a data key that seals. An answer to a caller of former times would only push out a younger one.
    pub(super) fn put_sealing(&self, call: &Call<'_>, scope: SealScope, key: Arc<SealingKey>) {
        if key.wrapper == Wrapper::Service || call.authorization_is_current() {
            let life = key.life;
            self.sealing.put(scope, key, self.now());
            self.note(&life);
        }
    }

    /// Keeps a data key that opens, for the longer of what it had and what it gets.
    pub(super) fn put_opened(&self, scope: &OpenScope, key: OpenedKey) {
        let now = self.now();
        let longer = |found: &Arc<OpenedKey>| found.life.expires >= key.life.expires;
        if self.opened.get(scope, now).as_ref().is_some_and(longer) {
            return;
        }
        let life = key.life;
        // The wrapped key may be a part of a message's bytes, which must not stay in memory for it.
        let scope = OpenScope {
            queue: scope.queue,
            wrapped: Bytes::copy_from_slice(&scope.wrapped),
        };
        self.opened.put(scope, Arc::new(key), now);
        self.note(&life);
    }

    /// Keeps that KMS said yes.
    pub(super) fn put_verdict(&self, call: &Call<'_>, scope: VerdictScope, verdict: Verdict) {
        if call.authorization_is_current() {
            let life = verdict.life;
            self.verdicts.put(scope, Arc::new(verdict), self.now());
            self.note(&life);
        }
    }

    pub(super) fn now(&self) -> Monotonic {
        Monotonic::from_duration(self.clock.monotonic())
    }

    /// Wakes the sweep when it sleeps for longer than this lives. It is in its place by now, so that a sweep that comes
    /// in between sees it.
    fn note(&self, life: &Life) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.is_none_or(|due| life.expires < due) {
            *due = Some(life.expires);
            self.earlier.notify_one();
        }
    }

    /// Drops what has expired; the answer is how long nothing else does.
    fn sweep(&self) -> Option<Duration> {
        let now = self.now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let next = [
            self.sealing.sweep(now),
            self.opened.sweep(now),
            self.verdicts.sweep(now),
        ];
        *due = next.into_iter().flatten().min();
        due.map(|due| now.until(due).max(SWEEP_PAUSE_MIN))
    }

    /// Wipes what expires, when it does, until the cache is dropped or the server stops. Sleeps while nothing is cached.
    pub(super) fn start_sweep(this: &Arc<Self>, runtime: &Runtime) {
        let (cache, earlier) = (Arc::downgrade(this), Arc::clone(&this.earlier));
        let (clock, shutdown) = (Arc::clone(&runtime.clock), runtime.shutdown.clone());
        runtime.tasks.spawn(Box::pin(async move {
            loop {
                let Some(next) = cache.upgrade().map(|cache| cache.sweep()) else {
                    return;
                };
                let pause = async {
                    match next {
                        Some(pause) => clock.sleep(pause).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = shutdown.wait() => return,
                    () = earlier.notified() => {}
                    () = pause => {}
                }
            }
        }));
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.earlier.notify_one();
    }
}

/// Whether what was allowed under this number is allowed to this caller now.
fn is_current(call: &Call<'_>, epoch: u64) -> bool {
    epoch == call.authorization_epoch() && call.authorization_is_current()
}
