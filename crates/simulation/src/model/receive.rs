//! Receives: what each brought, and whether one should have brought more, or earlier.

use super::message::{Delivery, Sent};
use super::{Message, MessageId, Model, QueueId};
use crate::world::Stamp;
use serde_json::Value;

/// Number of a receive.
pub(crate) type ReceiveId = usize;

/// What came of a receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// An answer, with messages or without.
    Messages,
    /// Nothing was done.
    Refused,
    /// Somebody may have been handed messages that nobody saw.
    Lost,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Receive {
    pub(crate) queue: QueueId,
    pub(crate) life: u32,
    pub(crate) arrived: Stamp,
    pub(crate) visibility: u64,
    pub(crate) wait: u64,
    pub(crate) ended: Option<(Stamp, Got)>,
}

/// A receive found nothing although a message was ready; unless one of these others took it, a promise is broken.
#[derive(Clone, Debug)]
pub(crate) struct Suspicion {
    message: MessageId,
    receive: ReceiveId,
    ready_since: u64,
    others: Vec<ReceiveId>,
}

impl Model {
    pub(crate) fn begin_receive(
        &mut self,
        queue: QueueId,
        visibility: u64,
        wait: u64,
        now: Stamp,
    ) -> ReceiveId {
        self.receives.push(Receive {
            queue,
            life: self.life,
            arrived: now,
            visibility,
            wait,
            ended: None,
        });
        self.receives.len() - 1
    }

    pub(super) fn queue_of(&self, receive: ReceiveId) -> QueueId {
        self.receives[receive].queue
    }

    /// How many receives of the queue nobody saw the answer of.
    pub(super) fn unseen_receives(&self, queue: QueueId) -> u32 {
        let unseen = |receive: &&Receive| {
            receive.queue == queue && !matches!(receive.ended, Some((_, Got::Messages | Got::Refused)))
        };
        u32::try_from(self.receives.iter().filter(unseen).count()).unwrap_or(u32::MAX)
    }

    pub(super) fn arrival_of(&self, receive: ReceiveId) -> Stamp {
        self.receives[receive].arrived
    }

    pub(super) fn life_of(&self, receive: ReceiveId) -> u32 {
        self.receives[receive].life
    }

    /// Whether a receive that nobody saw the answer of may have taken a message after `since`.
    pub(super) fn may_be_taken_since(&self, queue: QueueId, since: Stamp) -> bool {
        self.receives
            .iter()
            .any(|receive| receive.queue == queue && receive.may_have_taken_since(since))
    }

    /// Until when receives that nobody saw the answer of may hide messages of the queue.
    pub(super) fn lost_until(&self, queue: QueueId) -> u64 {
        let until = |receive: &Receive| match receive.ended {
            Some((ended, Got::Lost)) if receive.queue == queue => Some(ended.at + receive.visibility),
            Some(_) | None => None,
        };
        self.receives.iter().filter_map(until).max().unwrap_or(0)
    }

    pub(crate) fn end_receive(&mut self, id: ReceiveId, got: Got, messages: &[Value], served: Stamp) {
        self.receives[id].ended = Some((served, got));
        let mut numbers = Vec::new();
        for message in messages {
            match self.delivered(id, message, &numbers, served) {
                Ok(number) if numbers.contains(&number) => {
                    self.broken(|| format!("one receive brought message {number} twice"));
                }
                Ok(number) => numbers.push(number),
                Err(broken) => self.broken(|| broken),
            }
        }
        self.settle(id, got, &numbers);
        if got == Got::Messages && messages.is_empty() {
            self.found_nothing(id, served);
        }
    }

