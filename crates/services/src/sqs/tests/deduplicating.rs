//! Deduplication of FIFO sends.

use super::{Server, text};
use serde_json::{Value, json};

fn send(url: &str, group: &str, id: &str, body: &str) -> Value {
    json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": id})
}

#[tokio::test]
async fn a_duplicate_is_told_of_the_original_and_not_delivered() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let first = server.ok("SendMessage", send(&url, "g", "d", "x")).await;
    let again = server.ok("SendMessage", send(&url, "g", "d", "another")).await;
    assert_eq!(first["MessageId"], again["MessageId"]);
    assert_eq!(first["SequenceNumber"], again["SequenceNumber"]);
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn the_window_is_five_minutes() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    server.ok("SendMessage", send(&url, "g", "d", "1")).await;
    server.pass(299);
    server.ok("SendMessage", send(&url, "g", "d", "2")).await;
    server.pass(1);
    server.ok("SendMessage", send(&url, "g", "d", "3")).await;
    assert_eq!(server.bodies(&url).await, ["1", "3"]);
}

#[tokio::test]
async fn equal_bodies_are_duplicates_when_the_content_counts() {
    let server = Server::start().await;
    let url = server.fifo(json!({"ContentBasedDeduplication": "true"})).await;
    let plain = |body: &str| json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": "g"});
    server.ok("SendMessage", plain("x")).await;
    server.ok("SendMessage", plain("x")).await;
    server.ok("SendMessage", send(&url, "g", "of-its-own", "x")).await;
    let input =
        json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["MessageDeduplicationId"]});
    let received = server.ok("ReceiveMessage", input).await;
    assert_eq!(received["Messages"].as_array().unwrap().len(), 2);
    // SHA-256 of "x".
    assert_eq!(
        received["Messages"][0]["Attributes"]["MessageDeduplicationId"],
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    );
}

#[tokio::test]
async fn without_an_id_and_without_content_based_deduplication_a_send_is_refused() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g"});
    let refused = server.sqs(&server.root, "SendMessage", input).await.unwrap_err();
    assert_eq!(refused.code, "InvalidParameterValueException");
    assert_eq!(
        refused.message,
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    );
}

#[tokio::test]
async fn the_scope_is_the_queue_or_the_group() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    server.ok("SendMessage", send(&url, "a", "d", "1")).await;
    server.ok("SendMessage", send(&url, "b", "d", "2")).await;
    assert_eq!(server.bodies(&url).await, ["1"]);
    let attributes = json!({"FifoQueue": "true", "DeduplicationScope": "messageGroup"});
    let made = server
        .ok(
            "CreateQueue",
            json!({"QueueName": "grouped.fifo", "Attributes": attributes}),
        )
        .await;
    let url = text(&made, "QueueUrl");
    for (group, body) in [("a", "1"), ("b", "2"), ("a", "3")] {
        server.ok("SendMessage", send(&url, group, "d", body)).await;
    }
    assert_eq!(server.bodies(&url).await, ["1", "2"]);
}

#[tokio::test]
async fn a_message_that_was_deleted_is_still_recognized() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let first = server.ok("SendMessage", send(&url, "g", "d", "x")).await;
    let messages = server.receive(&url).await;
    server.delete(&url, &messages[0]).await;
    let again = server.ok("SendMessage", send(&url, "g", "d", "x")).await;
    assert_eq!(first["SequenceNumber"], again["SequenceNumber"]);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn the_window_outlives_a_restart_also_of_a_deleted_message() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let kept = server.ok("SendMessage", send(&url, "kept", "k", "kept")).await;
    let deleted = server
        .ok("SendMessage", send(&url, "deleted", "d", "deleted"))
        .await;
    let messages = server.receive(&url).await;
    server.delete(&url, &messages[1]).await;
    let server = server.restart().await;
    for (first, group, id) in [(kept, "kept", "k"), (deleted, "deleted", "d")] {
        let again = server.ok("SendMessage", send(&url, group, id, "x")).await;
        assert_eq!(first["MessageId"], again["MessageId"]);
        assert_eq!(first["SequenceNumber"], again["SequenceNumber"]);
    }
    server.pass(300);
    assert_eq!(server.bodies(&url).await, ["kept"]);
    server
        .ok("SendMessage", send(&url, "deleted", "d", "sent anew"))
        .await;
    assert_eq!(server.bodies(&url).await, ["sent anew"]);
}

#[tokio::test]
async fn records_of_deleted_messages_leave_the_log_when_the_window_has_ended() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    server.ok("SendMessage", send(&url, "g", "d", "x")).await;
    let messages = server.receive(&url).await;
    server.delete(&url, &messages[0]).await;
    assert_eq!(server.records_in_the_log().await, 1);
    let server = server.restart().await;
    server.pass(300);
    server.swept(&url).await;
    assert_eq!(server.records_in_the_log().await, 0);
}

#[tokio::test]
async fn equal_ids_in_one_batch_are_one_message() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let entry = |id: &str, body: &str| json!({"Id": id, "MessageBody": body, "MessageGroupId": "g", "MessageDeduplicationId": "d"});
    let answer = server
        .ok(
            "SendMessageBatch",
            json!({"QueueUrl": url, "Entries": [entry("a", "1"), entry("b", "2")]}),
        )
        .await;
    let sent = answer["Successful"].as_array().unwrap();
    assert_eq!(sent[0]["MessageId"], sent[1]["MessageId"]);
    assert_eq!(server.bodies(&url).await, ["1"]);
}

#[tokio::test]
async fn of_sends_at_the_same_time_one_is_delivered_and_all_are_told_of_it() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let one = |body: &'static str| server.ok("SendMessage", send(&url, "g", "d", body));
    let (a, b, c) = tokio::join!(one("1"), one("2"), one("3"));
    assert_eq!(a["MessageId"], b["MessageId"]);
    assert_eq!(a["SequenceNumber"], c["SequenceNumber"]);
    assert_eq!(server.bodies(&url).await.len(), 1);
}

#[tokio::test]
async fn a_send_that_failed_is_not_an_original() {
    let server = Server::start().await;
    let url = server.fifo(json!({"KmsMasterKeyId": "alias/none"})).await;
    let refused = server.refused("SendMessage", send(&url, "g", "d", "1")).await;
    assert_eq!(refused, "KmsNotFound");
    let attributes = json!({"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"});
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": attributes}),
        )
        .await;
    server.ok("SendMessage", send(&url, "g", "d", "2")).await;
    assert_eq!(server.bodies(&url).await, ["2"]);
}
