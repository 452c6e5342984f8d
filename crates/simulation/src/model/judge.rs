//! Whether a message is there, and since when it is ready.

use super::message::{Message, Sent};
use super::receive::ReceiveId;
use super::removal::Scope;
use super::{MessageId, Model, Outcome};
use crate::world::Stamp;

impl Message {
    /// By when it was surely sent.
    pub(super) fn sent_by(&self) -> Option<Stamp> {
        match self.sent {
            Sent::Acknowledged(at) => Some(at),
            Sent::Pending | Sent::Refused | Sent::Unknown | Sent::Found(_) | Sent::Duplicate(_) => None,
        }
    }

    /// Since when it is surely there, if nothing ended it.
    pub(crate) fn present_since(&self) -> Option<Stamp> {
        match self.sent {
            Sent::Acknowledged(at) | Sent::Found(at) => Some(at),
            Sent::Pending | Sent::Refused | Sent::Unknown | Sent::Duplicate(_) => None,
        }
    }
}

impl Model {
    /// Whether something may have ended the message, or may do so yet.
    pub(crate) fn may_be_gone(&self, message: &Message, now: Stamp) -> bool {
        let ended = message.ends.iter().any(|end| {
            let removal = &self.removals[end.removal];
            !end.is_disproved && removal.outcome != Some(Outcome::Refused)
        });
        ended || now.at >= message.arrived.at + self.queues[message.queue].retention
    }

    /// Since when the message surely waits for a receiver; `None` when it may not.
    pub(super) fn ready_since(&self, message: &Message, now: Stamp) -> Option<u64> {
        let present = message.present_since()?;
        if self.may_be_gone(message, now) || self.is_ambiguous(message) || self.may_have_moved(message) {
            return None;
        }
        let group = self.group_ready_since(message)?;
        let place = message.moved_to().unwrap_or(message.queue);
        let mut since = present.at.max(self.lost_until(place)).max(group);
        if message.deliveries.is_empty() {
            since = since.max(present.at + message.draft.delay);
        }
        for delivery in 0..message.deliveries.len() {
            if message.deliveries[delivery].queue != place {
                continue;
            }
            let life = message.deliveries[delivery].life;
            // After a crash an older lease may be the one that is remembered.
            if life < self.life || message.is_latest(delivery) {
                since = since.max(message.hidden_at_most(delivery)?);
            }
        }
        for end in &message.ends {
            since = since.max(self.removals[end.removal].ended?.at);
        }
        Some(since)
    }

    /// Until when the message may be hidden, whether it is there or not.
    pub(crate) fn hidden_until(&self, message: &Message) -> u64 {
        let leases = (0..message.deliveries.len()).filter_map(|delivery| message.hidden_at_most(delivery));
        let sent = message.present_since().unwrap_or(message.arrived);
        leases
            .max()
            .unwrap_or(0)
            .max(sent.at + message.draft.delay)
            .max(self.lost_until(message.queue))
    }

    /// Whether the message could be received at all, given what ended it; and what a receive says about that.
    pub(super) fn check_presence(
        &mut self,
        id: MessageId,
        receive: ReceiveId,
        count: u32,
        served: Stamp,
    ) -> Result<(), String> {
        let (arrived, life) = (self.receives[receive].arrived, self.receives[receive].life);
        let message = &mut self.messages[id];
        let retention = self.queues[message.queue].retention;
        if message.sent == Sent::Refused {
            return Err(format!("message {id} was received, but its send was refused"));
        }
        if let Sent::Duplicate(original) = message.sent {
            return Err(format!(
                "message {id} was received, but its sender was told that it is a duplicate of message {original}"
            ));
        }
        if served.at < message.arrived.at + message.draft.delay {
            return Err(format!(
                "message {id} was received at {served:?}, before its delay of {} ms was over",
                message.draft.delay
            ));
        }
        if let Some(sent) = message.sent_by()
            && served.at > sent.at + retention
        {
            return Err(format!(
                "message {id} was received at {served:?}, after its retention"
            ));
        }
        for at in 0..message.ends.len() {
            let end = message.ends[at];
            let removal = &self.removals[end.removal];
            if removal.outcome == Some(Outcome::Refused) {
                continue;
            }
            let is_over = removal.is_over(life, arrived);
            if end.is_sure && is_over {
                return Err(format!(
                    "message {id} came back: {:?} was done at {:?}, receive {receive} began at {arrived:?}",
                    removal.scope, removal.ended
                ));
            }
            if is_over {
                message.ends[at].is_disproved = true;
            } else if let (true, Scope::Message(_, delivery)) = (end.is_sure, removal.scope) {
                // This receive overlaps the delete: when it took the message first, the handle was an old one.
                let deleted = &message.deliveries[delivery];
                message.ends[at].is_sure = deleted.life == life && count < deleted.count;
            }
        }
        Ok(())
    }
}
