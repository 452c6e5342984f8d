//! Message move tasks: what they move, how fast, and how they end.

use super::{ACCOUNT, OTHER, Server, text};
use serde_json::{Value, json};

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

/// A server with the queues `dead`, `source` (whose dead-letter queue that is) and `other`, and what lies in `dead`.
async fn with_dead_letters(count: usize) -> (Server, Queues) {
    let server = Server::start().await;
    let mut urls = Vec::new();
    let redrive = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1}).to_string();
    for (name, attributes) in [
        ("dead", json!({})),
        ("source", json!({"RedrivePolicy": redrive})),
        ("other", json!({})),
    ] {
        let made = server
            .ok(
                "CreateQueue",
                json!({"QueueName": name, "Attributes": attributes}),
            )
            .await;
        urls.push(text(&made, "QueueUrl"));
    }
    let [dead, source, other] = urls.try_into().unwrap();
    for number in 0..count {
        server.send(&dead, &format!("m{number}")).await;
    }
    (server, Queues { dead, source, other })
}

struct Queues {
    dead: String,
    source: String,
    other: String,
}

fn to_other(rate: Option<u32>) -> Value {
    json!({
        "SourceArn": arn("dead"),
        "DestinationArn": arn("other"),
        "MaxNumberOfMessagesPerSecond": rate,
    })
}

async fn start(server: &Server, rate: Option<u32>) -> String {
    let started = server.ok("StartMessageMoveTask", to_other(rate)).await;
    text(&started, "TaskHandle")
}

async fn latest(server: &Server) -> Value {
    let listed = server
        .ok("ListMessageMoveTasks", json!({"SourceArn": arn("dead")}))
        .await;
    listed["Results"][0].clone()
}

/// The latest task, when its status is this one.
async fn when(server: &Server, status: &str) -> Value {
    for _ in 0..10_000 {
        let task = latest(server).await;
        if task["Status"] == status {
            return task;
        }
        tokio::task::yield_now().await;
    }
    panic!("not {status}: {}", latest(server).await)
}

/// The latest task, when it has moved so many messages.
async fn when_moved(server: &Server, count: u64) -> Value {
    for _ in 0..10_000 {
        let task = latest(server).await;
        if task["ApproximateNumberOfMessagesMoved"] == count {
            return task;
        }
        tokio::task::yield_now().await;
    }
    panic!("not {count}: {}", latest(server).await)
}

#[tokio::test]
async fn a_task_moves_what_is_there_and_says_so() {
    let (server, queues) = with_dead_letters(250).await;
    start(&server, None).await;
    let task = when(&server, "COMPLETED").await;
    assert_eq!(task["ApproximateNumberOfMessagesMoved"], 250);
    assert_eq!(task["ApproximateNumberOfMessagesToMove"], 250);
    assert_eq!(task["DestinationArn"], arn("other"));
    assert!(task["TaskHandle"].is_null() && task["FailureReason"].is_null());
    assert_eq!(
        server
            .attribute(&queues.dead, "ApproximateNumberOfMessages")
            .await,
        "0"
    );
    assert_eq!(
        server
            .attribute(&queues.other, "ApproximateNumberOfMessages")
            .await,
        "250"
    );
    assert_eq!(server.bodies(&queues.other).await[0], "m0");
}

#[tokio::test]
async fn a_moved_message_is_a_new_one_with_the_old_content() {
    let (server, queues) = with_dead_letters(1).await;
    let before = server.receive(&queues.dead).await.remove(0);
    server
        .ok(
            "ChangeMessageVisibility",
            json!({"QueueUrl": queues.dead, "ReceiptHandle": before["ReceiptHandle"], "VisibilityTimeout": 0}),
        )
        .await;
    server.pass(100);
    start(&server, None).await;
    when(&server, "COMPLETED").await;
    let input = json!({"QueueUrl": queues.other, "MessageSystemAttributeNames": ["All"]});
    let received = server.ok("ReceiveMessage", input).await;
    let after = &received["Messages"][0];
    assert_eq!(after["Body"], before["Body"]);
    assert_ne!(after["MessageId"], before["MessageId"]);
    assert_eq!(after["Attributes"]["ApproximateReceiveCount"], "1");
}

