//! The requests that clients make, each noted in the model when it arrives and when it has ended.

use crate::model::{Draft, Got, MessageId, Outcome, QueueId, Scope};
use crate::world::{Answer, Stamp, World};
use serde_json::{Value, json};
use std::rc::Rc;

/// Answers that a queue gives which is, or may be, deleted.
const NO_QUEUE: &str = "QueueDoesNotExist";

/// Somebody who makes requests.
pub(crate) struct Client {
    pub(crate) world: Rc<World>,
    pub(crate) who: &'static str,
}

/// A message that was received, and by which of its deliveries.
pub(crate) type Held = (MessageId, usize);

impl Client {
    /// Makes a request that says nothing of messages.
    pub(crate) async fn ask(&self, name: &str, input: Value) -> (Answer, Stamp) {
        let (answer, served) = self.world.exchange(self.who, name, input).await;
        self.world
            .note(|| format!("{:<12} {name} -> {}", self.who, brief(&answer)));
        (answer, served)
    }

    /// Goes to the server for something about this queue; false when there is no point any more: another queue has its
    /// name, or will have.
    async fn reach(&self, queue: QueueId) -> bool {
        self.world.travel().await;
        !self.world.model.borrow().queues[queue].is_replaced
    }

    fn outcome(&self, operation: &str, queue: QueueId, answer: &Answer, served: Stamp) -> Outcome {
        let mut model = self.world.model.borrow_mut();
        match answer {
            Answer::Ok(_) => Outcome::Done,
            Answer::Refused(why) => {
                let gone = why.starts_with(NO_QUEUE) && model.queues[queue].is_ending;
                if why != "unreachable" && !gone {
                    model.unexpected(operation, why);
                }
                Outcome::Refused
            }
            Answer::Failed(code) => {
                if !model.expects_failures(served) {
                    model.unexpected(operation, code);
                }
                self.world.restart_wanted.set(true);
                Outcome::Unknown
            }
            Answer::Lost => Outcome::Unknown,
        }
    }

    pub(crate) async fn send(&self, queue: QueueId, draft: Draft) {
        if !self.reach(queue).await {
            return;
        }
        let world = &self.world;
        let mut input = entry(&draft);
        input["QueueUrl"] = world.model.borrow().queues[queue].url.clone().into();
        let id = world.model.borrow_mut().begin_send(queue, draft, world.now());
        let input = self.named(id, input);
        let (answer, served) = world.exchange(self.who, "SendMessage", input).await;
        world.note(|| format!("{:<12} q{queue} send m{id} -> {}", self.who, brief(&answer)));
        let outcome = self.outcome("SendMessage", queue, &answer, served);
        let told = match &answer {
            Answer::Ok(value) => value,
            Answer::Refused(_) | Answer::Failed(_) | Answer::Lost => &Value::Null,
        };
        world.model.borrow_mut().end_send(id, outcome, told, served);
        world.travel().await;
    }

    /// Puts the message's number in front of its body, so that receivers know it.
    fn named(&self, id: MessageId, mut input: Value) -> Value {
        let mut model = self.world.model.borrow_mut();
        let body = &mut model.messages[id].draft.body;
        *body = format!("m{id}.{body}");
        input["MessageBody"] = body.clone().into();
        input
    }

    pub(crate) async fn send_batch(&self, queue: QueueId, drafts: Vec<Draft>) {
        if !self.reach(queue).await {
            return;
        }
        let world = &self.world;
        let mut sent = Vec::new();
        let mut entries = Vec::new();
        for draft in drafts {
            let mut input = entry(&draft);
            let id = world.model.borrow_mut().begin_send(queue, draft, world.now());
            input["Id"] = format!("e{id}").into();
            entries.push(self.named(id, input));
            sent.push(id);
        }
        let url = world.model.borrow().queues[queue].url.clone();
        let input = json!({"QueueUrl": url, "Entries": entries});
        let (answer, served) = world.exchange(self.who, "SendMessageBatch", input).await;
        world.note(|| format!("{:<12} q{queue} send {sent:?} -> {}", self.who, brief(&answer)));
        let whole = self.outcome("SendMessageBatch", queue, &answer, served);
        for id in sent {
            let (outcome, told) =
                self.of_batch("SendMessageBatch", (whole, served), &answer, &format!("e{id}"));
            world.model.borrow_mut().end_send(id, outcome, &told, served);
        }
        world.travel().await;
    }

