//! Waiting for messages, taking them from the index, and opening their envelopes for the caller.
//!
//! A look takes the index's lock once. Whoever finds nothing sleeps until it is rung, and only one of all who wait
//! watches the time at which a hidden message becomes ready, so that idle receivers cost memory only.

use super::Sqs;
use super::delivery::{Body, oldest_kept};
use super::envelope::Stored;
use super::errors::SqsError;
use super::index::{Moment, Monotonic, Taken, Wanted};
use super::limits::{IN_FLIGHT_MAX, VISIBILITY_SECONDS_MAX};
use super::queue::{Queue, moment};
use super::sending::message_id;
use bulla_gate::{Call, Caller, WaitPermit};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How often a receive that does not wait sees to what is in the way of messages before it comes back empty.
const ROUNDS_MAX: usize = 16;

/// What a receiver wants.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) max: usize,
    pub(crate) visibility: Duration,
    pub(crate) wait: Duration,
    /// Names the receive, so that it can be repeated.
    pub(crate) attempt: Option<String>,
}

/// Messages for one receiver, and when it got them.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) taken: Vec<Taken>,
    pub(crate) at: Moment,
    /// The caller as it is now, when something that decisions depend on has changed while it waited.
    pub(crate) caller: Option<Caller>,
}

/// What one look found.
struct Found {
    taken: Vec<Taken>,
    /// Received too often: to be moved to the dead-letter queue.
    dead: Vec<Taken>,
    /// There is nothing for the receiver, but there may be when what is in the way has been seen to.
    again: bool,
    next_due: Option<Monotonic>,
}

impl Sqs {
    /// Takes messages, or waits until there are some, the time is over, the server stops or the client goes away.
    pub(crate) async fn poll(
        &self,
        call: &Call<'_>,
        queue: &Arc<Queue>,
        poll: &Poll,
    ) -> Result<Received, SqsError> {
        let clock = call.runtime().clock.as_ref();
        let mut now = moment(clock);
        let received = |taken, at, caller| Ok(Received { taken, at, caller });
        if let Some(taken) = repeated(queue, poll, now) {
            return received(taken, now, None);
        }
        let deadline = now.monotonic.after(poll.wait);
        let waiting = (!poll.wait.is_zero()).then(|| queue.wait());
        let (mut watching, mut caller): (_, Option<Caller>) = (None, None);
        let mut rounds = 0;
        let mut permit = None;
        loop {
            let mut arrival = pin!(queue.arrivals.notified());
            if waiting.is_some() {
                arrival.as_mut().enable();
                watching = watching.or_else(|| queue.watch());
            }
            if let Some(watching) = &watching {
                watching.begin();
            }
            if queue.is_deleted() {
                return Err(SqsError::QueueDoesNotExist);
            }
            let found = self.look(queue, poll, now)?;
            if !found.dead.is_empty() {
                self.bury(call, queue, &found.dead).await;
            }
            if found.again {
                now = moment(clock);
                rounds += 1;
                let over = rounds >= ROUNDS_MAX && now.monotonic >= deadline;
                if over || is_left(call).await {
                    // There is more in the way; whoever comes next sees to it.
                    queue.wake(1);
                    return received(Vec::new(), now, caller);
                }
                continue;
            }
            if !found.taken.is_empty() || now.monotonic >= deadline || call.runtime().shutdown.requested() {
                return received(found.taken, now, caller);
            }
            take_place(call, &mut permit)?;
            let due = found.next_due.filter(|_| watching.is_some());
            let until = due.unwrap_or(deadline).min(deadline);
            if let Some(watching) = &watching {
                watching.until(until);
            }
            let pause = now.monotonic.until(until).max(Duration::from_millis(1));
            tokio::select! {
                // In this order and not at random, so that a simulated history repeats.
                biased;
                () = arrival => {}
                () = queue.due_changed.notified(), if watching.is_some() => {}
                () = clock.sleep(pause) => {}
                () = call.runtime().shutdown.wait() => {}
                () = call.client_gone() => return received(Vec::new(), now, caller),
            }
            now = moment(clock);
            if !may_go_on(call, queue, &mut caller) {
                return received(Vec::new(), now, caller);
            }
        }
    }

    /// Looks once.
    fn look(&self, queue: &Arc<Queue>, poll: &Poll, now: Moment) -> Result<Found, SqsError> {
        let redrive = queue.properties().settings.redrive;
        let wanted = Wanted {
            max: poll.max,
            visibility: poll.visibility,
            receives_max: redrive.map(|policy| policy.receives_max),
            oldest_kept: oldest_kept(queue, now),
        };
        let found = queue.take(now, &wanted, IN_FLIGHT_MAX);
        if found.full && poll.wait.is_zero() && !queue.is_fifo() {
            // A long poll waits on, and a FIFO queue has no message for now (SQS Developer Guide, "Quotas").
            return Err(SqsError::OverLimit(format!(
                "Too many messages in flight: at most {IN_FLIGHT_MAX} may be received and not yet deleted."
            )));
        }
        let hand = found.hand;
        let again = hand.taken.is_empty() && !(hand.dead.is_empty() && hand.expired.is_empty());
        self.discard(queue, hand.expired);
        if let Some(attempt) = poll.attempt.as_ref().filter(|_| !hand.taken.is_empty())
            && let Some(mut attempts) = queue.attempts()
        {
            attempts.remember(attempt.clone(), now, poll.visibility, &hand.taken);
        }
        Ok(Found {
            taken: hand.taken,
            dead: hand.dead,
            again,
            next_due: found.next_due,
        })
    }