#[tokio::test]
async fn a_task_keeps_to_its_rate() {
    let (server, _) = with_dead_letters(10).await;
    start(&server, Some(2)).await;
    when_moved(&server, 1).await;
    for moved in 2..=10_u64 {
        while server.world.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        server.world.clock.advance(std::time::Duration::from_millis(499));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            latest(&server).await["ApproximateNumberOfMessagesMoved"],
            moved - 1
        );
        server.world.clock.advance(std::time::Duration::from_millis(1));
        when_moved(&server, moved).await;
    }
}

#[tokio::test]
async fn a_cancelled_task_moves_nothing_more() {
    let (server, queues) = with_dead_letters(10).await;
    let handle = start(&server, Some(1)).await;
    when_moved(&server, 1).await;
    let input = json!({"TaskHandle": handle});
    let answer = server.ok("CancelMessageMoveTask", input.clone()).await;
    assert_eq!(answer["ApproximateNumberOfMessagesMoved"], 1);
    let task = when(&server, "CANCELLED").await;
    assert!(task["TaskHandle"].is_null());
    server.pass(60);
    assert_eq!(
        server
            .attribute(&queues.dead, "ApproximateNumberOfMessages")
            .await,
        "9"
    );
    assert_eq!(
        server.refused("CancelMessageMoveTask", input).await,
        "UnsupportedOperation"
    );
}

#[tokio::test]
async fn a_queue_has_one_active_task() {
    let (server, _) = with_dead_letters(3).await;
    let handle = start(&server, Some(1)).await;
    assert_eq!(
        server.refused("StartMessageMoveTask", to_other(None)).await,
        "UnsupportedOperation"
    );
    server
        .ok("CancelMessageMoveTask", json!({"TaskHandle": handle}))
        .await;
    when(&server, "CANCELLED").await;
    start(&server, None).await;
    when(&server, "COMPLETED").await;
}

#[tokio::test]
async fn a_task_whose_destination_is_deleted_fails_and_loses_nothing() {
    let (server, queues) = with_dead_letters(3).await;
    start(&server, Some(1)).await;
    when_moved(&server, 1).await;
    server.ok("DeleteQueue", json!({"QueueUrl": queues.other})).await;
    server.pass(1);
    let task = when(&server, "FAILED").await;
    assert_eq!(task["FailureReason"], "AWS.SimpleQueueService.NonExistentQueue");
    assert_eq!(
        server
            .attribute(&queues.dead, "ApproximateNumberOfMessages")
            .await,
        "2"
    );
}

#[tokio::test]
async fn a_message_that_was_sent_to_the_dead_letter_queue_itself_has_nowhere_to_go_back_to() {
    let (server, queues) = with_dead_letters(1).await;
    server
        .ok("StartMessageMoveTask", json!({"SourceArn": arn("dead")}))
        .await;
    let task = when(&server, "FAILED").await;
    assert_eq!(task["FailureReason"], "CouldNotDetermineMessageSource");
    assert_eq!(server.bodies(&queues.dead).await, ["m0"]);
}

#[tokio::test]
async fn a_dead_letter_goes_back_to_where_it_came_from() {
    let (server, queues) = with_dead_letters(0).await;
    server.send(&queues.source, "poison").await;
    let [first] = server.receive(&queues.source).await.try_into().unwrap();
    server.pass(31);
    assert!(server.receive(&queues.source).await.is_empty());
    assert_eq!(
        server
            .attribute(&queues.dead, "ApproximateNumberOfMessages")
            .await,
        "1"
    );
    server
        .ok("StartMessageMoveTask", json!({"SourceArn": arn("dead")}))
        .await;
    let task = when(&server, "COMPLETED").await;
    assert!(task["DestinationArn"].is_null());
    let input = json!({"QueueUrl": queues.source, "MessageSystemAttributeNames": ["All"]});
    let received = server.ok("ReceiveMessage", input).await;
    let again = &received["Messages"][0];
    assert_eq!(again["Body"], "poison");
    assert_ne!(again["MessageId"], first["MessageId"]);
    assert_eq!(again["Attributes"]["ApproximateReceiveCount"], "1");
    assert!(again["Attributes"]["DeadLetterQueueSourceArn"].is_null());
}

#[tokio::test]
async fn a_running_task_goes_on_after_a_restart_and_moves_nothing_twice() {
    let (server, queues) = with_dead_letters(5).await;
    start(&server, Some(1)).await;
    when_moved(&server, 1).await;
    server.pass(1);
    when_moved(&server, 2).await;
    let server = server.restart().await;
    for _ in 0..8 {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        server.pass(1);
    }
    when(&server, "COMPLETED").await;
    let mut bodies = server.bodies(&queues.other).await;
    bodies.sort();
    assert_eq!(bodies, ["m0", "m1", "m2", "m3", "m4"]);
    assert_eq!(
        server
            .attribute(&queues.dead, "ApproximateNumberOfMessages")
            .await,
        "0"
    );
}

