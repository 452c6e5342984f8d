//! Moving messages from one queue to another: dead letters, and their way back.
//!
//! A message keeps its envelope; what it was sealed as is written beside it (see `envelope`). The copy is durable before
//! the original is deleted, and nobody receives it before the deletion is durable too: so no crash loses the message,
//! makes it two, or brings back a copy's original after the copy was deleted. Where both queues lie in one partition of
//! the log, one commit does both. A restart finds copies whose originals are still there, and deletes these before it
//! serves anybody.
//!
//! Source: SQS Developer Guide, "Using dead-letter queues in Amazon SQS" (read 2026-11-21): a moved message keeps its id;
//! in a standard queue it keeps its time of sending, which its retention counts from, in a FIFO queue it gets a new one.

use super::Sqs;
use super::envelope::{Envelope, Label, Origin, SealedAs, Stored};
use super::errors::SqsError;
use super::index::{Arrival, GroupTag, Taken};
use super::meta::{MessageMeta, Meta, MovedFrom};
use super::operations::{DeadLetter, DeadLetterMove, MoveToDeadLetterQueue};
use super::queue::{Queue, moment};
use bulla_gate::{Call, ErrorCode, Refusal};
use bulla_storage::{LIMITS, Pos, Submission};
use bulla_wire::Blob;
use bytes::Bytes;
use std::sync::Arc;

/// Messages that one commit moves: all of them may be of the largest size.
pub(crate) const MOVED_AT_ONCE_MAX: usize = 7;

const _: () = assert!(MOVED_AT_ONCE_MAX * LIMITS.value <= LIMITS.bytes - (64 << 10));

/// A message on its way. The source's index holds it aside.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) position: Pos,
    pub(crate) group: Option<GroupTag>,
    pub(crate) stored: Stored,
    /// Id and time of sending in the queue it goes to.
    pub(crate) label: Label,
    /// Whose dead letter it is there.
    pub(crate) dead_letter_of: Option<Arc<str>>,
}

impl Sqs {
    /// Moves messages to the queue's dead-letter queue, as far as that is possible; the others become ready again and
    /// are delivered once more.
    pub(crate) async fn bury(&self, call: &Call<'_>, queue: &Arc<Queue>, dead: &[Taken]) {
        for dead in dead.chunks(MOVED_AT_ONCE_MAX) {
            let Some(policy) = queue.properties().settings.redrive else {
                // The policy was taken away since.
                stay(queue, dead);
                continue;
            };
            let letter = |taken: &Taken| DeadLetter {
                position: taken.position.0.cast_signed(),
                group: taken.group.map(|group| Blob(group.0.to_vec())),
            };
            let input = DeadLetterMove {
                source: queue.arn.to_string(),
                destination: policy.target.arn(),
                messages: dead.iter().map(letter).collect(),
            };
            let moved = call
                .as_service::<MoveToDeadLetterQueue>(Arc::clone(&queue.arn), queue.key.account, input)
                .await;
            if let Err(refusal) = moved {
                let why = match &refusal {
                    Refusal::Denied(denial) => denial.message().to_owned(),
                    Refusal::Operation(error) => error.message().into_owned(),
                    Refusal::Internal => "internal failure".to_owned(),
                };
                tracing::warn!(
                    queue = %queue.arn,
                    dead_letter_queue = %policy.target.arn(),
                    messages = dead.len(),
                    why,
                    "messages that were received too often cannot be moved; they are delivered again"
                );
            }
            // Whatever was not moved, also of a move that was done.
            stay(queue, dead);
        }
    }

    /// Carries messages that the source's index holds aside into another queue. When this succeeds they have left the
    /// source, durably; otherwise nothing has changed, and the caller gives them back.
    ///
    /// # Errors
    /// `QueueDoesNotExist` when the destination was deleted meanwhile; `Internal` when a store fails.
    pub(crate) async fn carry(
        &self,
        source: &Arc<Queue>,
        destination: &Arc<Queue>,
        parcels: &[Parcel],
    ) -> Result<(), SqsError> {
        for parcels in parcels.chunks(MOVED_AT_ONCE_MAX) {
            self.carry_some(source, destination, parcels).await?;
        }
        Ok(())
    }

