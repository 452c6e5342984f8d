//! Receiving, visibility, deleting, waiting.

use super::{Server, text};
use serde_json::json;

#[tokio::test]
async fn a_received_message_is_hidden_from_others() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    assert_eq!(server.bodies(&url).await, ["x"]);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_message_reappears_when_its_visibility_timeout_ends() {
    let server = Server::start().await;
    let url = server.queue(json!({"VisibilityTimeout": "30"})).await;
    server.send(&url, "x").await;
    server.receive(&url).await;
    server.pass(29);
    assert!(server.bodies(&url).await.is_empty());
    server.pass(1);
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn the_count_of_receives_rises() {
    let server = Server::start().await;
    let url = server.queue(json!({"VisibilityTimeout": "0"})).await;
    server.send(&url, "x").await;
    for count in ["1", "2", "3"] {
        let input = json!({"QueueUrl": url, "MessageSystemAttributeNames": ["ApproximateReceiveCount"]});
        let received = server.ok("ReceiveMessage", input).await;
        assert_eq!(
            received["Messages"][0]["Attributes"]["ApproximateReceiveCount"],
            count
        );
    }
}

#[tokio::test]
async fn a_deleted_message_does_not_come_back() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    server.delete(&url, &messages[0]).await;
    server.pass(60);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn the_handle_of_an_older_receive_does_not_delete() {
    let server = Server::start().await;
    let url = server.queue(json!({"VisibilityTimeout": "30"})).await;
    server.send(&url, "x").await;
    let old = server.receive(&url).await;
    server.pass(30);
    server.receive(&url).await;
    server.delete(&url, &old[0]).await;
    server.pass(30);
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn a_handle_still_deletes_after_its_visibility_timeout_ended() {
    let server = Server::start().await;
    let url = server.queue(json!({"VisibilityTimeout": "30"})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    server.pass(31);
    server.delete(&url, &messages[0]).await;
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn garbage_is_no_receipt_handle() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "ReceiptHandle": "garbage"});
    let refused = server
        .sqs(&server.root, "DeleteMessage", input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "ReceiptHandleIsInvalid");
    assert_eq!(
        refused.message,
        "The input receipt handle \"garbage\" is not a valid receipt handle."
    );
}

#[tokio::test]
async fn a_visibility_of_zero_gives_the_message_back_at_once() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    let input =
        json!({"QueueUrl": url, "ReceiptHandle": messages[0]["ReceiptHandle"], "VisibilityTimeout": 0});
    server.ok("ChangeMessageVisibility", input).await;
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn the_visibility_of_a_deleted_message_cannot_be_changed() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    server.delete(&url, &messages[0]).await;
    let input =
        json!({"QueueUrl": url, "ReceiptHandle": messages[0]["ReceiptHandle"], "VisibilityTimeout": 10});
    assert_eq!(
        server.refused("ChangeMessageVisibility", input).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn a_message_is_hidden_for_twelve_hours_in_total_at_most() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    let change = |seconds: u32| json!({"QueueUrl": url, "ReceiptHandle": messages[0]["ReceiptHandle"], "VisibilityTimeout": seconds});
    server.pass(10);
    assert_eq!(
        server.refused("ChangeMessageVisibility", change(43_200)).await,
        "InvalidParameterValueException"
    );
    server.ok("ChangeMessageVisibility", change(43_190)).await;
}

#[tokio::test]
async fn a_delayed_message_appears_when_its_delay_ends() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server
        .ok(
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 10}),
        )
        .await;
    assert!(server.bodies(&url).await.is_empty());
    assert_eq!(
        server.attribute(&url, "ApproximateNumberOfMessagesDelayed").await,
        "1"
    );
    server.pass(10);
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn a_message_is_gone_when_the_queue_does_not_keep_it_any_longer() {
    let server = Server::start().await;
    let url = server.queue(json!({"MessageRetentionPeriod": "60"})).await;
    server.send(&url, "x").await;
    server.pass(61);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_long_poll_ends_with_a_message_that_arrives() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let poll = server.ok("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&url).await;
        server.send(&url, "x").await;
    });
    assert_eq!(text(&received["Messages"][0], "Body"), "x");
}

#[tokio::test]
async fn a_long_poll_ends_empty_when_its_time_is_over() {
    let server = Server::start().await;
    let url = server.queue(json!({"ReceiveMessageWaitTimeSeconds": "5"})).await;
    let poll = server.ok("ReceiveMessage", json!({"QueueUrl": url}));
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&url).await;
        server.pass(5);
    });
    assert!(received["Messages"].is_null());
}

#[tokio::test]
async fn a_long_poll_finds_a_message_that_reappears_while_it_waits() {
    let server = Server::start().await;
    let url = server.queue(json!({"VisibilityTimeout": "3"})).await;
    server.send(&url, "x").await;
    server.receive(&url).await;
    let poll = server.ok("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&url).await;
        server.pass(3);
    });
    assert_eq!(text(&received["Messages"][0], "Body"), "x");
}

#[tokio::test]
async fn a_poll_that_began_first_finds_a_message_whose_lease_began_later() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server
        .ok(
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 10}),
        )
        .await;
    let poll = server.ok("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&url).await;
        server.send(&url, "y").await;
    });
    assert_eq!(text(&received["Messages"][0], "Body"), "y");
    let handle = received["Messages"][0]["ReceiptHandle"].clone();
    let poll = server.ok("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&url).await;
        let input = json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 2});
        server.ok("ChangeMessageVisibility", input).await;
        // The poll must learn of the new time before it comes.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        server.pass(2);
    });
    assert_eq!(text(&received["Messages"][0], "Body"), "y");
}

#[tokio::test]
async fn deleting_a_batch_reports_each_entry() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    let entries = json!([
        {"Id": "good", "ReceiptHandle": messages[0]["ReceiptHandle"]},
        {"Id": "bad", "ReceiptHandle": "garbage"},
    ]);
    let answer = server
        .ok("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
        .await;
    assert_eq!(answer["Successful"], json!([{"Id": "good"}]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn counts_follow_the_messages() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    for body in ["a", "b", "c"] {
        server.send(&url, body).await;
    }
    server.ok("ReceiveMessage", json!({"QueueUrl": url})).await;
    assert_eq!(server.attribute(&url, "ApproximateNumberOfMessages").await, "2");
    assert_eq!(
        server
            .attribute(&url, "ApproximateNumberOfMessagesNotVisible")
            .await,
        "1"
    );
}

#[tokio::test]
async fn a_deletion_that_is_not_durable_is_never_acknowledged_also_when_asked_again() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "x").await;
    let messages = server.receive(&url).await;
    server.take_the_log_away().await;
    let input = json!({"QueueUrl": url, "ReceiptHandle": messages[0]["ReceiptHandle"]});
    for _ in 0..2 {
        let refused = server
            .sqs(&server.root, "DeleteMessage", input.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.status, 500);
    }
}

#[tokio::test]
async fn more_messages_expire_than_are_looked_at_in_one_go() {
    let server = Server::start().await;
    let url = server.queue(json!({"MessageRetentionPeriod": "60"})).await;
    let entries: Vec<_> = (0..10)
        .map(|id| json!({"Id": id.to_string(), "MessageBody": "old"}))
        .collect();
    for _ in 0..401 {
        server
            .ok("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
            .await;
    }
    server.pass(61);
    server.send(&url, "new").await;
    assert_eq!(server.bodies(&url).await, ["new"]);
}
