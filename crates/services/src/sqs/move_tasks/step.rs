//! One step of a task: some messages leave the dead-letter queue and enter their destination.
//!
//! How messages are carried over is said in `dead_letter`. A redriven message is a new one: it gets a new id and a new
//! time of sending, and its receives are counted from the beginning (SQS Developer Guide, "Dead-letter queue redrive").

use super::{Plan, Status};
use crate::sqs::Sqs;
use crate::sqs::dead_letter::Parcel;
use crate::sqs::delivery::{Body, oldest_kept};
use crate::sqs::encryption::Encryption;
use crate::sqs::envelope::{Label, Stored, Wrapper};
use crate::sqs::errors::SqsError;
use crate::sqs::index::{Moment, Removal, Taken, Wanted};
use crate::sqs::queue::{Queue, QueueKey, moment};
use crate::sqs::settings::EncryptionSetting;
use bulla_gate::Call;
use bulla_storage::Pos;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long messages are hidden from receivers while they are moved, at most: a worker that is lost brings them back.
const HIDDEN: Duration = Duration::from_mins(1);

/// Why a task failed, as AWS names it.
const DESTINATION_GONE: &str = "AWS.SimpleQueueService.NonExistentQueue";
const SOURCE_UNKNOWN: &str = "CouldNotDetermineMessageSource";
const UNREADABLE: &str = "InternalError";

/// What a step did.
#[derive(Debug)]
pub(super) enum Step {
    /// So many messages.
    Moved(usize),
    /// There was nothing left, or it cannot go on.
    Ended(Status),
    /// The dead-letter queue is no more, and its tasks with it.
    SourceGone,
    /// A store failed; nothing was lost.
    Later,
}

/// Messages by destination, those that stay, and why the task cannot go on, if it cannot.
#[derive(Debug, Default)]
struct Sorted {
    by_destination: BTreeMap<QueueKey, Vec<(Taken, Parcel)>>,
    stay: Vec<Taken>,
    gone: Vec<Pos>,
    failure: Option<&'static str>,
}

impl Sqs {
    /// How many messages a task that begins now has to move.
    pub(super) fn waiting_in(&self, source: &Queue) -> u64 {
        let now = moment(self.runtime.clock.as_ref());
        u64::try_from(source.index().counts(now.monotonic).ready).unwrap_or(u64::MAX)
    }

    /// Asks KMS whether the caller may use the keys of the queues: to decrypt what lies in the source, and to encrypt
    /// for the destinations.
    ///
    /// # Errors
    /// The `Kms*` errors.
    pub(crate) async fn check_keys_of_move(
        &self,
        call: &Call<'_>,
        source: &Arc<Queue>,
        destinations: &[Arc<Queue>],
    ) -> Result<(), SqsError> {
        for destination in destinations {
            match &destination.properties().settings.encryption {
                EncryptionSetting::Kms(_) => drop(self.encryption.sealing(call, destination).await?),
                EncryptionSetting::SqsManaged | EncryptionSetting::None => {}
            }
        }
        let now = moment(self.runtime.clock.as_ref());
        let Some(first) = self.take_for_move(source, now, 1).pop() else {
            return Ok(());
        };
        let read = self.bodies(source, vec![first.position]).await;
        let stored = match read.ok().and_then(|mut bodies| bodies.pop()) {
            Some(Body::There(body)) => Stored::parse(body),
            Some(Body::Damaged | Body::Gone) | None => None,
        };
        let opened = match stored {
            Some(stored) if stored.wrapper == Wrapper::Kms => {
                may_open(&self.encryption, call, source, &stored).await
            }
            Some(_) | None => Ok(()),
        };
        source.index().put_back(&first);
        source.wake(1);
        opened
    }

    fn take_for_move(&self, source: &Arc<Queue>, now: Moment, max: usize) -> Vec<Taken> {
        let wanted = Wanted {
            max,
            visibility: HIDDEN,
            receives_max: None,
            oldest_kept: oldest_kept(source, now),
        };
        loop {
            let hand = source.take(now, &wanted, usize::MAX).hand;
            let again = hand.taken.is_empty() && !hand.expired.is_empty();
            self.discard(source, hand.expired);
            if !again {
                return hand.taken;
            }
        }
    }