    async fn carry_some(
        &self,
        source: &Arc<Queue>,
        destination: &Arc<Queue>,
        parcels: &[Parcel],
    ) -> Result<(), SqsError> {
        let now = moment(self.runtime.clock.as_ref());
        let appends = appends(source, destination, parcels)?;
        let originals: Vec<Pos> = parcels.iter().map(|parcel| parcel.position).collect();
        let arrivals: Vec<Arrival> = parcels
            .iter()
            .map(|parcel| Arrival {
                position: Pos(0),
                sent: parcel.label.sent,
                group: parcel.group,
                delayed_until: None,
            })
            .collect();
        if destination.is_deleted() {
            return Err(SqsError::QueueDoesNotExist);
        }
        if self.partition(source.id) == self.partition(destination.id) {
            let arriving = Arc::clone(destination);
            let applied = Box::new(move |outcome: &Result<Vec<Pos>, bulla_storage::Error>| {
                let Ok(positions) = outcome else { return };
                arriving.arrive(&placed(arrivals, positions));
            });
            let submission = Submission {
                appends,
                deletes: originals.clone(),
                applied: Some(applied),
                ..Submission::default()
            };
            self.submit_leaving(source, submission, now.wall).await?;
        } else {
            let submission = Submission {
                appends,
                ..Submission::default()
            };
            let copies = self.submit(destination.id, submission).await?;
            if destination.is_deleted() {
                self.discard_positions(destination.id, copies);
                return Err(SqsError::QueueDoesNotExist);
            }
            if let Err(error) = self.delete_positions(source, originals.clone(), now.wall).await {
                // Neither is received until a restart has ended the move: better late than twice.
                tracing::error!(
                    queue = %source.arn,
                    ?error,
                    "messages were copied to another queue and could not be deleted; the next start ends the move"
                );
                let mut index = source.index();
                for position in &originals {
                    index.keep_aside(*position);
                }
                return Ok(());
            }
            destination.arrive(&placed(arrivals, &copies));
        }
        self.discard_late(destination);
        let ready = {
            let mut index = source.index();
            let end = |position: &&Pos| index.end_removal(**position, true);
            originals.iter().filter(end).count()
        };
        source.wake(ready);
        Ok(())
    }
}

/// Metas and envelopes of the copies.
fn appends(source: &Queue, destination: &Queue, parcels: &[Parcel]) -> Result<Vec<(Bytes, Bytes)>, SqsError> {
    let metas = parcels.iter().map(|parcel| {
        Meta::Message(MessageMeta {
            queue: destination.id,
            sent: parcel.label.sent,
            available: None,
            group: parcel.group,
            // The window of the source goes on; a dead letter is never taken for a duplicate.
            deduplication: None,
            moved_from: Some(MovedFrom {
                queue: source.id,
                position: parcel.position,
            }),
        })
    });
    let metas = Meta::encode_all(metas).into_iter();
    metas
        .zip(parcels)
        .map(|(meta, parcel)| {
            let envelope = parcel.stored.moved(parcel.label, &origin(source, parcel));
            let body = envelope.map(Envelope::into_bytes).ok_or(SqsError::Internal)?;
            Ok((meta, body))
        })
        .collect()
}

/// What a message was sealed as stays with it, however often it is moved.
fn origin(source: &Queue, parcel: &Parcel) -> Origin {
    let sealed_as = match parcel.stored.origin() {
        Some(origin) => origin.sealed_as.clone(),
        None => SealedAs {
            queue: source.id,
            arn: Arc::clone(&source.arn),
            message: parcel.stored.label.message,
        },
    };
    Origin {
        sealed_as,
        dead_letter_of: parcel.dead_letter_of.clone(),
    }
}

fn placed(mut arrivals: Vec<Arrival>, positions: &[Pos]) -> Vec<Arrival> {
    for (arrival, position) in arrivals.iter_mut().zip(positions) {
        arrival.position = *position;
    }
    arrivals
}

/// Makes messages ready that were put aside and are still there.
fn stay(queue: &Queue, dead: &[Taken]) {
    let mut index = queue.index();
    for taken in dead {
        index.put_back(taken);
    }
    drop(index);
    queue.wake(dead.len());
}
