//! What clients do: everything, at random, with weights that the seed chooses.

use crate::client::{Client, Held};
use crate::model::{Delivery, Draft, Fifo, FifoSettings, Model, Outcome, Queue, QueueId, Scope};
use crate::people::{ACCOUNT, STRANGER, USER};
use crate::world::{Answer, World};
use serde_json::{Value, json};
use std::rc::Rc;

/// What a client can do to the messages of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Send,
    SendBatch,
    Receive,
    Delete,
    DeleteBatch,
    Change,
    Purge,
    Touch,
    Replace,
}

/// Deeds in proportion to how often they are done; of the rare ones, one in so many is done.
const DEEDS: &[(Deed, u64)] = &[
    (Deed::Send, 20),
    (Deed::SendBatch, 8),
    (Deed::Receive, 30),
    (Deed::Delete, 16),
    (Deed::DeleteBatch, 6),
    (Deed::Change, 8),
    (Deed::Purge, 1),
    (Deed::Touch, 1),
    (Deed::Replace, 1),
];

/// Handles that clients choose from, counted from the latest.
const HANDLES_MAX: usize = 40;

/// Makes the queues, before anything can go wrong. Each name has a slot that says which queue has it now.
pub(crate) async fn prepare(world: &Rc<World>) -> Vec<Option<QueueId>> {
    let client = Client {
        world: Rc::clone(world),
        who: ACCOUNT,
    };
    let mut slots = Vec::new();
    for slot in 0..world.options.queues {
        let is_fifo = world.one_in(2);
        let name = format!("queue{slot}{}", if is_fifo { ".fifo" } else { "" });
        let mut attributes = settings(world, &name);
        if world.one_in(4) {
            let (answer, _) = client.ask("CreateKey", json!({})).await;
            let Answer::Ok(key) = answer else {
                panic!("no key: {answer:?}");
            };
            attributes["KmsMasterKeyId"] = key["KeyMetadata"]["KeyId"].clone();
            attributes.as_object_mut().unwrap().remove("Policy");
        }
        // Some have the queue before them as their dead-letter queue.
        let before = slots.last().copied().flatten();
        let before: Option<QueueId> =
            before.filter(|_| !is_fifo && attributes["KmsMasterKeyId"].is_null() && !world.one_in(3));
        let target = before.filter(|before| {
            let model = world.model.borrow();
            let queue = &model.queues[*before];
            queue.fifo.is_none() && queue.redrive.is_none() && queue.retention == 1_209_600_000
        });
        let max = u32::try_from(1 + world.below(3)).unwrap();
        if let Some(target) = target {
            let arn = format!(
                "arn:aws:sqs:us-east-1:{ACCOUNT}:{}",
                world.model.borrow().queues[target].name
            );
            let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": max});
            attributes["RedrivePolicy"] = policy.to_string().into();
            attributes["MessageRetentionPeriod"] = "1209600".into();
        }
        let made = create(&client, &name, &attributes).await;
        if let (Some(target), Some(made)) = (target, made) {
            let mut model = world.model.borrow_mut();
            model.queues[made].redrive = Some((target, max));
        }
        slots.push(made);
    }
    slots
}

fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

/// The attributes of a new queue.
fn settings(world: &World, name: &str) -> Value {
    let second = |from: &[u64]| Value::from(world.pick(from).to_string());
    let mut attributes = json!({
        "VisibilityTimeout": second(&[0, 1, 5, 30, 30, 600, 43_200]),
        "DelaySeconds": second(&[0, 0, 0, 1, 30, 900]),
        "MessageRetentionPeriod": second(&[60, 3_600, 345_600, 1_209_600, 1_209_600, 1_209_600]),
        "ReceiveMessageWaitTimeSeconds": second(&[0, 0, 1, 20]),
    });
    if is_fifo(name) {
        attributes["FifoQueue"] = "true".into();
        attributes["ContentBasedDeduplication"] = world.one_in(2).to_string().into();
        if world.one_in(2) {
            attributes["DeduplicationScope"] = "messageGroup".into();
            attributes["FifoThroughputLimit"] = "perMessageGroupId".into();
        }
    }
    if world.one_in(2) {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": STRANGER},
            "Action": ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage",
                       "sqs:ChangeMessageVisibility", "sqs:PurgeQueue"],
            "Resource": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"),
        }]});
        attributes["Policy"] = policy.to_string().into();
    }
    attributes
}