#[tokio::test]
async fn a_cancelled_task_stays_cancelled_after_a_restart() {
    let (server, _) = with_dead_letters(5).await;
    let handle = start(&server, Some(1)).await;
    server
        .ok("CancelMessageMoveTask", json!({"TaskHandle": handle}))
        .await;
    let server = server.restart().await;
    when(&server, "CANCELLED").await;
}

#[tokio::test]
async fn the_ten_latest_tasks_are_remembered_newest_first() {
    let (server, _) = with_dead_letters(0).await;
    for _ in 0..12 {
        start(&server, Some(7)).await;
        when(&server, "COMPLETED").await;
        server.pass(1);
    }
    let input = json!({"SourceArn": arn("dead"), "MaxResults": 10});
    let listed = server.ok("ListMessageMoveTasks", input.clone()).await;
    let started: Vec<u64> = listed["Results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["StartedTimestamp"].as_u64().unwrap())
        .collect();
    assert_eq!(started.len(), 10);
    assert!(started.is_sorted_by(|newer, older| newer > older), "{started:?}");
    let server = server.restart().await;
    assert_eq!(server.ok("ListMessageMoveTasks", input).await, listed);
}

#[tokio::test]
async fn tasks_end_with_their_queue() {
    let (server, queues) = with_dead_letters(5).await;
    start(&server, Some(1)).await;
    server.ok("DeleteQueue", json!({"QueueUrl": queues.dead})).await;
    assert_eq!(
        server
            .refused("ListMessageMoveTasks", json!({"SourceArn": arn("dead")}))
            .await,
        "ResourceNotFoundException"
    );
    server.pass(61);
    server.ok("CreateQueue", json!({"QueueName": "dead"})).await;
    let server = server.restart().await;
    assert!(latest(&server).await.is_null());
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused() {
    let (server, _) = with_dead_letters(0).await;
    server
        .ok(
            "CreateQueue",
            json!({"QueueName": "o.fifo", "Attributes": {"FifoQueue": "true"}}),
        )
        .await;
    let invalid = "InvalidParameterValueException";
    for (input, code) in [
        (json!({"SourceArn": arn("source")}), invalid),
        (json!({"SourceArn": arn("nobody")}), "ResourceNotFoundException"),
        (json!({"SourceArn": "dead"}), invalid),
        (
            json!({"SourceArn": arn("dead"), "DestinationArn": arn("dead")}),
            invalid,
        ),
        (
            json!({"SourceArn": arn("dead"), "DestinationArn": arn("o.fifo")}),
            invalid,
        ),
        (
            json!({"SourceArn": arn("dead"), "DestinationArn": arn("nobody")}),
            "ResourceNotFoundException",
        ),
        (
            json!({"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 0}),
            invalid,
        ),
        (
            json!({"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 501}),
            invalid,
        ),
    ] {
        assert_eq!(
            server.refused("StartMessageMoveTask", input.clone()).await,
            code,
            "{input}"
        );
    }
}

#[tokio::test]
async fn starting_a_task_needs_every_permission() {
    let (server, _) = with_dead_letters(0).await;
    let on_source = [
        "StartMessageMoveTask",
        "ReceiveMessage",
        "DeleteMessage",
        "GetQueueAttributes",
    ];
    for missing in [None, Some("SendMessage")].into_iter().chain(on_source.map(Some)) {
        let actions: Vec<String> = on_source
            .iter()
            .filter(|name| Some(**name) != missing)
            .map(|name| format!("sqs:{name}"))
            .collect();
        let mut statements = vec![json!({"Effect": "Allow", "Action": actions, "Resource": arn("dead")})];
        if missing != Some("SendMessage") {
            statements
                .push(json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn("other")}));
        }
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let name = missing.unwrap_or("all");
        let user = server.world.people.user(ACCOUNT, name, Some(&policy));
        let answer = server.sqs(&user, "StartMessageMoveTask", to_other(None)).await;
        assert_eq!(answer.is_ok(), missing.is_none(), "{missing:?}: {answer:?}");
    }
    let stranger = server.world.people.root(OTHER);
    assert!(
        server
            .sqs(&stranger, "StartMessageMoveTask", to_other(None))
            .await
            .is_err()
    );
}
