//! The course of a run: make the queues, let the clients work while things go wrong, then look whether everything is there.

use crate::client::Client;
use crate::executor::Owner;
use crate::model::QueueId;
use crate::people::ACCOUNT;
use crate::workload;
use crate::world::{Answer, Crash, World};
use serde_json::json;
use std::rc::Rc;

/// See the module.
pub(crate) async fn story(world: Rc<World>) {
    world.until_open().await;
    workload::prepare(&world).await;
    world.faults.set(true);
    world.busy.set(world.options.clients);
    for number in 0..world.options.clients {
        let work = workload::work(Rc::clone(&world), number);
        world.begin(Owner::World, Box::pin(work));
    }
    while world.busy.get() > 0 {
        world.time.sleep(5_000).await;
    }
    world.faults.set(false);
    let client = Client {
        world: Rc::clone(&world),
        who: ACCOUNT,
    };
    if world.model.borrow().trouble || world.one_in(2) {
        restart(&world).await;
    }
    let queues = last_queues(&world);
    // Dead-letter queues come last: draining the others fills them.
    let is_dead = |queue: &QueueId| world.model.borrow().takes_dead_letters(*queue);
    let (dead, others): (Vec<_>, Vec<_>) = queues.iter().partition(|queue| is_dead(queue));
    for queue in others.iter().chain(&dead) {
        drain(&client, *queue).await;
    }
    for queue in &queues {
        look(&client, *queue).await;
    }
    restart(&world).await;
    for queue in &queues {
        let (held, _) = client.receive(*queue, 10, Some(0), Some(0)).await;
        if let Some((id, _)) = held.first() {
            let mut model = world.model.borrow_mut();
            model.broken(|| {
                format!("message {id} came out of a queue that was empty before the last restart")
            });
        }
    }
}

/// Lets the server die, and waits for the next.
async fn restart(world: &World) {
    let crash = world.pick(&[Crash::Process, Crash::Power]);
    let life = world.model.borrow().life;
    world.crash_wanted.set(Some(crash));
    while world.model.borrow().life == life {
        world.time.sleep(10).await;
    }
    world.until_open().await;
}

/// The queues that are there in the end.
fn last_queues(world: &World) -> Vec<QueueId> {
    let model = world.model.borrow();
    let is_there = |id: &QueueId| {
        let queue = &model.queues[*id];
        let is_last = !model.queues[id + 1..]
            .iter()
            .any(|later| later.name == queue.name);
        is_last && !queue.is_ending
    };
    (0..model.queues.len()).filter(is_there).collect()
}

/// Receives and deletes everything, and looks whether all was there that had to be.
async fn drain(client: &Client, queue: QueueId) {
    let world = &client.world;
    for _ in 0..50 {
        let hidden_until = {
            let model = world.model.borrow();
            let of_queue = model
                .messages
                .iter()
                .filter(|message| model.is_related(message.queue, queue));
            let there = of_queue.filter(|message| message.is_possible() && !message.is_deleted());
            there
                .map(|message| model.hidden_until(message))
                .max()
                .unwrap_or(0)
        };
        let now = world.now().at;
        let waits = hidden_until >= now;
        if waits {
            world.time.sleep(hidden_until - now + 1).await;
        }
        let mut brought = false;
        loop {
            let wait = world.pick(&[0, 0, 1]);
            let (held, is_empty) = client.receive(queue, 10, Some(30), Some(wait)).await;
            if !held.is_empty() {
                brought = true;
                client.delete_batch(queue, held).await;
            }
            if is_empty || world.model.borrow().violation.is_some() {
                break;
            }
        }
        if !waits && !brought {
            break;
        }
    }
}

/// Nothing may be left, and nothing may be missing.
async fn look(client: &Client, queue: QueueId) {
    let world = &client.world;
    {
        let mut model = world.model.borrow_mut();
        let now = world.now();
        let missing = model.messages.iter().position(|message| {
            message.queue == queue
                && message.present_since().is_some()
                && !model.may_be_gone(message, now)
                && !model.is_ambiguous(message)
        });
        if let Some(id) = missing {
            model.broken(|| format!("message {id} never came back although nothing ended it"));
        }
    }
    let names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ];
    let url = world.model.borrow().queues[queue].url.clone();
    let input = json!({"QueueUrl": url, "AttributeNames": names});
    let (answer, _) = client.ask("GetQueueAttributes", input).await;
    let mut model = world.model.borrow_mut();
    let Answer::Ok(value) = answer else {
        return model.unexpected("GetQueueAttributes", &format!("{answer:?}"));
    };
    if names.iter().any(|name| value["Attributes"][*name] != "0") {
        model.broken(|| format!("queue {queue} is empty and says {}", value["Attributes"]));
    }
}