/// Makes a queue, however often it takes; `None` only after a broken promise.
async fn create(client: &Client, name: &str, attributes: &Value) -> Option<QueueId> {
    let world = &client.world;
    for _ in 0..1000 {
        world.until_open().await;
        let input = json!({"QueueName": name, "Attributes": attributes});
        let (answer, served) = client.ask("CreateQueue", input).await;
        match answer {
            Answer::Ok(made) => return Some(created(world, name, attributes, &made)),
            Answer::Refused(why) if why != "unreachable" => {
                world.model.borrow_mut().unexpected("CreateQueue", &why);
                return None;
            }
            Answer::Failed(code) if !world.model.borrow().expects_failures(served) => {
                world.model.borrow_mut().unexpected("CreateQueue", &code);
                return None;
            }
            Answer::Failed(_) => world.restart_wanted.set(true),
            Answer::Refused(_) | Answer::Lost => {}
        }
        world.time.sleep(1000).await;
    }
    None
}

/// Takes note of a queue that was made.
fn created(world: &World, name: &str, attributes: &Value, made: &Value) -> QueueId {
    let number = |name: &str| attributes[name].as_str().unwrap().parse::<u64>().unwrap() * 1000;
    let mut model = world.model.borrow_mut();
    model.queues.push(Queue {
        name: name.to_owned(),
        url: made["QueueUrl"].as_str().unwrap_or_default().to_owned(),
        visibility: number("VisibilityTimeout"),
        delay: number("DelaySeconds"),
        retention: number("MessageRetentionPeriod"),
        wait: number("ReceiveMessageWaitTimeSeconds"),
        is_open: !attributes["Policy"].is_null(),
        fifo: is_fifo(name).then(|| FifoSettings {
            by_content: attributes["ContentBasedDeduplication"] == "true",
            by_group: attributes["DeduplicationScope"] == "messageGroup",
        }),
        redrive: None,
        is_ending: false,
        is_replaced: false,
    });
    model.queues.len() - 1
}

/// One client's life.
pub(crate) async fn work(world: Rc<World>, number: u64) {
    let who = [ACCOUNT, USER, STRANGER][usize::try_from(number % 3).unwrap()];
    let client = Client {
        world: Rc::clone(&world),
        who,
    };
    for _ in 0..world.options.operations {
        if world.model.borrow().violation.is_some() {
            break;
        }
        if world.one_in(2) {
            world.time.sleep(world.below(world.options.think_ms + 1)).await;
        }
        if !world.is_open() && !world.one_in(8) {
            world.until_open().await;
        }
        let Some(queue) = choose_queue(&client) else {
            world.time.sleep(1000).await;
            continue;
        };
        act(&client, queue).await;
    }
    world.busy.set(world.busy.get() - 1);
}

/// A queue that this client may use.
fn choose_queue(client: &Client) -> Option<QueueId> {
    let model = client.world.model.borrow();
    let may = |(id, queue): (QueueId, &Queue)| {
        let is_last = !model.queues[id + 1..]
            .iter()
            .any(|later| later.name == queue.name);
        (is_last && !queue.is_replaced && (client.who != STRANGER || queue.is_open)).then_some(id)
    };
    let usable: Vec<QueueId> = model.queues.iter().enumerate().filter_map(may).collect();
    (!usable.is_empty()).then(|| client.world.pick(&usable))
}

fn choose_deed(world: &World) -> Deed {
    let all: u64 = DEEDS.iter().map(|(_, weight)| weight).sum();
    let mut lot = world.below(all);
    for (deed, weight) in DEEDS {
        if lot < *weight {
            return *deed;
        }
        lot -= weight;
    }
    Deed::Receive
}