    /// Checks one message that a receiver was handed, and takes note of it.
    fn delivered(
        &mut self,
        receive: ReceiveId,
        json: &Value,
        before: &[MessageId],
        served: Stamp,
    ) -> Result<MessageId, String> {
        let body = json["Body"].as_str().unwrap_or_default();
        let token = body.split('.').next().unwrap_or_default();
        let id: MessageId = token
            .strip_prefix('m')
            .and_then(|number| number.parse().ok())
            .filter(|id| *id < self.messages.len())
            .ok_or_else(|| format!("a message was received that nobody sent: {json}"))?;
        self.find_original(id, json["MessageId"].as_str().unwrap_or_default());
        self.check_content(id, json)?;
        self.check_fifo_content(id, json)?;
        let count = number(json, "ApproximateReceiveCount")
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| format!("message {id} came without its receive count"))?;
        let (life, visibility) = (self.receives[receive].life, self.receives[receive].visibility);
        let queue = self.queue_of(receive);
        // A receive that moves others to the dead-letter queue takes its time before it answers.
        let hidden_from = match self.queues[queue].redrive {
            Some(_) => self.receives[receive].arrived.at,
            None => served.at,
        };
        self.check_place(id, receive, json)?;
        self.check_presence(id, receive, count, served)?;
        self.check_promptness(id, receive, served)?;
        let message = &mut self.messages[id];
        message.deliveries.push(Delivery {
            queue,
            hidden_from,
            life,
            count,
            handle: json["ReceiptHandle"].as_str().unwrap_or_default().to_owned(),
            served,
            visibility,
        });
        if matches!(message.sent, Sent::Pending | Sent::Unknown) {
            message.sent = Sent::Found(served);
        }
        check_leases(id, message)?;
        if self.messages[id].draft.fifo.is_some() {
            self.check_order(id, receive, before, served)?;
            self.check_sequence(id)?;
            self.check_twins(id)?;
        }
        Ok(id)
    }

    /// Whether what came is what was sent.
    fn check_content(&mut self, id: MessageId, json: &Value) -> Result<(), String> {
        let message = &mut self.messages[id];
        if json["Body"] != message.draft.body.as_str()
            || json["MessageAttributes"] != message.draft.attributes
        {
            return Err(format!("message {id} was altered: {json}"));
        }
        let told = json["MessageId"].as_str().unwrap_or_default();
        if message.id.get_or_insert_with(|| told.to_owned()) != told {
            return Err(format!(
                "message {id} has the id {:?} and came as `{told}`",
                message.id
            ));
        }
        if let Some(md5) = &message.md5
            && json["MD5OfBody"] != md5.as_str()
        {
            return Err(format!(
                "message {id} came with another MD5 than it was sent with"
            ));
        }
        if json["Attributes"]["SenderId"] != message.draft.sender {
            return Err(format!("message {id} came with another sender: {json}"));
        }
        let sent = number(json, "SentTimestamp").unwrap_or(0);
        let (first, last) = (
            message.arrived.at,
            message.sent_by().map_or(u64::MAX / 2, |sent| sent.at),
        );
        if !(first..=last).contains(&sent.saturating_sub(crate::time::EPOCH_MS)) {
            return Err(format!(
                "message {id} came with the wrong time of sending: {json}"
            ));
        }
        Ok(())
    }

    /// Tells those who are suspected what this receive brought.
    fn settle(&mut self, receive: ReceiveId, got: Got, messages: &[MessageId]) {
        let mut guilty = None;
        self.suspicions.retain_mut(|suspicion| {
            let Some(at) = suspicion.others.iter().position(|other| *other == receive) else {
                return true;
            };
            suspicion.others.swap_remove(at);
            if got == Got::Lost || messages.contains(&suspicion.message) {
                return false;
            }
            if suspicion.others.is_empty() {
                guilty.get_or_insert_with(|| suspicion.clone());
                return false;
            }
            true
        });
        if let Some(suspicion) = guilty {
            self.accuse(&suspicion);
        }
    }

    fn accuse(&mut self, suspicion: &Suspicion) {
        let Suspicion {
            message,
            receive,
            ready_since,
            ..
        } = *suspicion;
        let (arrived, ended) = (self.receives[receive].arrived, self.receives[receive].ended);
        self.broken(|| {
            format!(
                "message {message} was ready since {ready_since} ms, but receive {receive} (from {arrived:?} to \
                 {ended:?}) found nothing"
            )
        });
    }

    /// A receive came back without messages: was there one that it had to bring?
    fn found_nothing(&mut self, id: ReceiveId, served: Stamp) {
        let receive = &self.receives[id];
        // A long poll looks until its end, another only when it comes.
        let looked = if receive.wait > 0 {
            served.at
        } else {
            receive.arrived.at
        };
        let queue = receive.queue;
        let unanswered = |(other, receive): (ReceiveId, &Receive)| {
            (receive.queue == queue && receive.ended.is_none()).then_some(other)
        };
        let others: Vec<ReceiveId> = self.receives.iter().enumerate().filter_map(unanswered).collect();
        let mut suspicions = Vec::new();
        for (message, of) in self.messages.iter().enumerate() {
            if !self.is_related(of.queue, queue) || of.moved_to().unwrap_or(of.queue) != queue {
                continue;
            }
            if let Some(ready_since) = self.ready_since(of, served)
                && ready_since < looked
            {
                suspicions.push(Suspicion {
                    message,
                    receive: id,
                    ready_since,
                    others: others.clone(),
                });
            }
        }
        for suspicion in suspicions {
            if suspicion.others.is_empty() {
                self.accuse(&suspicion);
            } else {
                self.suspicions.push(suspicion);
            }
        }
    }

    /// A message that was ready while somebody waited must have gone to somebody at once.
    fn check_promptness(&self, id: MessageId, receive: ReceiveId, served: Stamp) -> Result<(), String> {
        let message = &self.messages[id];
        if self.queues[self.queue_of(receive)].redrive.is_some() {
            // It may have moved others first.
            return Ok(());
        }
        let Some(ready_since) = self.ready_since(message, served) else {
            return Ok(());
        };
        let waited_since = self.receives[receive].arrived.at.max(ready_since);
        if waited_since < served.at {
            return Err(format!(
                "message {id} was ready since {ready_since} ms and receive {receive} waited since \
                 {:?}, but got it only at {served:?}",
                self.receives[receive].arrived
            ));
        }
        Ok(())
    }
}

impl Receive {
    fn may_have_taken_since(&self, since: Stamp) -> bool {
        match self.ended {
            None => true,
            Some((ended, Got::Lost)) => ended.at >= since.at,
            Some((_, Got::Messages | Got::Refused)) => false,
        }
    }
}

/// Counts of one life are never the same, and each delivery but the last has had its time.
fn check_leases(id: MessageId, message: &Message) -> Result<(), String> {
    let new = message.deliveries.len() - 1;
    let life = message.deliveries[new].life;
    for other in 0..new {
        if message.deliveries[other].life != life
            || message.deliveries[other].queue != message.deliveries[new].queue
        {
            continue;
        }
        let (first, second) = if message.is_after(new, other) {
            (other, new)
        } else {
            (new, other)
        };
        if !message.is_after(second, first) {
            return Err(format!("message {id} was received twice with one receive count"));
        }
        let served = message.deliveries[second].served;
        let hidden = message.hidden_at_least(first, served);
        if served.at < hidden {
            return Err(format!(
                "message {id} was received at {served:?}, but a receive at {:?} had hidden it until {hidden} ms",
                message.deliveries[first].served
            ));
        }
    }
    Ok(())
}

/// A system attribute that is a number.
pub(super) fn number(json: &Value, name: &str) -> Option<u64> {
    json["Attributes"][name].as_str()?.parse().ok()
}