    /// What became of one entry.
    fn of_batch(
        &self,
        operation: &str,
        (whole, served): (Outcome, Stamp),
        answer: &Answer,
        entry: &str,
    ) -> (Outcome, Value) {
        let Answer::Ok(value) = answer else {
            return (whole, Value::Null);
        };
        let find = |list: &str| {
            let entries = value[list].as_array()?;
            entries.iter().find(|found| found["Id"] == entry).cloned()
        };
        let mut model = self.world.model.borrow_mut();
        match (find("Successful"), find("Failed")) {
            (Some(mut done), None) => {
                done["MD5OfMessageBody"] = done["MD5OfMessageBody"].take();
                (Outcome::Done, done)
            }
            (None, Some(failed)) if failed["SenderFault"] == true => (Outcome::Refused, failed),
            (None, Some(failed)) => {
                if !model.expects_failures(served) {
                    model.unexpected(operation, &failed.to_string());
                }
                self.world.restart_wanted.set(true);
                (Outcome::Unknown, failed)
            }
            (Some(_), Some(_)) | (None, None) => {
                model.broken(|| format!("{operation} answered entry `{entry}` twice or not at all: {value}"));
                (Outcome::Unknown, Value::Null)
            }
        }
    }

    /// Receives; `None` for what the queue says. Answers what came, and whether the queue said that it had nothing.
    pub(crate) async fn receive(
        &self,
        queue: QueueId,
        max: u64,
        visibility: Option<u64>,
        wait: Option<u64>,
    ) -> (Vec<Held>, bool) {
        if !self.reach(queue).await {
            return (Vec::new(), false);
        }
        let world = &self.world;
        let mut input = json!({
            "MaxNumberOfMessages": max, "MessageAttributeNames": ["All"], "AttributeNames": ["All"],
        });
        let id = {
            let mut model = world.model.borrow_mut();
            let of = &model.queues[queue];
            input["QueueUrl"] = of.url.clone().into();
            let hidden = visibility.map_or(of.visibility, |seconds| seconds * 1000);
            let waited = wait.map_or(of.wait, |seconds| seconds * 1000);
            model.begin_receive(queue, hidden, waited, world.now())
        };
        if let Some(seconds) = visibility {
            input["VisibilityTimeout"] = seconds.into();
        }
        if let Some(seconds) = wait {
            input["WaitTimeSeconds"] = seconds.into();
        }
        world.note(|| format!("{:<12} q{queue} receive r{id} {visibility:?} {wait:?}", self.who));
        let (answer, served) = world.exchange(self.who, "ReceiveMessage", input).await;
        world.note(|| format!("{:<12} q{queue} receive r{id} -> {}", self.who, brief(&answer)));
        let (got, messages) = match &answer {
            Answer::Ok(value) => (Got::Messages, value["Messages"].as_array().cloned()),
            Answer::Refused(_) => (Got::Refused, None),
            Answer::Failed(_) | Answer::Lost => (Got::Lost, None),
        };
        self.outcome("ReceiveMessage", queue, &answer, served);
        let messages = messages.unwrap_or_default();
        world.model.borrow_mut().end_receive(id, got, &messages, served);
        let held = self.held(&messages);
        world.travel().await;
        (held, got == Got::Messages && messages.is_empty())
    }

    fn held(&self, messages: &[Value]) -> Vec<Held> {
        let model = self.world.model.borrow();
        let find = |json: &Value| {
            let handle = json["ReceiptHandle"].as_str()?;
            let body = json["Body"].as_str()?;
            let id: MessageId = body.split('.').next()?.strip_prefix('m')?.parse().ok()?;
            let deliveries = &model.messages.get(id)?.deliveries;
            let delivery = deliveries
                .iter()
                .rposition(|delivery| delivery.handle == handle)?;
            Some((id, delivery))
        };
        messages.iter().filter_map(find).collect()
    }

    pub(crate) async fn delete(&self, queue: QueueId, held: Held) {
        if !self.reach(queue).await {
            return;
        }
        let world = &self.world;
        let (url, handle) = self.address(queue, held);
        let scope = Scope::Message(held.0, held.1);
        let removal = world.model.borrow_mut().begin_removal(scope, world.now());
        let input = json!({"QueueUrl": url, "ReceiptHandle": handle});
        let (answer, served) = world.exchange(self.who, "DeleteMessage", input).await;
        world.note(|| {
            format!(
                "{:<12} q{queue} delete m{} -> {}",
                self.who,
                held.0,
                brief(&answer)
            )
        });
        let outcome = match &answer {
            Answer::Refused(why) if self.may_expire(queue, why) => {
                world.model.borrow_mut().refused_delete(held, why, served);
                Outcome::Refused
            }
            Answer::Ok(_) | Answer::Refused(_) | Answer::Failed(_) | Answer::Lost => {
                self.outcome("DeleteMessage", queue, &answer, served)
            }
        };
        world.model.borrow_mut().end_removal(removal, outcome, served);
        world.travel().await;
    }

    /// Whether a delete may be refused so: receipt handles of FIFO queues are good for as long as they hide their message,
    /// and what is on its way to the dead-letter queue cannot be deleted before it has arrived.
    fn may_expire(&self, queue: QueueId, why: &str) -> bool {
        let of = &self.world.model.borrow().queues[queue];
        (of.fifo.is_some() || of.redrive.is_some()) && why.contains("expired")
    }

