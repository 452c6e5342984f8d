//! Deduplication of FIFO sends: who sends the same id again within five minutes is told of the first message.
//!
//! A send claims its tags before it is written and settles them when it is durable, in commit order. Whoever sends the
//! same in between waits for the outcome: if the first fails, the second may go. What is in memory here is rebuilt
//! from the log: a message that is there says what it was deduplicated under, and the commit that deletes it leaves a
//! record behind.
//!
//! Invariants: a tag is claimed by at most one send at a time; a batch claims all its tags at once or waits without
//! any, so that two batches never wait for each other.
//!
//! Source: SQS Developer Guide, "Exactly-once processing in Amazon SQS" and "Using the message deduplication ID"
//! (read 2026-11-21): the window is five minutes, and goes on after the message was received and deleted.

use super::meta::{Deduplicated, DeduplicationMeta};
use bulla_storage::Pos;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How long a deduplication id is remembered, milliseconds.
pub(crate) const WINDOW_MILLIS: u64 = 5 * 60 * 1000;
/// Sends of one queue that are remembered: more than 13,000 a second, for some 600 MB.
const SENDS_MAX: usize = 4_000_000;

/// What the log and the memory know a deduplication id by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeduplicationTag(pub(crate) [u8; 16]);

/// A message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Original {
    pub(crate) message: [u8; 16],
    pub(crate) position: Pos,
}

/// What became of one message of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing of this id was sent lately: it is to be sent.
    New,
    /// This was sent before.
    Duplicate(Original),
    /// The same as an earlier message of this claim, by its place.
    SameAs(usize),
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    /// On the way to the disk.
    Claimed,
    Sent {
        original: Original,
        /// Milliseconds since the epoch.
        sent: u64,
    },
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<DeduplicationTag, Entry>,
    /// Tags of what was sent, oldest first.
    by_position: BTreeMap<Pos, DeduplicationTag>,
    /// Records in the log that stand for deleted messages: when the message was sent, and where the record is.
    records: VecDeque<(u64, Pos)>,
}

/// The deduplication ids of one queue.
#[derive(Debug, Default)]
pub(crate) struct Deduplication {
    state: Mutex<State>,
    settled: Notify,
}

impl Deduplication {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the tags of what is to be sent now (milliseconds since the epoch); waits as long as one of them is on
    /// its way by another send. `None` when more was sent in the last five minutes than can be remembered.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        tags: &[DeduplicationTag],
        now: impl Fn() -> u64,
    ) -> Option<(Vec<Verdict>, Claim)> {
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            if self.state().is_full(now()) {
                return None;
            }
            if let Some(verdicts) = self.state().try_claim(tags, now()) {
                let mine = verdicts
                    .iter()
                    .zip(tags)
                    .filter(|(verdict, _)| **verdict == Verdict::New)
                    .map(|(_, tag)| *tag)
                    .collect();
                let claim = Claim {
                    of: Arc::clone(self),
                    tags: mine,
                };
                return Some((verdicts, claim));
            }
            settled.await;
        }
    }

    /// What the deletion of the message at this place must leave in the log: nothing, when its window has ended.
    pub(crate) fn remains(&self, queue: u64, position: Pos, now: u64) -> Option<DeduplicationMeta> {
        let state = self.state();
        let tag = *state.by_position.get(&position)?;
        match state.entries.get(&tag)? {
            Entry::Sent { original, sent }
                if original.position == position && now < sent.saturating_add(WINDOW_MILLIS) =>
            {
                Some(DeduplicationMeta {
                    queue,
                    sent: *sent,
                    deduplicated: Deduplicated {
                        tag,
                        message: original.message,
                    },
                    position,
                })
            }
            Entry::Sent { .. } | Entry::Claimed => None,
        }
    }

    /// Notes where a record about a message sent then has come to lie.
    pub(crate) fn recorded(&self, sent: u64, record: Pos) {
        self.state().records.push_back((sent, record));
    }

    /// Restores what the log says of a message, at start.
    pub(crate) fn restore(&self, tag: DeduplicationTag, original: Original, sent: u64, now: u64) {
        if now < sent.saturating_add(WINDOW_MILLIS) {
            self.state().sent(tag, original, sent);
        }
    }

    /// Records whose window has ended; they are to be deleted.
    pub(crate) fn ended(&self, now: u64) -> Vec<Pos> {
        let mut state = self.state();
        state.forget(now);
        let mut ended = Vec::new();
        while let Some((sent, position)) = state.records.front().copied() {
            if now < sent.saturating_add(WINDOW_MILLIS) {
                break;
            }
            state.records.pop_front();
            ended.push(position);
        }
        ended
    }

    /// All records, when the queue is deleted.
    pub(crate) fn clear(&self) -> Vec<Pos> {
        let mut state = self.state();
        let records = std::mem::take(&mut state.records);
        records.into_iter().map(|(_, position)| position).collect()
    }
}

impl State {
    fn is_full(&mut self, now: u64) -> bool {
        if self.entries.len() < SENDS_MAX {
            return false;
        }
        self.forget(now);
        self.entries.len() >= SENDS_MAX
    }

