//! Long polls, many of them, and the limits of what is in flight.

use super::super::index::{Arrival, Wanted};
use super::super::limits::IN_FLIGHT_MAX;
use super::super::queue::{Queue, moment};
use super::{OTHER, Server, text};
use bulla_storage::Pos;
use bulla_types::Region;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn find(server: &Server, url: &str) -> Arc<Queue> {
    let key = super::super::url::parse(url, Region::parse("us-east-1").unwrap()).unwrap();
    server.service.queue(&key).unwrap()
}

async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Starts so many long polls; the answer counts those that got a message, and those that ended.
async fn polls(server: &Arc<Server>, url: &str, count: usize) -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (received, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..count {
        let (server, url) = (Arc::clone(server), url.to_owned());
        let (received, ended) = (Arc::clone(&received), Arc::clone(&ended));
        let tasks = Arc::clone(&server.world.runtime.tasks);
        tasks.spawn(Box::pin(async move {
            let answer = server
                .ok("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}))
                .await;
            if !answer["Messages"].is_null() {
                received.fetch_add(1, Ordering::Relaxed);
            }
            ended.fetch_add(1, Ordering::Relaxed);
        }));
    }
    let queue = find(server, url);
    while queue.waiting() < count {
        tokio::task::yield_now().await;
    }
    settle().await;
    (received, ended)
}

#[tokio::test]
async fn of_ten_thousand_long_polls_one_send_ends_one() {
    let server = Arc::new(Server::start().await);
    let url = server.queue(json!({})).await;
    let (received, ended) = polls(&server, &url, 10_000).await;
    for sent in 1..=3 {
        server.send(&url, "x").await;
        settle().await;
        assert_eq!(received.load(Ordering::Relaxed), sent);
    }
    assert_eq!(ended.load(Ordering::Relaxed), 3);
    server.pass(20);
    while ended.load(Ordering::Relaxed) < 10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(received.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn of_many_long_polls_one_gets_the_message_that_reappears() {
    let server = Arc::new(Server::start().await);
    let url = server.queue(json!({"VisibilityTimeout": "5"})).await;
    server.send(&url, "x").await;
    server.receive(&url).await;
    let (received, ended) = polls(&server, &url, 50).await;
    for round in 1..=3 {
        server.pass(5);
        settle().await;
        assert_eq!(received.load(Ordering::Relaxed), round);
        assert_eq!(ended.load(Ordering::Relaxed), round);
    }
}

/// Puts one message fewer in flight than may be, past the log.
fn fill(server: &Server, queue: &Queue) {
    let now = moment(server.world.runtime.clock.as_ref());
    let mut index = queue.index();
    for place in 1..IN_FLIGHT_MAX as u64 {
        index.insert(Arrival {
            position: Pos(1_000_000 + place),
            sent: now.wall,
            group: None,
            delayed_until: None,
        });
    }
    let wanted = Wanted {
        max: IN_FLIGHT_MAX,
        visibility: Duration::from_mins(1),
        receives_max: None,
        oldest_kept: 0,
    };
    assert_eq!(index.take(now, &wanted).taken.len(), IN_FLIGHT_MAX - 1);
}

#[tokio::test]
async fn with_too_many_messages_in_flight_a_standard_queue_says_so_and_a_fifo_queue_has_none() {
    let server = Server::start().await;
    let standard = server.queue(json!({})).await;
    let fifo = server.fifo(json!({})).await;
    for url in [&standard, &fifo] {
        fill(&server, &find(&server, url));
    }
    server.send(&standard, "x").await;
    server.send_to(&fifo, "g", "x").await;
    let last = server.receive(&standard).await;
    assert_eq!(server.bodies(&fifo).await, ["x"]);
    server.send(&standard, "y").await;
    server.send_to(&fifo, "h", "y").await;
    let refused = server
        .sqs(&server.root, "ReceiveMessage", json!({"QueueUrl": standard}))
        .await
        .unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "OverLimit"));
    assert!(server.bodies(&fifo).await.is_empty());
    // A long poll waits until there is room.
    let poll = server.ok(
        "ReceiveMessage",
        json!({"QueueUrl": standard, "WaitTimeSeconds": 20}),
    );
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&standard).await;
        server.delete(&standard, &last[0]).await;
    });
    assert_eq!(text(&received["Messages"][0], "Body"), "y");
}

#[tokio::test]
async fn lowering_the_retention_ends_what_is_older() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "old").await;
    server.pass(100);
    server.send(&url, "new").await;
    let attributes: Value = json!({"MessageRetentionPeriod": "60"});
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": attributes}),
        )
        .await;
    assert_eq!(server.bodies(&url).await, ["new"]);
}

const RECEIVE: &str = r#"{"Statement":[{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}]}"#;

/// A queue that another account may receive from, and a user of that account who waits at it; what the poll answers
/// after `meanwhile` and the arrival of a message.
async fn poll_while(server: &Server, url: &str, meanwhile: impl AsyncFnOnce()) -> Value {
    let user = server.world.people.user(OTHER, "reader", Some(RECEIVE));
    let poll = server.sqs(
        &user,
        "ReceiveMessage",
        json!({"QueueUrl": url, "WaitTimeSeconds": 20}),
    );
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(url).await;
        meanwhile().await;
        server.send(url, "x").await;
        settle().await;
        server.pass(20);
    });
    received.unwrap()
}

fn shared() -> Value {
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": OTHER},
                        "Action": "sqs:ReceiveMessage", "Resource": "*"}]});
    json!({"Policy": policy.to_string()})
}

#[tokio::test]
async fn a_long_poll_goes_on_when_a_change_elsewhere_leaves_it_allowed() {
    let server = Server::start().await;
    let url = server.queue(shared()).await;
    let other = server.named("others", json!({})).await;
    let received = poll_while(&server, &url, async || {
        let input = json!({"QueueUrl": other, "Attributes": {"DelaySeconds": "1"}});
        server.ok("SetQueueAttributes", input).await;
    })
    .await;
    assert_eq!(text(&received["Messages"][0], "Body"), "x");
}

#[tokio::test]
async fn a_long_poll_that_is_forbidden_meanwhile_gets_nothing() {
    let server = Server::start().await;
    let url = server.queue(shared()).await;
    let received = poll_while(&server, &url, async || {
        let input = json!({"QueueUrl": url, "Attributes": {"Policy": ""}});
        server.ok("SetQueueAttributes", input).await;
    })
    .await;
    assert!(received["Messages"].is_null());
    assert_eq!(server.bodies(&url).await, ["x"]);
}