async fn act(client: &Client, queue: QueueId) {
    let world = &client.world;
    match choose_deed(world) {
        Deed::Send => client.send(queue, draft(client, queue)).await,
        Deed::SendBatch => {
            let count = 1 + world.below(10);
            let drafts = (0..count).map(|_| draft(client, queue)).collect();
            client.send_batch(queue, drafts).await;
        }
        Deed::Receive => {
            let max = world.pick(&[1, 1, 3, 10, 10]);
            let visibility = world.pick(&[None, None, Some(0), Some(1), Some(10), Some(60), Some(3_600)]);
            let wait = world.pick(&[None, Some(0), Some(0), Some(1), Some(10), Some(20)]);
            client.receive(queue, max, visibility, wait).await;
        }
        Deed::Delete => {
            if let Some(held) = choose_handle(world, queue) {
                client.delete(queue, held).await;
            }
        }
        Deed::DeleteBatch => {
            let mut held: Vec<Held> = (0..4).filter_map(|_| choose_handle(world, queue)).collect();
            held.sort_unstable();
            held.dedup_by_key(|held| held.0);
            if !held.is_empty() {
                client.delete_batch(queue, held).await;
            }
        }
        Deed::Change => {
            if let Some(held) = choose_handle(world, queue) {
                let seconds = world.pick(&[0, 0, 1, 5, 30, 600, 43_200]);
                client.change(queue, held, seconds).await;
            }
        }
        Deed::Purge if world.one_in(3) => client.purge(queue).await,
        Deed::Touch => touch(client, queue).await,
        Deed::Replace if client.who == ACCOUNT && world.one_in(2) => replace(client, queue).await,
        Deed::Purge | Deed::Replace => {}
    }
}

/// A new message.
fn draft(client: &Client, queue: QueueId) -> Draft {
    let world = &client.world;
    let of = &world.model.borrow().queues[queue];
    let size = world.pick(&[0, 1, 10, 10, 100, 100, 1_000, 5_000]);
    let letter = world.pick(&["a", "\u{e9}", "\u{1f980}", "<&\">", "\n"]);
    let delay = if of.fifo.is_none() && world.one_in(4) {
        world.pick(&[0, 0, 1, 20, 900]) * 1000
    } else {
        of.delay
    };
    let attributes = if world.one_in(4) {
        json!({"kind": {"DataType": "String", "StringValue": letter},
               "count": {"DataType": "Number", "StringValue": size.to_string()}})
    } else {
        Value::Null
    };
    Draft {
        body: letter.repeat(size),
        attributes,
        delay,
        sender: if client.who == USER {
            "AIDAWORKER"
        } else {
            client.who
        },
        fifo: of.fifo.map(|settings| fifo(world, queue, settings)),
        fair_group: (of.fifo.is_none() && world.one_in(3)).then(|| world.pick(&["loud", "quiet"]).to_owned()),
    }
}

/// Group and deduplication id: a new one, or one that was sent before.
fn fifo(world: &World, queue: QueueId, settings: FifoSettings) -> Fifo {
    let model = world.model.borrow();
    let mut group = world.pick(&["g1", "g1", "g2", "g3"]).to_owned();
    let earlier: Vec<&Fifo> = model
        .messages
        .iter()
        .rev()
        .filter(|message| message.queue == queue)
        .filter_map(|message| message.draft.fifo.as_ref())
        .filter(|fifo| fifo.deduplication.is_some())
        .take(6)
        .collect();
    let unique = world.below(u64::MAX).to_string();
    let deduplication = if settings.by_content && world.one_in(2) {
        None
    } else if !earlier.is_empty() && world.one_in(4) {
        let again = world.pick(&earlier);
        if !world.one_in(4) {
            group.clone_from(&again.group);
        }
        again.deduplication.clone()
    } else {
        Some(unique.clone())
    };
    let tag = match &deduplication {
        Some(id) if settings.by_group => format!("{group} {id}"),
        Some(id) => id.clone(),
        None => format!("content {unique}"),
    };
    Fifo {
        group,
        deduplication,
        tag,
    }
}