    fn try_claim(&mut self, tags: &[DeduplicationTag], now: u64) -> Option<Vec<Verdict>> {
        self.forget(now);
        if tags
            .iter()
            .any(|tag| matches!(self.entries.get(tag), Some(Entry::Claimed)))
        {
            return None;
        }
        let mut verdicts = Vec::with_capacity(tags.len());
        for (place, tag) in tags.iter().enumerate() {
            let verdict = match self.entries.get(tag) {
                Some(Entry::Sent { original, sent }) if now < sent.saturating_add(WINDOW_MILLIS) => {
                    Verdict::Duplicate(*original)
                }
                Some(Entry::Claimed) => {
                    let first = tags.iter().position(|other| other == tag);
                    Verdict::SameAs(first.unwrap_or(place))
                }
                Some(Entry::Sent { .. }) | None => {
                    self.entries.insert(*tag, Entry::Claimed);
                    Verdict::New
                }
            };
            verdicts.push(verdict);
        }
        Some(verdicts)
    }

    fn sent(&mut self, tag: DeduplicationTag, original: Original, sent: u64) {
        self.entries.insert(tag, Entry::Sent { original, sent });
        self.by_position.insert(original.position, tag);
    }

    /// Forgets what was sent more than a window ago.
    fn forget(&mut self, now: u64) {
        while let Some((position, tag)) = self.by_position.first_key_value() {
            let (position, tag) = (*position, *tag);
            match self.entries.get(&tag) {
                Some(Entry::Sent { original, sent }) if original.position == position => {
                    if now < sent.saturating_add(WINDOW_MILLIS) {
                        return;
                    }
                    self.entries.remove(&tag);
                }
                // The id was sent anew since.
                Some(Entry::Sent { .. } | Entry::Claimed) | None => {}
            }
            self.by_position.remove(&position);
        }
    }
}

/// Tags that nobody else may send until this is settled. Dropped without that, the send has failed and they are free.
#[derive(Debug)]
pub(crate) struct Claim {
    of: Arc<Deduplication>,
    tags: Vec<DeduplicationTag>,
}

impl Claim {
    /// The messages are durable: one for each verdict [`Verdict::New`], in that order.
    pub(crate) fn settle(mut self, sent: u64, originals: impl Iterator<Item = Original>) {
        let tags = std::mem::take(&mut self.tags);
        let mut state = self.of.state();
        for (tag, original) in tags.into_iter().zip(originals) {
            state.sent(tag, original, sent);
        }
        drop(state);
        self.of.settled.notify_waiters();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.tags.is_empty() {
            return;
        }
        let mut state = self.of.state();
        for tag in &self.tags {
            state.entries.remove(tag);
        }
        drop(state);
        self.of.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::{Deduplication, DeduplicationTag, Original, Verdict, WINDOW_MILLIS};
    use bulla_storage::Pos;
    use std::sync::Arc;

    fn tag(byte: u8) -> DeduplicationTag {
        DeduplicationTag([byte; 16])
    }

    fn original(position: u64) -> Original {
        Original {
            message: [1; 16],
            position: Pos(position),
        }
    }

    #[tokio::test]
    async fn what_was_sent_is_a_duplicate_for_five_minutes() {
        let table = Arc::new(Deduplication::default());
        let (verdicts, claim) = table.claim(&[tag(1), tag(1)], || 0).await.unwrap();
        assert_eq!(verdicts, [Verdict::New, Verdict::SameAs(0)]);
        claim.settle(0, [original(7)].into_iter());
        let (again, _) = table.claim(&[tag(1)], || WINDOW_MILLIS - 1).await.unwrap();
        assert_eq!(again, [Verdict::Duplicate(original(7))]);
        let (later, _) = table.claim(&[tag(1)], || WINDOW_MILLIS).await.unwrap();
        assert_eq!(later, [Verdict::New]);
    }

    #[tokio::test]
    async fn a_second_send_waits_for_the_first_and_may_go_when_that_fails() {
        let table = Arc::new(Deduplication::default());
        let (_, first) = table.claim(&[tag(1)], || 0).await.unwrap();
        let wanted = [tag(2), tag(1)];
        let mut second = std::pin::pin!(table.claim(&wanted, || 0));
        let second = tokio::join!(second.as_mut(), async {
            // The one that waits holds nothing.
            assert_eq!(table.claim(&[tag(2)], || 0).await.unwrap().0, [Verdict::New]);
            drop(first);
        });
        let (verdicts, _) = second.0.unwrap();
        assert_eq!(verdicts, [Verdict::New, Verdict::New]);
    }

    #[tokio::test]
    async fn a_deletion_leaves_a_record_within_the_window_only() {
        let table = Arc::new(Deduplication::default());
        let (_, claim) = table.claim(&[tag(1)], || 0).await.unwrap();
        claim.settle(0, [original(7)].into_iter());
        assert_eq!(table.remains(3, Pos(7), 10).unwrap().position, Pos(7));
        assert_eq!(table.remains(3, Pos(7), WINDOW_MILLIS), None);
        assert_eq!(table.remains(3, Pos(8), 10), None);
        table.recorded(0, Pos(9));
        assert!(table.ended(WINDOW_MILLIS - 1).is_empty());
        assert_eq!(table.ended(WINDOW_MILLIS), [Pos(9)]);
    }
}