    pub(crate) async fn delete_batch(&self, queue: QueueId, held: Vec<Held>) {
        if !self.reach(queue).await {
            return;
        }
        let world = &self.world;
        let mut removals = Vec::new();
        let mut entries = Vec::new();
        let mut url = String::new();
        for (number, held) in held.iter().enumerate() {
            let handle;
            (url, handle) = self.address(queue, *held);
            let scope = Scope::Message(held.0, held.1);
            removals.push(world.model.borrow_mut().begin_removal(scope, world.now()));
            entries.push(json!({"Id": format!("e{number}"), "ReceiptHandle": handle}));
        }
        let input = json!({"QueueUrl": url, "Entries": entries});
        let (answer, served) = world.exchange(self.who, "DeleteMessageBatch", input).await;
        world.note(|| format!("{:<12} q{queue} delete {held:?} -> {}", self.who, brief(&answer)));
        let whole = self.outcome("DeleteMessageBatch", queue, &answer, served);
        for (number, removal) in removals.into_iter().enumerate() {
            let entry = format!("e{number}");
            let (outcome, told) = self.of_batch("DeleteMessageBatch", (whole, served), &answer, &entry);
            let why = told["Message"].as_str().unwrap_or_default();
            if outcome == Outcome::Refused && told.is_object() {
                if self.may_expire(queue, why) {
                    world.model.borrow_mut().refused_delete(held[number], why, served);
                } else {
                    world.model.borrow_mut().unexpected("DeleteMessageBatch", why);
                }
            }
            world.model.borrow_mut().end_removal(removal, outcome, served);
        }
        world.travel().await;
    }

    pub(crate) async fn change(&self, queue: QueueId, held: Held, seconds: u64) {
        if !self.reach(queue).await {
            return;
        }
        let world = &self.world;
        let (url, handle) = self.address(queue, held);
        let change = {
            let mut model = world.model.borrow_mut();
            model.begin_change(held.0, held.1, seconds * 1000, world.now())
        };
        let input = json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": seconds});
        let (answer, served) = world.exchange(self.who, "ChangeMessageVisibility", input).await;
        world.note(|| {
            format!(
                "{:<12} q{queue} hide m{} {seconds} s -> {}",
                self.who,
                held.0,
                brief(&answer)
            )
        });
        let (outcome, why) = match &answer {
            Answer::Refused(why) => (Outcome::Refused, why.as_str()),
            Answer::Ok(_) | Answer::Failed(_) | Answer::Lost => (
                self.outcome("ChangeMessageVisibility", queue, &answer, served),
                "",
            ),
        };
        world
            .model
            .borrow_mut()
            .end_change(held.0, change, outcome, why, served);
        world.travel().await;
    }

    pub(crate) async fn purge(&self, queue: QueueId) {
        if !self.reach(queue).await {
            return;
        }
        let world = &self.world;
        let url = world.model.borrow().queues[queue].url.clone();
        let removal = {
            let mut model = world.model.borrow_mut();
            model.begin_removal(Scope::Purge(queue), world.now())
        };
        let (answer, served) = self.ask("PurgeQueue", json!({"QueueUrl": url})).await;
        let outcome = match &answer {
            Answer::Refused(why) if why.starts_with("PurgeQueueInProgress") => Outcome::Refused,
            Answer::Ok(_) | Answer::Refused(_) | Answer::Failed(_) | Answer::Lost => {
                self.outcome("PurgeQueue", queue, &answer, served)
            }
        };
        world.model.borrow_mut().end_removal(removal, outcome, served);
    }

    fn address(&self, queue: QueueId, held: Held) -> (String, String) {
        let model = self.world.model.borrow();
        let handle = model.messages[held.0].deliveries[held.1].handle.clone();
        (model.queues[queue].url.clone(), handle)
    }
}

fn entry(draft: &Draft) -> Value {
    let mut input = json!({});
    if let Some(fifo) = &draft.fifo {
        input["MessageGroupId"] = fifo.group.as_str().into();
        if let Some(id) = &fifo.deduplication {
            input["MessageDeduplicationId"] = id.as_str().into();
        }
    } else {
        input["DelaySeconds"] = (draft.delay / 1000).into();
    }
    if let Some(group) = &draft.fair_group {
        input["MessageGroupId"] = group.as_str().into();
    }
    if !draft.attributes.is_null() {
        input["MessageAttributes"] = draft.attributes.clone();
    }
    input
}

/// An answer in few words.
fn brief(answer: &Answer) -> String {
    let Answer::Ok(value) = answer else {
        return format!("{answer:?}");
    };
    if value["Messages"].is_null() {
        let failed = value["Failed"].as_array().map_or(0, Vec::len);
        return if failed > 0 {
            value["Failed"].to_string()
        } else {
            "done".into()
        };
    }
    let messages = value["Messages"].as_array().map_or(&[][..], Vec::as_slice);
    let word = |message: &Value| {
        let token = message["Body"].as_str().unwrap_or_default();
        let token = token.split('.').next().unwrap_or_default();
        format!("{token}#{}", message["Attributes"]["ApproximateReceiveCount"])
    };
    format!("{:?}", messages.iter().map(word).collect::<Vec<_>>())
}