/// A message that somebody received lately and that is perhaps not deleted yet; sometimes with an old handle.
fn choose_handle(world: &World, queue: QueueId) -> Option<Held> {
    let model = world.model.borrow();
    let may = |(id, message): (usize, &crate::model::Message)| {
        let here = |(number, delivery): (usize, &Delivery)| (delivery.queue == queue).then_some(number);
        let here: Vec<usize> = message.deliveries.iter().enumerate().filter_map(here).collect();
        (!here.is_empty() && !is_deleted(&model, id)).then_some((id, here))
    };
    let messages = model.messages.iter().enumerate().rev();
    let received: Vec<(usize, Vec<usize>)> = messages.filter_map(may).take(HANDLES_MAX).collect();
    if received.is_empty() {
        return None;
    }
    let (id, deliveries) = world.pick(&received);
    let latest = deliveries[deliveries.len() - 1];
    let delivery = if world.one_in(8) {
        world.pick(&deliveries)
    } else {
        latest
    };
    Some((id, delivery))
}

/// Whether a delete of the message was acknowledged, most of the time.
fn is_deleted(model: &Model, id: usize) -> bool {
    let done = |end: &_| model.is_done(end);
    model.messages[id].ends.iter().any(done) && !id.is_multiple_of(7)
}

/// Changes something that messages do not depend on, but what is allowed might.
async fn touch(client: &Client, queue: QueueId) {
    if client.who == STRANGER {
        return;
    }
    let url = client.world.model.borrow().queues[queue].url.clone();
    let input = json!({"QueueUrl": url, "Tags": {"touched": client.world.below(1000).to_string()}});
    client.ask("TagQueue", input).await;
}

/// Deletes the queue and makes another of its name.
async fn replace(client: &Client, queue: QueueId) {
    let world = &client.world;
    let (url, name) = {
        let mut model = world.model.borrow_mut();
        let is_dead = model.takes_dead_letters(queue);
        let of = &mut model.queues[queue];
        if of.is_ending || is_dead || of.redrive.is_some() {
            return;
        }
        (of.url.clone(), of.name.clone())
    };
    let life = world.model.borrow().life;
    let removal = {
        let mut model = world.model.borrow_mut();
        model.begin_removal(Scope::Queue(queue), world.now())
    };
    let (mut answer, mut served) = client.ask("DeleteQueue", json!({"QueueUrl": url})).await;
    if matches!(answer, Answer::Lost | Answer::Failed(_)) {
        // Whether it was deleted shows when the server that may be at it has ended.
        while world.model.borrow().life == life {
            world.restart_wanted.set(true);
            world.time.sleep(1000).await;
        }
        (answer, served) = probe(client, &name).await;
    }
    let is_gone = matches!(answer, Answer::Ok(_));
    let outcome = if is_gone { Outcome::Done } else { Outcome::Refused };
    world.model.borrow_mut().end_removal(removal, outcome, served);
    if !is_gone {
        world.model.borrow_mut().queues[queue].is_ending = false;
        return;
    }
    if world.one_in(2) {
        let early = json!({"QueueName": name, "Attributes": {}});
        if let (Answer::Ok(_), again) = client.ask("CreateQueue", early).await
            && again.at < served.at + 60_000
        {
            let mut model = world.model.borrow_mut();
            model.broken(|| format!("`{name}` was made again at {again:?}, deleted at {served:?}"));
        }
    }
    world.time.sleep(57_000 + world.below(100_000)).await;
    // Whoever is on the way to the old queue must not come to the new one.
    world.model.borrow_mut().queues[queue].is_replaced = true;
    world.time.sleep(4_000).await;
    let attributes = settings(world, &name);
    create(client, &name, &attributes).await;
}

/// Whether a queue of this name is gone: `Ok` when it is.
async fn probe(client: &Client, name: &str) -> (Answer, crate::world::Stamp) {
    loop {
        client.world.until_open().await;
        let (answer, at) = client.ask("GetQueueUrl", json!({"QueueName": name})).await;
        match answer {
            Answer::Ok(_) => return (Answer::Refused("still there".into()), at),
            Answer::Refused(why) if why != "unreachable" => return (Answer::Ok(Value::Null), at),
            Answer::Refused(_) | Answer::Failed(_) | Answer::Lost => client.world.time.sleep(500).await,
        }
    }
}