    /// Opens what was taken. A message that does not open holds up no other, except those behind it in a FIFO group:
    /// what opens is delivered, and the error is told only when nothing opened.
    pub(crate) async fn deliver<M>(
        &self,
        call: &Call<'_>,
        queue: &Arc<Queue>,
        poll: &Poll,
        received: &Received,
        write: impl Fn(&Taken, &Stored, Vec<u8>) -> Option<M>,
    ) -> Result<Vec<M>, SqsError> {
        let taken = &received.taken;
        let positions = taken.iter().map(|taken| taken.position).collect();
        let bodies = match self.bodies(queue, positions).await {
            Ok(bodies) => bodies,
            Err(error) => {
                give_back(queue, taken);
                return Err(error);
            }
        };
        let mut opening = self.encryption.opening(call, queue);
        let mut messages = Vec::with_capacity(taken.len());
        let mut opened = Vec::with_capacity(taken.len());
        let (mut refused, mut error): (Vec<Taken>, _) = (Vec::new(), None);
        let mut held_up = Vec::new();
        for (taken, body) in taken.iter().zip(bodies) {
            let stored = match body {
                // Deleted by another receiver between taking and reading.
                Body::Gone => continue,
                Body::Damaged => None,
                Body::There(body) => Stored::parse(body),
            };
            if queue.is_fifo() && held_up.contains(&taken.group) {
                refused.push(*taken);
                continue;
            }
            let content = match &stored {
                Some(stored) => opening.open(stored).await,
                None => Err(SqsError::Internal),
            };
            let message = match (&stored, content) {
                (Some(stored), Ok(content)) => write(taken, stored, content).ok_or(SqsError::Internal),
                (None, Ok(_)) => Err(SqsError::Internal),
                (_, Err(error)) => Err(error),
            };
            match message {
                Ok(message) => {
                    messages.push(message);
                    opened.push(*taken);
                }
                Err(SqsError::Internal) => {
                    // Stays hidden for its visibility timeout, so that it is not always the first.
                    report_damage(queue, taken, stored.as_ref());
                    held_up.push(taken.group);
                    error.get_or_insert(SqsError::Internal);
                }
                Err(refusal) => {
                    refused.push(*taken);
                    held_up.push(taken.group);
                    error.get_or_insert(refusal);
                }
            }
        }
        if !refused.is_empty() {
            give_back(queue, &refused);
        }
        self.note_leases(queue, &opened, received.at, poll.visibility);
        match error {
            Some(error) if messages.is_empty() => Err(error),
            Some(_) | None => Ok(messages),
        }
    }
}

/// A place among those who wait; whoever has one keeps it.
fn take_place<'a>(call: &Call<'a>, permit: &mut Option<WaitPermit<'a>>) -> Result<(), SqsError> {
    if permit.is_none() {
        *permit = Some(call.wait_permit().ok_or(SqsError::RequestThrottled)?);
    }
    Ok(())
}

/// Whether the poll may go on. If not, the message that rang is for somebody else; the client asks again and is told why.
fn may_go_on(call: &Call<'_>, queue: &Queue, caller: &mut Option<Caller>) -> bool {
    let allowed = still_allowed(call, queue, caller);
    if !allowed {
        queue.wake(1);
    }
    allowed
}

/// Whether nobody wants an answer any more; lets others go on first.
async fn is_left(call: &Call<'_>) -> bool {
    tokio::select! {
        biased;
        () = call.client_gone() => true,
        () = tokio::task::yield_now() => call.runtime().shutdown.requested(),
    }
}

/// Whether the caller may receive as things are now. What was allowed when a poll began may be forbidden by now, so it
/// is asked again when anything has changed that decisions depend on.
fn still_allowed(call: &Call<'_>, queue: &Queue, caller: &mut Option<Caller>) -> bool {
    let is_current = match caller {
        Some(caller) => call.by(caller).authorization_is_current(),
        None => call.authorization_is_current(),
    };
    if is_current {
        return true;
    }
    *caller = call.renewed();
    caller.as_ref().is_some_and(|caller| {
        let request = queue.access("sqs:ReceiveMessage").across_accounts();
        call.by(caller).would_allow(&request)
    })
}

/// The messages of a receive that is asked for again, hidden anew.
fn repeated(queue: &Queue, poll: &Poll, now: Moment) -> Option<Vec<Taken>> {
    let attempt = poll.attempt.as_ref()?;
    let taken = queue.attempts()?.repeat(attempt, now, poll.visibility)?;
    let total = Duration::from_secs(u64::from(VISIBILITY_SECONDS_MAX.unsigned_abs()));
    let mut index = queue.index();
    let again: Option<Vec<Taken>> = taken
        .iter()
        .map(|taken| {
            index
                .change_visibility(now, taken.position, taken.receives, poll.visibility, total)
                .ok()
        })
        .collect();
    if again.is_none() {
        // One of them cannot be hidden any longer: all are given back, so that none is hidden with nobody to have it.
        for taken in &taken {
            index.put_back(taken);
        }
    }
    drop(index);
    queue.is_due(now.monotonic.after(poll.visibility));
    again
}

/// Takes hand-outs back; somebody else may be allowed to open them.
fn give_back(queue: &Queue, taken: &[Taken]) {
    let mut index = queue.index();
    for taken in taken {
        index.put_back(taken);
    }
    drop(index);
    queue.wake(taken.len());
}

fn report_damage(queue: &Queue, taken: &Taken, stored: Option<&Stored>) {
    tracing::error!(
        queue = %queue.arn,
        message_id = stored.map(|stored| message_id(stored.label.message)),
        position = taken.position.0,
        "a stored message does not open: its bytes are damaged or belong elsewhere"
    );
}