    /// Moves up to `max` messages.
    pub(super) async fn move_some(&self, plan: &Plan, max: usize) -> Step {
        let source = match self.queue(&plan.source) {
            Ok(source) if source.id == plan.source_id => source,
            Ok(_) | Err(_) => return Step::SourceGone,
        };
        if plan.destination.is_some_and(|key| self.queue(&key).is_err()) {
            return Step::Ended(Status::Failed(DESTINATION_GONE.into()));
        }
        let now = moment(self.runtime.clock.as_ref());
        let taken = {
            let taken = self.take_for_move(&source, now, max);
            let mut index = source.index();
            let begun = |taken: &Taken| {
                index.begin_removal(now.monotonic, taken.position, taken.receives) == Removal::Begun
            };
            taken.into_iter().filter(begun).collect::<Vec<_>>()
        };
        if taken.is_empty() {
            return Step::Ended(Status::Completed);
        }
        let positions = taken.iter().map(|taken| taken.position).collect();
        let Ok(bodies) = self.bodies(&source, positions).await else {
            stay(&source, &taken);
            return Step::Later;
        };
        let mut sorted = self.sort(plan, taken, bodies, now);
        end(&source, &sorted.gone);
        let (mut moved, mut later) = (0, false);
        for (key, letters) in std::mem::take(&mut sorted.by_destination) {
            let (taken, parcels): (Vec<Taken>, Vec<Parcel>) = letters.into_iter().unzip();
            let carried = match self.queue(&key) {
                Ok(destination) => self.carry(&source, &destination, &parcels).await,
                Err(error) => Err(error),
            };
            match carried {
                Ok(()) => moved += parcels.len(),
                Err(error) => {
                    later |= error == SqsError::Internal;
                    if error != SqsError::Internal {
                        sorted.failure = Some(DESTINATION_GONE);
                    }
                    sorted.stay.extend(taken);
                }
            }
        }
        stay(&source, &sorted.stay);
        match sorted.failure {
            // What was moved in this step is counted first; the next step meets the failure again.
            _ if moved > 0 => Step::Moved(moved),
            Some(failure) => Step::Ended(Status::Failed(failure.into())),
            None if later => Step::Later,
            None => Step::Moved(0),
        }
    }

    /// Finds out where each message goes.
    fn sort(&self, plan: &Plan, taken: Vec<Taken>, bodies: Vec<Body>, now: Moment) -> Sorted {
        let mut sorted = Sorted::default();
        // In a FIFO queue nothing overtakes a message that stays.
        let mut held_up = Vec::new();
        for (taken, body) in taken.into_iter().zip(bodies) {
            let found = match body {
                Body::Gone => {
                    sorted.gone.push(taken.position);
                    continue;
                }
                Body::There(_) | Body::Damaged if held_up.contains(&taken.group) => Err(None),
                Body::There(body) => self.destination_of(plan, body).map_err(Some),
                Body::Damaged => Err(Some(UNREADABLE)),
            };
            match found {
                Ok((key, stored)) => {
                    let letters = sorted.by_destination.entry(key).or_default();
                    let label = Label {
                        message: self.runtime.entropy.id_bytes(),
                        sent: now.wall,
                    };
                    let parcel = Parcel {
                        position: taken.position,
                        group: taken.group,
                        stored,
                        label,
                        dead_letter_of: None,
                    };
                    letters.push((taken, parcel));
                }
                Err(failure) => {
                    sorted.failure = sorted.failure.or(failure);
                    if plan.source.name.is_fifo() {
                        held_up.push(taken.group);
                    }
                    sorted.stay.push(taken);
                }
            }
        }
        sorted
    }

    fn destination_of(&self, plan: &Plan, body: Bytes) -> Result<(QueueKey, Stored), &'static str> {
        let stored = Stored::parse(body).ok_or(UNREADABLE)?;
        if let Some(key) = plan.destination {
            return Ok((key, stored));
        }
        let origin = stored
            .origin()
            .and_then(|origin| origin.dead_letter_of.as_deref());
        let key = origin.and_then(QueueKey::parse_arn).ok_or(SOURCE_UNKNOWN)?;
        let queue = self.queue(&key).map_err(|_| DESTINATION_GONE)?;
        // The permission to send was asked for the queues that name this one as their dead-letter queue.
        let is_source = queue
            .properties()
            .settings
            .redrive
            .is_some_and(|policy| policy.target == plan.source);
        is_source.then_some((key, stored)).ok_or(SOURCE_UNKNOWN)
    }
}

async fn may_open(
    encryption: &Encryption,
    call: &Call<'_>,
    queue: &Arc<Queue>,
    stored: &Stored,
) -> Result<(), SqsError> {
    match encryption.opening(call, queue).open(stored).await {
        // A message that is damaged is no reason not to start: the task will say so.
        Ok(_) | Err(SqsError::Internal) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

/// Gives messages back to the queue, as if they had never been taken.
fn stay(source: &Arc<Queue>, taken: &[Taken]) {
    let mut index = source.index();
    for taken in taken {
        index.end_removal(taken.position, false);
        index.put_back(taken);
    }
    drop(index);
    source.wake(taken.len());
}

/// Ends messages that are no longer in the queue.
fn end(source: &Arc<Queue>, positions: &[Pos]) {
    let ready = {
        let mut index = source.index();
        positions
            .iter()
            .filter(|position| index.end_removal(**position, true))
            .count()
    };
    source.wake(ready);
}
